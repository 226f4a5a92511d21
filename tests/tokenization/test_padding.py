"""Rectangles with masks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codex_ml.tokenization import TokenizationError, pad, truncate

BATCHES = st.lists(st.lists(st.integers(0, 9), max_size=6), max_size=5)
SIDES = st.sampled_from(["left", "right"])


@given(batch=BATCHES, side=SIDES, multiple_of=st.integers(1, 4))
def test_the_mask_gives_the_batch_back(batch: list[list[int]], side: str, multiple_of: int) -> None:
    padded = pad(batch, 99, side=side, multiple_of=multiple_of)  # type: ignore[arg-type]
    kept = [
        [token for token, keep in zip(ids, mask, strict=True) if keep]
        for ids, mask in zip(padded.ids, padded.mask, strict=True)
    ]
    assert kept == batch
    lengths = {len(ids) for ids in padded.ids}
    assert len(lengths) <= 1
    assert all(length % multiple_of == 0 for length in lengths)


@pytest.mark.parametrize(
    ("side", "ids", "mask"),
    [
        ("right", [[1, 2, 3], [4, 0, 0]], [[1, 1, 1], [1, 0, 0]]),
        ("left", [[1, 2, 3], [0, 0, 4]], [[1, 1, 1], [0, 0, 1]]),
    ],
)
def test_padding_goes_where_asked(side: str, ids: list[list[int]], mask: list[list[int]]) -> None:
    assert pad([[1, 2, 3], [4]], 0, side=side) == (ids, mask)  # type: ignore[arg-type]


def test_a_given_length_is_kept_or_refused() -> None:
    assert pad([[1]], 0, length=3).ids == [[1, 0, 0]]
    with pytest.raises(TokenizationError, match="has 4 tokens, more than 3"):
        pad([[1, 2, 3, 4]], 0, length=3)


@pytest.mark.parametrize(("side", "kept"), [("right", [1, 2]), ("left", [3, 4])])
def test_truncation_cuts_the_named_end(side: str, kept: list[int]) -> None:
    assert truncate([[1, 2, 3, 4], [5]], 2, side=side) == [kept, [5]]  # type: ignore[arg-type]
