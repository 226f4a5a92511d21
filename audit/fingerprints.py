"""Names for pieces of evidence that survive moving, renaming a file and reformatting.

A fingerprint is practice + symbol inside its module + normalised content. The content
of Python evidence is its logical line as `clones` normalises code; of other evidence
what the report says of it.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Final, TypeAlias

import msgspec

from audit.clones import Stream
from audit.model import Evidence, PracticeResult

_LAYOUT: Final = re.compile(r'[(),\\]|(?<=")"+')
"""What a formatter adds or takes: brackets around a whole, commas at the end, strings cut."""

Lines: TypeAlias = tuple[tuple[int, str], ...]
"""First line and content of every logical line of a file."""


def stamp(rows: Iterable[PracticeResult], code: Mapping[str, Stream]) -> tuple[PracticeResult, ...]:
    """Return decisions whose evidence carries its fingerprint.

    `code` holds the normalised code of the files that Python evidence lies in, by path.
    """
    lines = {path: logical_lines(stream) for path, stream in code.items()}
    return tuple(_row(row, lines) for row in rows)


def _row(row: PracticeResult, lines: Mapping[str, Lines]) -> PracticeResult:
    found = tuple(_stamped(row.id, one, lines.get(one.path, ())) for one in row.evidence)
    return msgspec.structs.replace(row, evidence=found)


def _stamped(practice: str, one: Evidence, lines: Lines) -> Evidence:
    symbol, content = one.symbol, one.says
    if one.code and lines:
        symbol = one.symbol.partition(":")[2]
        place = bisect_right(lines, one.line, key=lambda row: row[0])
        content = lines[max(place - 1, 0)][1]
    digest = sha256(f"{practice}\0{symbol}\0{content}".encode("utf-8", "replace"))
    return msgspec.structs.replace(one, fingerprint=digest.hexdigest()[:16])


def logical_lines(stream: Stream) -> Lines:
    """Return number (from 1) and content of every logical line, less its layout."""
    ends = (*stream.starts[1:], len(stream.codes))
    found: list[tuple[int, str]] = []
    depth, joined = 0, False
    for number, (start, end) in enumerate(zip(stream.starts, ends, strict=True), 1):
        row = stream.codes[start:end]
        if depth > 0 or joined:
            found[-1] = (found[-1][0], found[-1][1] + row)
        elif row:
            found.append((number, row))
        depth = max(0, depth + sum(map(row.count, "([{")) - sum(map(row.count, ")]}")))
        joined = row.endswith("\\")
    return tuple((number, _LAYOUT.sub("", row)) for number, row in found)
