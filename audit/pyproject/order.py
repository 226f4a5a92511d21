"""The canonical order of tables, keys and requirements.

Slots stay, pieces move: the blank lines between two pieces belong to the place
in the file, the comments to the piece. A file already in order does not change.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, TypeAlias

from audit.pyproject.scan import Names, Statement, Value, statements

Span: TypeAlias = tuple[int, int]

TABLES: Final = ("build-system", "project", "dependency-groups")
"""Then other tables, then `tool`, whose tables keep their order."""
BUILD_SYSTEM: Final = ("requires", "build-backend", "backend-path")  # PEP 518
# The order in which the specification of [project] (PEP 621 and its successors) lists them.
PROJECT: Final = (
    "name", "version", "description", "readme", "requires-python", "license", "license-files",
    "authors", "maintainers", "keywords", "classifiers", "urls", "scripts", "gui-scripts",
    "entry-points", "dependencies", "optional-dependencies", "import-names", "import-namespaces",
    "dynamic",
)  # fmt: skip

_LINES: Final = re.compile(r"[^\n]*\n|[^\n]+\Z")
_FIRST_GAP: Final = re.compile(r"[ \t]*(?:#[^\n]*)?\s*")
_GAP: Final = re.compile(r"(?P<before>\s*,)?(?P<beside>(?:[ \t]*#[^\r\n]*)?)(?P<after>\s*)")


@dataclass(frozen=True, slots=True)
class Piece:
    """A statement with the comments that belong to it, whole lines without the last line's end."""

    statement: Statement
    start: int
    end: int


def permute(text: str, slots: Sequence[Span], pieces: Sequence[Span]) -> str:
    """Return the text with each slot holding another piece of it.

    `slots` are disjoint and ascending, `pieces` a permutation of them.
    """
    parts: list[str] = []
    at = 0
    for (start, end), piece in zip(slots, pieces, strict=True):
        parts += (text[at:start], text[slice(*piece)])
        at = end
    return "".join((*parts, text[at:]))


def tables(text: str) -> str:
    """Return the document with its tables in canonical order."""
    pieces = _pieces(text)
    blocks = [
        (pieces[head].statement.path, (pieces[head].start, pieces[end - 1].end))
        for head, end in _tables(pieces)
    ]
    rank = _table_rank([path for path, _ in blocks])
    return permute(text, [span for _, span in blocks], [s for _, s in _sorted(blocks, rank)])


def keys(text: str) -> str:
    """Return the document with the keys of [build-system] and [project] in canonical order."""
    for table, names in (("build-system", BUILD_SYSTEM), ("project", PROJECT)):
        rows = [
            (piece.statement.path[1:], (piece.start, piece.end))
            for piece in _body(_pieces(text), (table,))
        ]
        order = _sorted(rows, lambda path, names=names: _index(names, path[0]))  # type: ignore[misc]
        text = permute(text, [span for _, span in rows], [span for _, span in order])
    return text


def elements(text: str, array: Value, rank: Callable[[Value], Any]) -> str:
    """Return the document with an array's elements sorted.

    A comment on an element's line moves with it. An array that has a comment on
    a line of its own keeps its order: what the comment speaks of is not known.
    """
    values = [item.value for item in array.items]
    if not values or not _FIRST_GAP.fullmatch(text, array.start + 1, values[0].start):
        return text
    stops = [*(value.start for value in values[1:]), array.end - 1]
    gaps = [_GAP.fullmatch(text, v.end, stop) for v, stop in zip(values, stops, strict=True)]
    found = [gap for gap in gaps if gap]
    ragged = any(gap["beside"] for gap in found) and not all("\n" in gap["after"] for gap in found)
    if len(found) < len(values) or ragged:
        return text
    order = sorted(range(len(values)), key=lambda n: rank(values[n]))
    pairs = [((v.start, v.end), gap.span("beside")) for v, gap in zip(values, found, strict=True)]
    return permute(text, [s for p in pairs for s in p], [s for n in order for s in pairs[n]])


def _sorted(
    rows: list[tuple[Names, Span]], rank: Callable[[Names], Any]
) -> list[tuple[Names, Span]]:
    return sorted(rows, key=lambda row: rank(row[0]))


def _index(names: Sequence[str], name: str) -> int:
    return names.index(name) if name in names else len(names)


def _table_rank(paths: list[Names]) -> Callable[[Names], tuple[int, ...]]:
    """Return the rank of a table: by its kind, then next to its relatives."""
    seen = {path[:2]: place for place, path in reversed(list(enumerate(paths)))}
    first = {path[:1]: place for place, path in reversed(list(enumerate(paths)))}

    def rank(path: Names) -> tuple[int, ...]:
        match path:
            case ("project", *inner):
                return 1, 0, _index(PROJECT, inner[0]) if inner else -1
            case ("tool", *_):
                return len(TABLES) + 1, 0, seen[path[:2]]
            case _:
                return _index(TABLES, path[0]), first[path[:1]], 0

    return rank


def _tables(pieces: list[Piece]) -> Iterable[tuple[int, int]]:
    """Return where each table begins, with its header, and ends."""
    heads = [n for n, piece in enumerate(pieces) if piece.statement.value is None]
    return pairwise([*heads, len(pieces)])


def _body(pieces: list[Piece], table: Names) -> list[Piece]:
    """Return the keys that stand under one header."""
    for head, end in _tables(pieces):
        if pieces[head].statement.path == table:
            return pieces[head + 1 : end]
    return []


def _pieces(text: str) -> list[Piece]:
    """Return every statement with its comments.

    A block of comment lines belongs to the statement right below it; else to
    the one right above it; else, with blank lines on both sides, to the next.
    A block at the top of the file, with a blank line below, is the file's own.
    """
    found = list(statements(text))
    bounds = [[_line_start(text, one.start), one.end] for one in found]
    for number in range(len(found) + 1):
        above = found[number - 1].end if number else 0
        below = bounds[number][0] if number < len(found) else len(text)
        blocks = _comment_blocks(text, above, below)
        if blocks and number < len(found) and (own := _of_next(blocks, above, below, text)):
            bounds[number][0] = own[0][0]
            blocks = blocks[: -len(own)]
        if blocks and number:
            bounds[number - 1][1] = blocks[-1][1]
    return [Piece(one, start, end) for one, (start, end) in zip(found, bounds, strict=True)]


def _of_next(blocks: list[Span], above: int, below: int, text: str) -> list[Span]:
    """Return the blocks that belong to the statement below them."""
    touches_below = text[blocks[-1][1] : below].count("\n") <= 1
    touches_above = text[above : blocks[0][0]].count("\n") <= 1
    if touches_above and not (len(blocks) == 1 and touches_below):
        return blocks[1:]
    return blocks


def _line_start(text: str, at: int) -> int:
    return text.rfind("\n", 0, at) + 1


def _comment_blocks(text: str, start: int, end: int) -> list[Span]:
    """Return the runs of comment lines in a stretch of blank lines and comments."""
    blocks: list[Span] = []
    joined = False
    for line in _LINES.finditer(text, start, end):
        content = line[0].strip()
        if content:
            stop = line.end() - (len(line[0]) - len(line[0].rstrip("\r\n")))
            blocks.append((blocks.pop()[0], stop) if joined else (line.start(), stop))
        joined = bool(content)
    return blocks
