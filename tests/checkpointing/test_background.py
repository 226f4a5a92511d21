"""Saving in the background: a copy, one thread, errors at the next call."""

import errno
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from codex_ml.checkpointing import CheckpointManager, CheckpointNotFoundError, StorageError
from codex_ml.checkpointing.background import Staging
from codex_ml.checkpointing.tensors import take_apart
from tests.checkpointing.faults import Fail, HookedFiles


class Gate:
    """A hook that holds up every sync until it is opened."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.reached = threading.Event()

    def __call__(self, operation: str, path: Path) -> None:  # noqa: ARG002
        if operation == "sync":
            self.reached.set()
            assert self.open.wait(20)


def test_a_slow_disk_holds_up_neither_training_nor_readers(tmp_path: Path) -> None:
    gate = Gate()
    manager = CheckpointManager(tmp_path, asynchronous=True, files=HookedFiles(gate))
    weight = torch.ones(3)
    manager.save(1, value=weight, rng=False)
    weight.zero_()  # training goes on
    assert gate.reached.wait(20)
    with pytest.raises(CheckpointNotFoundError):
        CheckpointManager(tmp_path).load()
    assert not (tmp_path / "last").is_symlink()
    gate.open.set()
    manager.close()
    assert torch.equal(CheckpointManager(tmp_path).load()["value"], torch.ones(3))
    assert (tmp_path / "last").is_symlink()


@pytest.mark.parametrize("call", ["save", "load", "wait", "close"])
def test_an_error_surfaces_at_the_next_call_once(tmp_path: Path, call: str) -> None:
    files = HookedFiles(Fail(4, errno.ENOSPC))
    manager = CheckpointManager(tmp_path, asynchronous=True, files=files)
    manager.save(1, value=1)
    with pytest.raises(StorageError, match="No space left on device"):
        manager.save(2, value=2) if call == "save" else getattr(manager, call)()
    if call != "close":
        manager.save(3, value=3)
        manager.close()
        assert CheckpointManager(tmp_path).load().step == 3


FORGETFUL = """
import errno, sys
from pathlib import Path
from codex_ml.checkpointing import CheckpointManager
from tests.checkpointing.faults import Fail, HookedFiles

files = HookedFiles(Fail(4, errno.ENOSPC))
manager = CheckpointManager(Path(sys.argv[1]), asynchronous=True, files=files)
manager.save(1, value=1, rng=False)
"""


@pytest.mark.parametrize("end", ["", "del manager"], ids=["the program ends", "the manager goes"])
def test_an_error_that_no_call_can_raise_is_said(tmp_path: Path, end: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORGETFUL + end, str(tmp_path)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == ""
    assert done.stderr.count("error: a checkpoint was not saved, and nobody waited: ") == 1
    assert "No space left on device" in done.stderr
    assert done.stderr.count("\n") == 1


def test_an_interrupted_wait_is_waited_for_again(tmp_path: Path) -> None:
    gate = Gate()
    manager = CheckpointManager(tmp_path, asynchronous=True, files=HookedFiles(gate))
    manager.save(1, value=torch.ones(1000), rng=False)
    assert gate.reached.wait(20)
    with alarm(0.05), pytest.raises(KeyboardInterrupt):
        manager.save(2, value=torch.zeros(1000), rng=False)
    threading.Timer(0.1, gate.open.set).start()
    manager.save(3, value=torch.zeros(1000), rng=False)  # must not write into what is saved
    manager.close()
    assert manager.steps == (1, 3)
    assert torch.equal(manager.load(1)["value"], torch.ones(1000))


@contextmanager
def alarm(seconds: float) -> Iterator[None]:
    """Press Ctrl-C in a moment."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_a_closed_manager_saves_again(tmp_path: Path) -> None:
    manager = CheckpointManager(tmp_path, asynchronous=True)
    for step in (1, 2):
        manager.save(step, value=step)
        manager.close()
    assert manager.steps == (1, 2)


def test_what_cannot_be_saved_is_refused_at_once(tmp_path: Path) -> None:
    with (
        CheckpointManager(tmp_path, asynchronous=True) as manager,
        pytest.raises(Exception, match="has no exact form"),
    ):
        manager.save(1, value=object())


def test_the_buffer_is_reused_and_grows() -> None:
    staging = Staging()
    small = take_apart("a", {"x": torch.arange(10), "y": torch.empty(0)})
    large = take_apart("a", {"x": torch.arange(1000), "t": torch.arange(6).reshape(2, 3).t()})

    def address(copied: object) -> int:
        return copied[0].blocks[0].tensor.data_ptr()  # type: ignore[index,no-any-return]

    first, second = staging.copy((small,)), staging.copy((small,))
    assert address(first) == address(second)
    third = staging.copy((large,))
    assert [block.tensor.tolist() for block in third[0].blocks] == [
        list(range(1000)),
        [[0, 3], [1, 4], [2, 5]],
    ]
    assert address(staging.copy((small,))) == address(third)
