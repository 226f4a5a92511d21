"""Names for pieces of evidence that survive moving, renaming a file and reformatting.

A fingerprint is practice + symbol inside its module + normalised content. The content
of Python evidence is its logical line as `clones` normalises code; of other evidence
what the report says of it.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from hashlib import sha256
from itertools import pairwise
from typing import Final

import msgspec

from audit.clones import Stream
from audit.model import Evidence, PracticeResult

_LAYOUT: Final = re.compile(r'[(),\\]|(?<=")"+')
"""What a formatter adds or takes: brackets around a whole, commas at the end, strings cut."""

_PIN: Final = re.compile(r"@[\w.]+")
"""The version of an action or a hook."""


def stamp(rows: Iterable[PracticeResult], code: Mapping[str, Stream]) -> tuple[PracticeResult, ...]:
    """Return decisions whose evidence carries its fingerprint.

    `code` holds the normalised code of the files that Python evidence lies in, by path.
    """
    return tuple(
        msgspec.structs.replace(
            row, evidence=tuple(_stamped(row.id, one, code.get(one.path)) for one in row.evidence)
        )
        for row in rows
    )


def _stamped(practice: str, one: Evidence, code: Stream | None) -> Evidence:
    symbol, content = (_PIN.sub("@", words) for words in (one.symbol, one.says))
    if one.code and code is not None and one.line <= len(code.starts):
        symbol, content = one.symbol.partition(":")[2], logical_line(code, one.line)
    digest = sha256(f"{practice}\0{symbol}\0{content}".encode("utf-8", "replace"))
    return msgspec.structs.replace(one, fingerprint=digest.hexdigest()[:16])


def logical_line(code: Stream, line: int) -> str:
    """Return the logical line that a line (from 1) is part of, less its layout."""
    rows = _rows(code)
    first, last = line - 1, line
    while first > 0 and (rows[first][1] > 0 or rows[first][2]):
        first -= 1
    while last < len(rows) - 1 and (rows[last][1] > rows[first][1] or rows[last][2]):
        last += 1
    return _LAYOUT.sub("", code.codes[rows[first][0] : rows[last][0]])


@lru_cache(512)
def _rows(code: Stream) -> tuple[tuple[int, int, bool], ...]:
    """Return where each line starts, how many brackets are open there, and whether the line
    before is continued; the end of the code last."""
    found, depth = [(0, 0, False)], 0
    for start, end in pairwise((*code.starts, len(code.codes))):
        row = code.codes[start:end]
        depth += sum(map(row.count, "([{")) - sum(map(row.count, ")]}"))
        found.append((end, depth, row[-1:] == "\\" or (not row and found[-1][2])))
    return tuple(found)
