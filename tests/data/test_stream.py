"""Batches: which samples, and going on anywhere."""

import random
from itertools import chain, islice
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from codex_ml.data import BatchStream, DataError


class Numbers:
    """Sample `i` is `i`, in batches."""

    deterministic = True

    def __init__(self, size: int) -> None:
        self.size = size

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: int) -> int:
        return index


class Noisy(Numbers):
    """Sample `i` draws from every global generator."""

    deterministic = False

    def __getitem__(self, index: int) -> Any:
        return index, random.random(), np.random.rand(), torch.rand(())


def take(stream: BatchStream, count: int) -> list[list[int]]:
    return [batch.tolist() for batch in islice(stream, count)]


@given(
    size=st.integers(1, 60),
    batch=st.integers(1, 9),
    seed=st.integers(0, 9),
    first=st.integers(0, 30),
    rest=st.integers(0, 30),
)
def test_going_on_anywhere_repeats_and_skips_nothing(
    size: int, batch: int, seed: int, first: int, rest: int
) -> None:
    whole = take(BatchStream(Numbers(size), batch, seed=seed), first + rest)
    before = BatchStream(Numbers(size), batch, seed=seed)
    start = take(before, first)
    after = BatchStream(Numbers(size), batch, seed=seed)
    after.load_state_dict(before.state_dict())
    assert start + take(after, rest) == whole


@given(size=st.integers(1, 40), batch=st.integers(1, 5), ranks=st.integers(1, 4))
def test_ranks_share_the_global_batch(size: int, batch: int, ranks: int) -> None:
    alone = take(BatchStream(Numbers(size), batch * ranks, seed=1), 12)
    shares = [
        take(BatchStream(Numbers(size), batch, seed=1, rank=rank, world_size=ranks), 12)
        for rank in range(ranks)
    ]
    assert [list(chain(*parts)) for parts in zip(*shares, strict=True)] == alone


def test_an_epoch_visits_every_sample_once() -> None:
    stream = BatchStream(Numbers(24), 4, seed=5)
    assert sorted(chain(*take(stream, 6))) == list(range(24))
    assert stream.epoch == 1.0


@pytest.mark.parametrize("workers", [0, 2])
def test_workers_change_nothing_that_was_prepared_ahead_counts(workers: int) -> None:
    stream = BatchStream(Numbers(50), 4, seed=2, workers=workers)
    plain = BatchStream(Numbers(50), 4, seed=2)
    assert take(stream, 5) == take(plain, 5)
    assert stream.state_dict() == plain.state_dict() == {"position": 20, "samples": 50, "seed": 2}


def test_a_dataset_that_draws_random_numbers_draws_the_same_for_the_same_place() -> None:
    def values(stream: BatchStream, count: int) -> list[Any]:
        return [[part.tolist() for part in batch] for batch in islice(stream, count)]

    whole = values(BatchStream(Noisy(20), 3, seed=7), 6)
    resumed = BatchStream(Noisy(20), 3, seed=7, workers=2)
    resumed.position = 2
    torch.rand(5)
    random.random()
    assert values(resumed, 4) == whole[2:]
    assert whole[0] != whole[1]


def test_the_global_generators_are_left_alone() -> None:
    states = torch.get_rng_state(), random.getstate(), str(np.random.get_state())
    take_any = list(islice(BatchStream(Noisy(20), 3, seed=7), 4))
    list(islice(BatchStream(Noisy(20), 3, seed=7, workers=1), 4))
    assert len(take_any) == 4
    assert torch.equal(torch.get_rng_state(), states[0])
    assert (random.getstate(), str(np.random.get_state())) == states[1:]


@pytest.mark.parametrize(
    ("other", "says"),
    [
        (BatchStream(Numbers(21), 4, seed=1), "is of 20 samples, this dataset has 21"),
        (BatchStream(Numbers(20), 4, seed=2), "is of 1 seed, this dataset has 2"),
        (BatchStream(Numbers(20), 8, seed=1), "inside a global batch of 8"),
    ],
)
def test_a_position_of_something_else_is_refused(other: BatchStream, says: str) -> None:
    stream = BatchStream(Numbers(20), 4, seed=1)
    take(stream, 3)
    with pytest.raises(DataError, match=says):
        other.load_state_dict(stream.state_dict())


def test_an_empty_dataset_is_refused() -> None:
    with pytest.raises(DataError, match="the dataset is empty"):
        BatchStream(Numbers(0), 1)
