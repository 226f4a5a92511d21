"""The order of samples: a permutation an epoch, known at any position."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codex_ml.data import Order

SIZES = st.integers(1, 300)
SEEDS = st.integers(0, 2**63 - 1)


def at(order: Order, start: int, count: int) -> list[int]:
    found: list[int] = order.at(np.arange(start, start + count, dtype=np.uint64)).tolist()
    return found


@given(size=SIZES, seed=SEEDS, epoch=st.integers(0, 2**20), shuffle=st.booleans())
def test_every_epoch_visits_every_sample_once(
    size: int, seed: int, epoch: int, shuffle: bool
) -> None:
    assert sorted(at(Order(size, seed, shuffle), epoch * size, size)) == list(range(size))


@given(size=SIZES, seed=SEEDS, start=st.integers(0, 1000), cut=st.integers(0, 50))
def test_a_position_gives_the_same_sample_whenever_it_is_asked_for(
    size: int, seed: int, start: int, cut: int
) -> None:
    order = Order(size, seed)
    assert at(order, start, 50) == at(order, start, cut) + at(order, start + cut, 50 - cut)


def test_epochs_and_seeds_differ_and_no_shuffle_is_in_order() -> None:
    size = 200
    orders = {
        tuple(at(Order(size, seed), epoch * size, size)) for seed in (1, 2) for epoch in (0, 1)
    }
    assert len(orders) == 4
    assert at(Order(size, 1, shuffle=False), 0, 2 * size) == [*range(size), *range(size)]


@pytest.mark.parametrize("size", [1000, 1024, 1025])
def test_the_shuffle_looks_random(size: int) -> None:
    """Of a random permutation's pairs, half rise, and about one sample stays where it is."""
    orders = np.array([at(Order(size, seed), 0, size) for seed in range(40)])
    rising = (orders[:, 1:] > orders[:, :-1]).mean()
    fixed = (orders == np.arange(size)).sum(1).mean()
    assert abs(rising - 0.5) < 0.02
    assert 0.3 < fixed < 2.5
    # where a sample lands is uniform: 40 draws of a mean with sd 0.29 / sqrt(40)
    assert abs(orders[:, 0].mean() / size - 0.5) < 0.2


def test_a_huge_dataset_costs_no_memory() -> None:
    order = Order(10**15, 3)
    assert len(set(at(order, 10**14, 1000))) == 1000
