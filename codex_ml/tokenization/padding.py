"""Sequences of different lengths as one rectangle with a mask."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from codex_ml.tokenization.errors import TokenizationError

Side = Literal["left", "right"]


class Padded(NamedTuple):
    """A batch of one length; both are (batch, length)."""

    ids: list[list[int]]
    mask: list[list[int]]
    """1 for a token of the text, 0 for padding."""


def pad(
    batch: Sequence[Sequence[int]],
    pad_id: int,
    *,
    length: int | None = None,
    multiple_of: int = 1,
    side: Side = "right",
) -> Padded:
    """Fill every sequence up to one length.

    Args:
        batch: token ids, one sequence per text.
        pad_id: the id to fill with.
        length: the length of the result; by default the longest sequence's.
        multiple_of: round the default length up to a multiple of this.
        side: where the padding goes; ``left`` suits generation.

    Raises:
        TokenizationError: a sequence is longer than `length` (see `truncate`).

    """
    longest = max(map(len, batch), default=0)
    if length is None:
        length = -(-longest // multiple_of) * multiple_of
    if longest > length:
        raise TokenizationError(f"a sequence has {longest} tokens, more than {length}: truncate it")
    blanks = [[pad_id] * (length - len(ids)) for ids in batch]
    gaps = [[0] * len(blank) for blank in blanks]
    ones = [[1] * len(ids) for ids in batch]
    return Padded(_join(batch, blanks, side), _join(ones, gaps, side))


def truncate(
    batch: Sequence[Sequence[int]], length: int, *, side: Side = "right"
) -> list[list[int]]:
    """Cut every sequence to `length` tokens; `side` is the end that is cut off."""
    if side == "right":
        return [list(ids[:length]) for ids in batch]
    return [list(ids[max(0, len(ids) - length) :]) for ids in batch]


def _join(
    parts: Sequence[Sequence[int]], padding: Sequence[list[int]], side: Side
) -> list[list[int]]:
    rows = zip(parts, padding, strict=True)
    if side == "right":
        return [[*part, *blank] for part, blank in rows]
    return [[*blank, *part] for part, blank in rows]
