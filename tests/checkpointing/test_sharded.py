"""Ranks save one checkpoint together, and another number of ranks loads it."""

import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from codex_ml.checkpointing import (
    Checkpoint,
    CheckpointError,
    CheckpointManager,
    MismatchError,
    StorageError,
)
from codex_ml.checkpointing.files import LOCAL, Files
from codex_ml.checkpointing.sharding import Shard
from tests.checkpointing.faults import Fail, HookedFiles


class Threads:
    """One rank of several threads; a stand-in for processes."""

    def __init__(self, rank: int, messages: list[bytes], barrier: threading.Barrier) -> None:
        self.rank, self.size = rank, len(messages)
        self._messages, self._barrier = messages, barrier

    def gather(self, message: bytes) -> tuple[bytes, ...]:
        self._messages[self.rank] = message
        self._barrier.wait()
        everything = tuple(self._messages)
        self._barrier.wait()
        return everything


def on_ranks(size: int, work: Callable[[Threads], None]) -> list[BaseException | None]:
    """Run `work` on every rank; return the errors."""
    messages, barrier = [b""] * size, threading.Barrier(size, timeout=20)
    with ThreadPoolExecutor(size) as pool:
        futures = [pool.submit(work, Threads(rank, messages, barrier)) for rank in range(size)]
        return [future.exception() for future in futures]


def rows(whole: torch.Tensor, rank: int, size: int) -> Shard:
    """This rank's rows, as even as can be."""
    bounds = [len(whole) * place // size for place in range(size + 1)]
    part = whole[bounds[rank] : bounds[rank + 1]]
    return Shard(part, tuple(whole.shape), (bounds[rank], *[0] * (whole.ndim - 1)))


def save_rows(folder: Path, whole: torch.Tensor, size: int) -> None:
    def work(group: Threads) -> None:
        state = {"w": rows(whole, group.rank, group.size), "all": torch.arange(3)}
        CheckpointManager(folder, group=group).save(1, model=state, rng=False)

    assert on_ranks(size, work) == [None] * size


class Holder:
    """An object whose state is a rank's rows."""

    def __init__(self, shard: Shard) -> None:
        self.shard = shard

    def state_dict(self) -> dict[str, Shard]:
        return {"w": self.shard}


@settings(max_examples=25, deadline=None)
@given(
    length=st.integers(0, 9),
    width=st.integers(1, 3),
    old=st.integers(1, 4),
    new=st.integers(1, 5),
)
def test_any_number_of_ranks_loads_what_any_number_saved(
    tmp_path_factory: pytest.TempPathFactory, length: int, width: int, old: int, new: int
) -> None:
    folder = tmp_path_factory.mktemp("run")
    whole = torch.randn(length, width)
    save_rows(folder, whole, old)
    checkpoint = Checkpoint.open(folder / "step-00000001")
    assert torch.equal(checkpoint["model"]["w"], whole)
    for rank in range(new):
        target = rows(torch.zeros(length, width), rank, new)
        part = checkpoint.placed("model", {"model/w": target})["w"]
        assert torch.equal(part.tensor, rows(whole, rank, new).tensor)


def test_each_rank_writes_its_part_and_shares_the_rest(tmp_path: Path) -> None:
    save_rows(tmp_path, torch.randn(4, 2), 2)
    names = sorted(path.name for path in (tmp_path / "step-00000001").iterdir())
    assert names == [
        "manifest.json",
        "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors",
    ]
    checkpoint = Checkpoint.open(tmp_path / "step-00000001")
    assert torch.equal(checkpoint["model"]["all"], torch.arange(3))
    assert checkpoint.manifest.world_size == 2


def test_every_rank_keeps_its_own_random_and_data_state(tmp_path: Path) -> None:
    def work(group: Threads) -> None:
        data = {"at": group.rank, "buffer": torch.full((2,), group.rank)}
        CheckpointManager(tmp_path, group=group).save(1, data=data)

    on_ranks(2, work)
    alone = Checkpoint.open(tmp_path / "step-00000001")
    assert [part["at"] for part in alone.ranks("data")] == [0, 1]
    second = Checkpoint.open(tmp_path / "step-00000001", 1, 2)
    assert second["data"]["buffer"].tolist() == [1, 1]
    with pytest.raises(MismatchError, match="each of 2 ranks saved its own 'data'"):
        alone["data"]


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (lambda _: {"w": Shard(torch.ones(2), (4,), (0,))}, "do not make up the tensor"),
        (lambda rank: {"w": Shard(torch.ones(1), (4,), (rank,))}, "do not make up the tensor"),
        (lambda rank: {"w": Shard(torch.ones(2), (4,), (rank,))}, "do not make up the tensor"),
        (lambda rank: {"w": Shard(torch.ones(2), (4,), (3 * rank,))}, "do not make up the tensor"),
        (lambda rank: {"at": rank}, "disagree about the structure of 'model'"),
    ],
    ids=["twice", "gap", "overlap and gap", "outside", "different values"],
)
def test_parts_that_do_not_fit_are_refused(
    tmp_path: Path, state: Callable[[int], object], message: str
) -> None:
    def work(group: Threads) -> None:
        CheckpointManager(tmp_path, group=group).save(1, model=state(group.rank), rng=False)

    errors = on_ranks(2, work)
    assert all(isinstance(error, CheckpointError) for error in errors)
    assert message in str(errors[0])
    assert not list(tmp_path.iterdir())


def test_a_shard_saved_by_one_rank_alone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MismatchError, match="do not make up the tensor 'model/w'"):
        CheckpointManager(tmp_path).save(1, model={"w": Shard(torch.ones(2), (4,), (0,))})


@pytest.mark.parametrize("failing", [0, 1])
def test_a_rank_that_fails_leaves_no_other_waiting(tmp_path: Path, failing: int) -> None:
    def work(group: Threads) -> None:
        files: Files = HookedFiles(Fail(3, times=99)) if group.rank == failing else LOCAL
        manager = CheckpointManager(tmp_path, group=group, files=files)
        manager.save(1, model={"w": rows(torch.ones(4), group.rank, 2)}, rng=False)

    errors = on_ranks(2, work)
    assert isinstance(errors[failing], StorageError)
    assert f"rank {failing} failed: cannot save" in str(errors[1 - failing])
    assert not list(tmp_path.glob("step-*"))


def test_fsdp_over_real_processes_reshards(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.checkpointing.ranks", str(tmp_path / "run")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr
    told = {path.name: path.read_text() for path in tmp_path.glob("run-*")}
    assert sorted(told) == [
        "run-load-1-0",
        *(f"run-load-3-{rank}" for rank in range(3)),
        *(f"run-save-2-{rank}" for rank in range(2)),
    ]
    assert len(set(told.values())) == 1
