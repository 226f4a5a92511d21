"""TOML, YAML, JSON and INI files: keys with their lines."""

import json as json_library
import re
import tomllib
from collections.abc import Iterator
from typing import Any, Final

import yaml as yaml_library

from audit.facts.model import DataFacts, Key
from audit.facts.text import decode

MAX_KEYS: Final = 20_000
MAX_NESTING: Final = 400
MAX_VALUE: Final = 6_000
_LOADER: Final = getattr(yaml_library, "CSafeLoader", yaml_library.SafeLoader)
_OPENING: Final = re.compile(rb"[\[{]|- (?=- )|\? ")
_STRING: Final = r'("(?:\\.|[^"\\])*")'
_COMMENT: Final = re.compile(rf"{_STRING}|//[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
_LAST_COMMA: Final = re.compile(rf"{_STRING}|,(?=\s*[}}\]])", re.DOTALL)
_TABLE: Final = re.compile(r"^\s*\[\[?\s*([^\]#]+?)\s*\]\]?")
_TOML_KEY: Final = re.compile(
    r"""^\s*((?:"[^"]*"|'[^']*'|[\w-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[\w-]+))*)\s*="""
)


def yaml(content: bytes) -> DataFacts:
    """Return the keys of every document of a YAML file.

    Nodes are composed, not constructed: no tag runs code and an alias is the
    node that it names, visited once, so an alias bomb costs nothing.

    Raises:
        ValueError: malformed, or nested deeper than `MAX_NESTING`.
    """
    words = decode(content)
    if len(_OPENING.findall(content)) > MAX_NESTING:
        _check_nesting(words)
    keys: list[Key] = []
    seen: set[int] = set()
    try:
        for document in yaml_library.compose_all(words, Loader=_LOADER):
            if document is not None:
                _yaml_keys(document, "", keys, seen)
    except yaml_library.YAMLError as error:
        raise ValueError(_yaml_problem(error)) from None
    return DataFacts(tuple(keys))


def _yaml_problem(error: yaml_library.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or "malformed YAML"
    return f"line {mark.line + 1}: {problem}" if mark is not None else str(problem)


def _check_nesting(words: str) -> None:
    depth = 0
    try:
        for event in yaml_library.parse(words, Loader=_LOADER):
            if isinstance(event, yaml_library.CollectionStartEvent):
                depth += 1
                if depth > MAX_NESTING:
                    raise ValueError(f"nested deeper than {MAX_NESTING} levels")
            elif isinstance(event, yaml_library.CollectionEndEvent):
                depth -= 1
    except yaml_library.YAMLError as error:
        raise ValueError(_yaml_problem(error)) from None


def _yaml_keys(node: Any, path: str, keys: list[Key], seen: set[int]) -> None:
    if len(keys) >= MAX_KEYS:
        return
    if isinstance(node, yaml_library.ScalarNode):
        keys.append(Key(path, node.start_mark.line + 1, node.value[:MAX_VALUE]))
        return
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml_library.SequenceNode):
        for place, item in enumerate(node.value):
            _yaml_keys(item, f"{path}[{place}]", keys, seen)
        return
    for key, value in node.value:
        name = key.value if isinstance(key, yaml_library.ScalarNode) else "?"
        inner = f"{path}.{name}" if path else name
        if not isinstance(value, yaml_library.ScalarNode):
            keys.append(Key(inner, key.start_mark.line + 1))
            _yaml_keys(value, inner, keys, seen)
        else:
            keys.append(Key(inner, key.start_mark.line + 1, value.value[:MAX_VALUE]))


def toml(content: bytes) -> DataFacts:
    """Return the keys of a TOML file.

    Raises:
        ValueError: malformed; the message names line and column.
    """
    words = decode(content)
    table = tomllib.loads(words)
    lines = dict(_toml_lines(words))
    return DataFacts(tuple(_tree_keys(table, "", 1, lines)))


def _toml_lines(words: str) -> Iterator[tuple[str, int]]:
    """Yield the dotted path and line of each table header and key."""
    prefix = ""
    counts: dict[str, int] = {}
    for number, row in enumerate(words.splitlines(), 1):
        if found := _TABLE.match(row):
            prefix = _plain(found[1])
            if row.lstrip().startswith("[["):
                place = counts.get(prefix, 0)
                counts[prefix] = place + 1
                yield prefix, number
                prefix = f"{prefix}[{place}]"
            yield prefix, number
        elif found := _TOML_KEY.match(row):
            name = _plain(found[1])
            yield (f"{prefix}.{name}" if prefix else name), number


def _plain(name: str) -> str:
    return re.sub(r"""["']|\s*(\.)\s*""", r"\1", name)


def _tree_keys(tree: Any, path: str, line: int, lines: dict[str, int]) -> Iterator[Key]:
    line = lines.get(path, line)
    if isinstance(tree, dict):
        if path:
            yield Key(path, line)
        for name, value in tree.items():
            yield from _tree_keys(value, f"{path}.{name}" if path else str(name), line, lines)
    elif isinstance(tree, list):
        if path:
            yield Key(path, line)
        for place, value in enumerate(tree[:MAX_KEYS]):
            yield from _tree_keys(value, f"{path}[{place}]", line, lines)
    else:
        yield Key(path, line, _scalar(tree))


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)[:MAX_VALUE]


def json(content: bytes) -> DataFacts:
    """Return the keys of a JSON file, without array items that are plain values.

    Raises:
        ValueError, RecursionError: malformed or nested beyond reason.
    """
    words = decode(content)
    tree = json_library.loads(words) if words.strip() else None
    keys: list[Key] = []
    cursor = [0, 1]  # offset and its line; keys are met in file order
    _json_keys(tree, "", keys, words, cursor)
    return DataFacts(tuple(keys))


def jsonc(content: bytes) -> DataFacts:
    """Return the keys of a JSON file with comments and trailing commas, as editors write it.

    Raises:
        ValueError, RecursionError: malformed or nested beyond reason.
    """
    words = _COMMENT.sub(_kept, decode(content))
    return json(_LAST_COMMA.sub(_kept, words).encode())


def _kept(found: re.Match[str]) -> str:
    """Keep a string; of all else, leave the lines."""
    return found[1] or "\n" * found[0].count("\n")


def _json_keys(tree: Any, path: str, keys: list[Key], words: str, cursor: list[int]) -> None:
    if len(keys) >= MAX_KEYS // 10:
        return
    if isinstance(tree, dict):
        for name, value in tree.items():
            at = words.find(f'"{name}"', cursor[0])
            if at >= 0:
                cursor[1] += words.count("\n", cursor[0], at)
                cursor[0] = at
            inner = f"{path}.{name}" if path else str(name)
            nested = isinstance(value, dict | list)
            keys.append(Key(inner, cursor[1], "" if nested else _scalar(value)))
            if nested:
                _json_keys(value, inner, keys, words, cursor)
    elif isinstance(tree, list):
        for place, value in enumerate(tree[:200]):
            if isinstance(value, dict | list):
                _json_keys(value, f"{path}[{place}]", keys, words, cursor)
            else:
                keys.append(Key(f"{path}[{place}]", cursor[1], _scalar(value)))


def ini(content: bytes) -> DataFacts:
    """Return sections and keys of an INI file; indented lines continue a value.

    Raises:
        ValueError: not UTF-8, or NUL bytes.
    """
    keys: list[Key] = []
    section = ""
    for number, row in enumerate(decode(content).splitlines(), 1):
        bare = row.strip()
        if not bare or bare[0] in "#;":
            continue
        if bare.startswith("[") and bare.endswith("]"):
            section = bare[1:-1].strip()
            keys.append(Key(section, number))
        elif row[0] in " \t" and keys:
            last = keys[-1]
            keys[-1] = Key(last.path, last.line, f"{last.value}\n{bare}".strip()[:MAX_VALUE])
        else:
            name, _, value = bare.partition("=") if "=" in bare else bare.partition(":")
            path = f"{section}.{name.strip()}" if section else name.strip()
            keys.append(Key(path, number, value.strip()))
    return DataFacts(tuple(keys))
