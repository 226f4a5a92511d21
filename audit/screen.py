"""Lines of a terminal: harmless, 80 columns wide, broken between words that stay whole."""

import re
import textwrap
from collections.abc import Iterable
from typing import Final

from audit.visible import visible

COLUMNS: Final = 80
_TIED: Final = "\x00"  # a blank that is no place to break; `visible` leaves none in a text


def fit(line: str) -> str:
    """Make a line harmless and cut it to `COLUMNS`, at a word, visibly."""
    line = visible(line)
    if len(line) <= COLUMNS:
        return line
    return (line[: COLUMNS - 1].rpartition(" ")[0].rstrip() or line[: COLUMNS - 1]) + "…"


def wrap(line: str, hang: int, whole: Iterable[str] = ()) -> list[str]:
    """Make a line harmless and break it at `COLUMNS`, further lines indented by `hang`.

    A word is never cut: a path, symbol or URL that is wider than the terminal stands on a line
    of its own. Neither is what stands in backticks, nor any of `whole`: paths with blanks.
    """
    line = visible(line)
    for one in sorted({visible(one) for one in whole if " " in one}, key=len, reverse=True):
        line = line.replace(one, one.replace(" ", _TIED))
    line = re.sub(r"`[^`]*`", lambda found: found[0].replace(" ", _TIED), line)
    rows = textwrap.wrap(
        line, COLUMNS, subsequent_indent=" " * hang, break_long_words=False, break_on_hyphens=False
    )
    return [row.replace(_TIED, " ") for row in rows]
