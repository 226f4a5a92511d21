"""The learning rate: up along a line, down along a cosine."""

from hypothesis import given
from hypothesis import strategies as st

from codex_ml.training.config import Optimizer
from codex_ml.training.schedule import learning_rate


@given(steps=st.integers(2, 500), warmup=st.integers(0, 100))
def test_the_rate_rises_then_falls_to_its_end(steps: int, warmup: int) -> None:
    config = Optimizer(lr=1.0, min_lr=0.1, warmup=warmup)
    rates = [learning_rate(step, steps, config) for step in range(steps)]
    assert all(0 < rate <= 1 for rate in rates)
    assert rates[:warmup] == sorted(rates[:warmup])
    assert rates[warmup:] == sorted(rates[warmup:], reverse=True)
    if warmup < steps - 1:
        assert rates[warmup] == 1
        assert abs(rates[-1] - 0.1) < 1e-12


def test_half_way_down_is_half_way_between() -> None:
    config = Optimizer(lr=1.0, min_lr=0.0, warmup=10)
    assert abs(learning_rate(10 + 50, 111, config) - 0.5) < 1e-12
    assert learning_rate(0, 111, config) == 1 / 11
