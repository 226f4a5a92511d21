"""Duplicated code by normalised tokens: renaming and re-formatting do not hide a copy.

A module becomes one string: comments and layout are gone, literals are ``"`` and
``0``, plain identifiers are ``i``; keywords, called names and attributes stay
themselves. Two places are clones when `WINDOW` characters in a row are equal.
Windows start where a line starts, which bounds time and memory to one entry a line.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from keyword import kwlist
from typing import Final, NamedTuple

import msgspec

WINDOW: Final = 120
"""Characters of the shortest clone: about six lines."""

_OPAQUE: Final = re.compile(
    r"#[^\n]*"
    r'|(?i:[rbuf]{0,2})(?:"""(?s:.*?)"""|\'\'\'(?s:.*?)\'\'\'|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\')'
)
_PLAIN: Final = re.compile(rf"(?<![\w.])(?!(?:{'|'.join(kwlist)})\b)[^\W\d]\w*\b(?!\s*\()")
_NUMBER: Final = re.compile(r"(?<![\w.])\d[\w.]*")
_SPACE: Final = str.maketrans("", "", " \t\r\f")


class Stream(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A module's normalised code."""

    codes: str
    starts: tuple[int, ...]
    """Offset in `codes` at which each line of the source starts, blank lines included."""


def stream(text: str) -> Stream:
    """Return the normalised code of Python source text."""
    bare = _OPAQUE.sub(lambda m: "" if m[0][0] == "#" else '"' + "\n" * m[0].count("\n"), text)
    rows = _NUMBER.sub("0", _PLAIN.sub("i", bare)).translate(_SPACE).split("\n")
    starts, offset = [], 0
    for row in rows:
        starts.append(offset)
        offset += len(row)
    return Stream("".join(rows), tuple(starts))


class Region(NamedTuple):
    """A definition whose duplication is asked for; lines are from 1, both included."""

    symbol: str
    path: str
    first: int
    last: int


def shares(streams: Mapping[str, Stream], regions: Iterable[Region]) -> dict[str, float]:
    """Return the duplicated share of each region, 0 to 1, by symbol.

    `streams` holds the normalised code of each file by path; files that are the
    same count as one. A repetition inside one region is no clone of it.
    """
    first = {one.codes: path for path, one in sorted(streams.items(), reverse=True)}
    places: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for codes, path in sorted(first.items(), key=lambda row: row[1]):
        for start in dict.fromkeys(streams[path].starts):
            window = codes[start : start + WINDOW]
            if len(window) == WINDOW:
                places[window].append((path, start))
    return {
        region.symbol: _share(region, first[one.codes], one, places)
        for region in regions
        if (one := streams.get(region.path)) is not None
    }


def _share(
    region: Region, path: str, one: Stream, places: Mapping[str, list[tuple[str, int]]]
) -> float:
    if region.first > len(one.starts):
        return 0.0
    low = one.starts[region.first - 1]
    high = one.starts[region.last] if region.last < len(one.starts) else len(one.codes)
    marked = [False] * (high - low)
    for start in dict.fromkeys(one.starts[region.first - 1 : region.last]):
        if start + WINDOW <= high:
            others = places.get(one.codes[start : start + WINDOW], ())
            if any(other != path or not low <= at < high for other, at in others):
                marked[start - low : start - low + WINDOW] = [True] * WINDOW
    return round(sum(marked) / len(marked), 6) if marked else 0.0
