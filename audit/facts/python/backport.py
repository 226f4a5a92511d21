"""Syntax that is newer than the interpreter, written as older syntax says it.

What a repository means does not depend on the Python that audits it. A module that the
parser refuses is read once more without: type parameters and aliases (PEP 695, 3.12), quotes,
backslashes and comments inside f-strings (PEP 701, 3.12), template strings (PEP 750, 3.14) and
bare lists of exceptions (PEP 758, 3.14). Lines stay where they are.
"""

import re
from functools import cache
from typing import Final

_TOKEN: Final = re.compile(
    r"""
    (?P<string>(?P<prefix>[rR][bBfFtT]?|[bBfFtT][rR]?|[uU]|)(?P<quote>\"{3}|'{3}|["']))
    |(?P<name>[^\W\d]\w*)
    |(?P<comment>\#[^\n]*)
    |(?P<gap>[ \t\f]+|\\\r?\n)
    |(?P<line>\n)
    |(?P<open>[\[({])
    |(?P<close>[\])}])
    |(?P<other>[0-9][\w.]*|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_DEFINES: Final = re.compile(r"(?:def|class)[ \t]+[^\W\d]\w*[ \t]*(?=\[)")
_ALIAS: Final = re.compile(r"type[ \t]+([^\W\d]\w*[ \t]*)(?=\[|=(?!=))")
_EXCEPT: Final = re.compile(r"except[ \t]*\*?(?!\w)")
_QUOTES: Final = ('"""', "'''", '"', "'")
"""The quotes of an f-string, of a string in it, of one in that: none ends those around it."""

_FORMATTED: Final = str.maketrans("tT", "ff")


class _UnknownError(Exception):
    """What cannot be written in older syntax."""


def backport(source: bytes) -> bytes | None:
    """Return a module in the syntax of Python 3.11, or None where that cannot be done.

    Any encoding that extends ASCII is kept as it is: nothing but ASCII is looked at.
    """
    try:
        return _Module(source.decode("latin-1")).written().encode("latin-1")
    except (_UnknownError, RecursionError):
        return None


class _Module:
    def __init__(self, text: str) -> None:
        self._text = text

    def written(self) -> str:
        """Return the module in older syntax."""
        parts: list[str] = []
        at, starts = 0, True
        while at < len(self._text):
            part, at, starts = self._next(at, starts=starts)
            parts.append(part)
        return "".join(parts)

    def _next(self, at: int, *, starts: bool) -> tuple[str, int, bool]:
        """Return what stands for the text at a place, where it ends, and if a statement may
        start there."""
        if starts:
            for form, write in (
                (_DEFINES, self._generic), (_ALIAS, self._alias), (_EXCEPT, self._exceptions),
            ):  # fmt: skip
                if found := form.match(self._text, at):
                    part, end = write(found)
                    return part, end, False
        token = self._token(at)
        match token.lastgroup:
            case "string":
                part, end, _ = self._string(token, 0)
                return part, end, False
            case "open":
                part, end = self._bracketed(at)
                return part, end, False
            case "gap":
                return token[0], token.end(), starts
        return token[0], token.end(), token[0] in "\n;:" or token["name"] == "async"

    def _token(self, at: int) -> re.Match[str]:
        found = _TOKEN.match(self._text, at)
        if found is None:
            raise _UnknownError
        return found

    def _bracketed(self, at: int) -> tuple[str, int]:
        """Return what stands for a bracket and all in it, and where it ends."""
        parts, depth = [], 0
        while at < len(self._text):
            token = self._token(at)
            part, end = token[0], token.end()
            if token["string"] is not None:
                part, end, _ = self._string(token, 0)
            depth += (token["open"] is not None) - (token["close"] is not None)
            parts.append(part)
            at = end
            if depth == 0:
                return "".join(parts), at
        raise _UnknownError

    # --------------------------------------------------------------- statements
    def _generic(self, found: re.Match[str]) -> tuple[str, int]:
        dropped, end = self._bracketed(found.end())
        return found[0] + _continued(dropped), end

    def _alias(self, found: re.Match[str]) -> tuple[str, int]:
        dropped, end = "", found.end()
        if self._text[end] == "[":
            dropped, end = self._bracketed(end)
        return found[1] + _continued(dropped), end

    def _exceptions(self, found: re.Match[str]) -> tuple[str, int]:
        """Put a bare list of exceptions into parentheses."""
        parts, at, several = [], found.end(), False
        while (token := self._token(at))["line"] is None and token[0] not in (":", "as"):
            several |= token[0] == ","
            part, at, _ = self._next(at, starts=False)
            parts.append(part)
        listed = "".join(parts)
        return found[0] + (f" ({listed.strip()}) " if several else listed), at

    # ------------------------------------------------------------------ strings
    def _string(self, token: re.Match[str], level: int) -> tuple[str, int, bool]:
        """Return what stands for a string inside of `level` others, its end, if it is newer."""
        if level >= len(_QUOTES):
            raise _UnknownError
        prefix, quote = token["prefix"].lower(), token["quote"]
        parts, end, newer = self._parts(prefix, quote, token.end(), level)
        older = token["prefix"].translate(_FORMATTED)
        newer |= older != token["prefix"]
        if level == 0 and not newer:
            return self._text[token.start() : end], end, False
        plain = _nested if level else _literal
        inner = "".join(part if is_field else plain(part) for part, is_field in parts)
        return f"{older}{_QUOTES[level]}{inner}{_QUOTES[level]}", end, newer

    def _parts(
        self, prefix: str, quote: str, at: int, level: int
    ) -> tuple[list[tuple[str, bool]], int, bool]:
        """Return a string's parts, each with whether it is a field, its end, if one is newer."""
        parts: list[tuple[str, bool]] = []
        newer = False
        stop = _stop(quote, fields=bool({*prefix} & {"f", "t"}), raw="r" in prefix)
        while found := stop.search(self._text, at):
            parts.append((self._text[at : found.start()], False))
            at = found.end()
            if found[0] == quote:
                return parts, at, newer
            if found[0] == "{":
                field, at, is_newer = self._field(at, level, quote)
                parts.append((field, True))
                newer |= is_newer
            else:
                parts.append((found[0], False))
        raise _UnknownError

    def _field(self, start: int, level: int, quote: str) -> tuple[str, int, bool]:
        """Return a replacement field from behind its brace, its end, and if it is newer."""
        parts, depth, newer, at = ["{"], 0, False, start
        while True:
            token = self._token(at)
            part, at = token[0], token.end()
            inner = False
            if token["string"] is not None:
                part, at, inner = self._string(token, level + 1)
            elif token["comment"] is not None or part.startswith("\\"):
                part, inner = "\n" * part.count("\n"), True
            elif depth == 0 and part == ":":
                part, at, inner = self._format(at, level, quote)
            newer |= inner
            depth += (token["open"] is not None) - (token["close"] is not None)
            parts.append(part)
            if depth < 0 or (depth == 0 and token[0] == ":"):
                return "".join(parts), at, newer or _is_newer(self._text[start:at], quote)

    def _format(self, at: int, level: int, quote: str) -> tuple[str, int, bool]:
        """Return a format and the brace behind it, its end, and if a field in it is newer."""
        parts, newer = [":"], False
        while not self._text.startswith("}", at):
            part, end = self._text[at : at + 1], at + 1
            if part in ("", "\n"):
                raise _UnknownError
            if part == "{":
                part, end, inner = self._field(end, level, quote)
                newer |= inner
            parts.append(part)
            at = end
        return "".join([*parts, "}"]), at + 1, newer


def _continued(dropped: str) -> str:
    """Return what keeps the lines of text that is dropped inside of a statement."""
    return "\\\n" * dropped.count("\n")


@cache
def _stop(quote: str, *, fields: bool, raw: bool) -> re.Pattern[str]:
    """Return what finds the next escape, brace or end of a string."""
    if not fields:
        return re.compile(rf"\\.|{quote}", re.DOTALL)
    named = "" if raw else r"\\N\{[^{}]+\}|"
    return re.compile(rf"{named}\\[^{{}}]|{{{{|{{|{quote}", re.DOTALL)


def _is_newer(field: str, quote: str) -> bool:
    """Tell whether Python 3.11 refuses a field in a string with these quotes."""
    return quote in field or "\\" in field or ("\n" in field and len(quote) == 1)


def _literal(text: str) -> str:
    """Return plain text of an f-string that gets other quotes."""
    return text if text.startswith("\\") else text.replace('"', '\\"')


def _nested(text: str) -> str:
    """Return plain text of a string in a field, where older syntax allows less."""
    if text.startswith("\\"):
        return "\n" if text.endswith("\n") else " "
    return re.sub("[\"'{}]", " ", text)
