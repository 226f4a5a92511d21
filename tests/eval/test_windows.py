"""Each token is predicted exactly once, with as much context as fits."""

from hypothesis import given
from hypothesis import strategies as st

from codex_ml.evaluation.windows import Window, windows


def test_a_short_text_is_one_window() -> None:
    assert windows(5, 1, 8, 8) == (Window(0, 5, 4),)


def test_the_last_window_reaches_back() -> None:
    assert windows(8, 1, 4, 4) == (Window(0, 5, 4), Window(3, 8, 3))


def test_a_smaller_stride_gives_more_context() -> None:
    assert windows(7, 1, 4, 2) == (Window(0, 3, 2), Window(0, 5, 2), Window(2, 7, 2))


def test_nothing_to_predict() -> None:
    assert windows(1, 1, 4, 4) == ()


@given(
    length=st.integers(1, 200), first=st.integers(1, 200), block=st.integers(1, 50), data=st.data()
)
def test_every_token_is_scored_once(
    length: int, first: int, block: int, data: st.DataObject
) -> None:
    stride = data.draw(st.integers(1, block))
    found = windows(length, first, block, stride)
    scored = [token for one in found for token in range(one.end - one.scored, one.end)]
    assert scored == list(range(first, length))
    for one in found:
        assert one.start >= 0
        assert one.end - one.start <= block + 1
        assert one.end - one.start > one.scored  # something comes before what is predicted
        assert one.start == 0 or one.end - one.start == block + 1
