"""Where each table, key, value and comment of a TOML document stands.

A parser returns values without places, and tomlkit none for its items; the
normaliser moves text and the guard names lines, so both need the places. The
grammar is TOML 1.0; values are skipped over, not interpreted.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Names: TypeAlias = tuple[str, ...]
Path: TypeAlias = tuple[str | int, ...]
Kind: TypeAlias = Literal["array", "table", "string", "other"]

_BASIC: Final = r'"(?:[^"\\\n]|\\.)*"'
_LITERAL: Final = r"'[^'\n]*'"
_STRING: Final = re.compile(
    rf'"""(?:[^\\]|\\.)*?"""(?:"{{1,2}}(?!"))?|\'\'\'.*?\'\'\'(?:\'{{1,2}}(?!\'))?|{_BASIC}|{_LITERAL}',
    re.DOTALL,
)
_PART: Final = re.compile(rf"[A-Za-z0-9_-]+|{_BASIC}|{_LITERAL}")
_DOT: Final = re.compile(r"[ \t]*\.[ \t]*")
_EQUALS: Final = re.compile(r"[ \t]*=[ \t]*")
_OTHER: Final = re.compile(r"[^\s,\]}#](?:[^,\]}#\r\n]*[^\s,\]}#])?")
_BLANK: Final = re.compile(r"(?:\s+|#[^\n]*)*")
_COMMENT: Final = re.compile(r"[ \t]*(?:#[^\r\n]*)?")
_OPEN: Final = re.compile(r"\[\[?[ \t]*")
_CLOSE: Final = re.compile(r"[ \t]*\]\]?")


@dataclass(frozen=True, slots=True)
class Value:
    """A value as it is written: `text[start:end]`."""

    kind: Kind
    start: int
    end: int
    items: tuple["Item", ...] = ()
    """The elements of an array, the keys of an inline table."""


@dataclass(frozen=True, slots=True)
class Item:
    """An array's element (no key) or an inline table's key."""

    key: Names
    start: int
    value: Value


@dataclass(frozen=True, slots=True)
class Statement:
    """A table header (no value) or a key with its value, to the end of its line."""

    path: Names
    start: int
    end: int
    value: Value | None = None
    repeated: bool = False
    """The header of one table of an array: ``[[path]]``."""


def place(text: str, offset: int) -> tuple[int, int]:
    """Return the line and column (both from 1) of an offset."""
    return text.count("\n", 0, offset) + 1, offset - (text.rfind("\n", 0, offset) + 1) + 1


def offset(text: str, line: int, column: int) -> int:
    """Return the offset of a line and column; the inverse of `place`."""
    at = 0
    for _ in range(line - 1):
        at = text.find("\n", at) + 1
    return at + column - 1


def statements(text: str) -> Iterator[Statement]:
    """Yield the headers and keys of a document, in order.

    Raises:
        ValueError: the text is not TOML, as far as its layout tells.
    """
    table: Names = ()
    at = _skip(_BLANK, text, 0)
    while at < len(text):
        if text[at] == "[":
            table, end = _header(text, at)
            found = Statement(
                table, at, _skip(_COMMENT, text, end), None, text[at : at + 2] == "[["
            )
        else:
            item = _item(text, at)
            end = _skip(_COMMENT, text, item.value.end)
            found = Statement(table + item.key, at, end, item.value)
        yield found
        if text[found.end : found.end + 1].strip():
            raise ValueError("more than one statement on a line")
        at = _skip(_BLANK, text, found.end)


def places(found: Iterable[Statement]) -> Iterator[tuple[Path, int]]:
    """Yield the path and offset of every header, key and element; tables of arrays are counted."""
    counts: dict[Path, int] = {}
    table: Path = ()
    header: Names = ()
    for one in found:
        if one.value is None:
            header = one.path
            if one.repeated:
                whole = (*_counted(header[:-1], counts), header[-1])
                counts[whole] = counts.get(whole, -1) + 1
            table = _counted(header, counts)
            yield table, one.start
        else:
            path = table + one.path[len(header) :]
            yield path, one.start
            yield from _inside(path, one.value)


def _counted(header: Names, counts: dict[Path, int]) -> Path:
    """Return a header's path with the number of each array's table that it is in."""
    path: Path = ()
    for name in header:
        path += (name,)
        path += (counts[path],) if path in counts else ()
    return path


def _inside(path: Path, value: Value) -> Iterator[tuple[Path, int]]:
    for number, item in enumerate(value.items):
        inner = path + (item.key or (number,))
        yield inner, item.start
        yield from _inside(inner, item.value)


def _skip(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    if found is None:
        raise ValueError(f"offset {at}: no {pattern.pattern}")
    return found.end()


def _key(text: str, at: int) -> tuple[Names, int]:
    parts: list[str] = []
    while True:
        end = _skip(_PART, text, at)
        part = text[at:end]
        parts.append(read(part) if part[0] in "\"'" else part)
        dot = _DOT.match(text, end)
        if dot is None:
            return tuple(parts), end
        at = dot.end()


def _header(text: str, at: int) -> tuple[Names, int]:
    path, end = _key(text, _skip(_OPEN, text, at))
    return path, _skip(_CLOSE, text, end)


def _item(text: str, at: int) -> Item:
    key, end = _key(text, at)
    return Item(key, at, _value(text, _skip(_EQUALS, text, end)))


def _value(text: str, at: int) -> Value:
    match text[at : at + 1]:
        case "[":
            return _many(text, at, "array", "]")
        case "{":
            return _many(text, at, "table", "}")
        case '"' | "'":
            return Value("string", at, _skip(_STRING, text, at))
        case _:
            return Value("other", at, _skip(_OTHER, text, at))


def _many(text: str, start: int, kind: Kind, close: str) -> Value:
    items: list[Item] = []
    at = _skip(_BLANK, text, start + 1)
    while text[at : at + 1] != close:
        item = _item(text, at) if kind == "table" else Item((), at, _value(text, at))
        items.append(item)
        at = _skip(_BLANK, text, item.value.end)
        if text[at : at + 1] == ",":
            at = _skip(_BLANK, text, at + 1)
        elif text[at : at + 1] != close:
            raise ValueError(f"offset {at}: neither a comma nor {close}")
    return Value(kind, start, at + 1, tuple(items))


def read(text: str) -> str:
    """Return what a string means, given as it is written."""
    value = tomllib.loads(f"value = {text}")["value"]
    if not isinstance(value, str):
        raise ValueError(f"{text} is no string")
    return value
