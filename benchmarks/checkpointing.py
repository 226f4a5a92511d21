"""Saving, loading and the stall of asynchronous saves, side by side, in interleaved rounds.

    python -m benchmarks.checkpointing --megabytes 100 1000 --rounds 7

Every writer saves the same state, a model and its AdamW state, into a new place
on a disk that has nothing left to write. Ratios are medians of the ratios
within a round, so that a neighbour's load meets both sides. Prints JSON.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

import torch
from safetensors.torch import load_file, save_file
from torch.distributed.checkpoint import state_dict_saver as dcp

from codex_ml.checkpointing import CheckpointManager
from codex_ml.checkpointing.background import Staging
from codex_ml.checkpointing.tensors import take_apart

T = TypeVar("T")
State = dict[str, dict[str, Any]]
Seconds = dict[str, list[float]]


def make_state(megabytes: int) -> State:
    """A model of `megabytes` / 3 and two moments of the same size."""
    width, layers = 1024, max(1, round(megabytes * 1e6 / 3 / (1024 * 1024 * 4 + 4096)))

    def tensors() -> dict[str, torch.Tensor]:
        shapes = {"weight": (width, width), "bias": (width,)}
        return {
            f"layers.{layer}.{name}": torch.randn(shape)
            for layer in range(layers)
            for name, shape in shapes.items()
        }

    return {"model": tensors(), "exp_avg": tensors(), "exp_avg_sq": tensors()}


def flat(state: State) -> dict[str, torch.Tensor]:
    """Names over both levels, as safetensors wants them."""
    return {f"{part}.{name}": value for part in state for name, value in state[part].items()}


def nbytes(state: State) -> int:
    """Size of all tensors."""
    return sum(value.nbytes for value in flat(state).values())


def synced(path: Path) -> None:
    """fsync one file."""
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def save_torch(state: State, place: Path) -> None:
    """`torch.save` and fsync."""
    torch.save(state, place / "state.pt")
    synced(place / "state.pt")


def save_safetensors(state: State, place: Path) -> None:
    """`safetensors.torch.save_file` and fsync, without digests."""
    save_file(flat(state), place / "state.safetensors")
    synced(place / "state.safetensors")


def save_dcp(state: State, place: Path) -> None:
    """`torch.distributed.checkpoint.save`, which syncs its files."""
    dcp.save(state, checkpoint_id=str(place), no_dist=True)


def save_ours(state: State, place: Path) -> None:
    """This package: digests, files and directories synced."""
    put(CheckpointManager(place), 1, state)


def put(manager: CheckpointManager, step: int, state: State) -> None:
    """Save without the random generators' state, which the other writers do not save."""
    components: dict[str, Any] = {**state}
    manager.save(step, rng=False, **components)


SAVERS: dict[str, Callable[[State, Path], None]] = {
    "ours": save_ours,
    "torch.save": save_torch,
    "dcp.save": save_dcp,
    "safetensors": save_safetensors,
}


def load_ours(place: Path) -> object:
    """Verify every byte and make every tensor."""
    checkpoint = CheckpointManager(place).load(1)
    return [checkpoint[component] for component in checkpoint.components]


def load_torch(place: Path) -> object:
    """`torch.load(weights_only=True)`."""
    return torch.load(place / "state.pt", weights_only=True)


def load_safetensors(place: Path) -> object:
    """`safetensors.torch.load_file`, which verifies nothing."""
    return load_file(place / "state.safetensors")


def into(load: Callable[[Path], Any], state: State) -> Callable[[Path], object]:
    """Loading, then copying every tensor into one that exists, as a resume does."""
    target = {name: torch.empty_like(value) for name, value in flat(state).items()}

    def work(place: Path) -> object:
        loaded = load(place)
        parts = loaded.values() if isinstance(loaded, dict) else loaded
        values = [value for part in parts for value in part.values()]
        for mine, value in zip(target.values(), values, strict=True):
            mine.copy_(value)
        return target

    return work


@contextmanager
def new_place(root: Path) -> Iterator[Path]:
    """An empty directory, on a disk with nothing left to write."""
    place = Path(tempfile.mkdtemp(dir=root))
    os.sync()
    yield place
    shutil.rmtree(place)


def timed(work: Callable[[], object]) -> float:
    """Seconds that `work` takes, without those to free its result."""
    start = time.perf_counter()
    result = work()
    seconds = time.perf_counter() - start
    del result
    return seconds


def rotated(works: dict[str, T], number: int) -> list[tuple[str, T]]:
    """Another one first in every round: none always follows the same neighbour."""
    items = list(works.items())
    first = number % len(items)
    return items[first:] + items[:first]


def saves(state: State, root: Path, rounds: int) -> Seconds:
    """Time every saver once a round."""
    seconds: Seconds = {name: [] for name in SAVERS}
    for number in range(rounds):
        for name, save in rotated(SAVERS, number):
            with new_place(root) as place:
                seconds[name].append(timed(partial(save, state, place)))
    return seconds


def loads(state: State, root: Path, rounds: int) -> Seconds:
    """Time every loader once a round, from a warm page cache."""
    with new_place(root) as place:
        save_ours(state, place)
        save_torch(state, place)
        save_safetensors(state, place)
        loaders: dict[str, Callable[[Path], object]] = {
            "load ours": load_ours,
            "torch.load": load_torch,
            "load safetensors": load_safetensors,
            "load and copy ours": into(load_ours, state),
            "torch.load and copy": into(load_torch, state),
        }
        seconds: Seconds = {name: [] for name in loaders}
        for number in range(rounds):
            for name, load in rotated(loaders, number):
                seconds[name].append(timed(partial(load, place)))
    return seconds


def stalls(state: State, root: Path, rounds: int) -> Seconds:
    """Time until an asynchronous save returns; the first round, which allocates, is left out."""
    seconds: Seconds = {"async ours": [], "dcp.async_save": [], "one copy": []}
    reused = {name: torch.empty_like(value) for name, value in flat(state).items()}

    def copy() -> None:
        for name, value in flat(state).items():
            reused[name].copy_(value)

    with (
        new_place(root) as place,
        CheckpointManager(place / "ours", asynchronous=True, keep_last=1) as manager,
    ):
        for number in range(rounds + 1):
            taken = timed(partial(put, manager, number, state))
            manager.wait()
            seconds["async ours"].append(taken)
            os.sync()
            seconds["dcp.async_save"].append(_dcp_stall(state, place / f"dcp-{number}"))
            os.sync()
            seconds["one copy"].append(timed(copy))
    return {name: values[1:] for name, values in seconds.items()}


def _dcp_stall(state: State, place: Path) -> float:
    start = time.perf_counter()
    pending = dcp.async_save(state, checkpoint_id=str(place), no_dist=True)
    seconds = time.perf_counter() - start
    assert isinstance(pending, Future)
    pending.result()
    shutil.rmtree(place)
    return seconds


def ratio(seconds: Seconds, slower: str, ours: str) -> float:
    """How many times faster ours is, by round."""
    return round(median(a / b for a, b in zip(seconds[slower], seconds[ours], strict=True)), 2)


def measure(megabytes: int, root: Path, rounds: int) -> dict[str, Any]:
    """Measure one size."""
    state = make_state(megabytes)
    size = nbytes(state) / 1e6
    seconds = saves(state, root, rounds) | loads(state, root, rounds) | stalls(state, root, rounds)
    copies = into_staging(state, rounds)
    return {
        "megabytes": round(size),
        "MB/s": {name: round(size / median(values)) for name, values in seconds.items()},
        "ms": {
            name: round(1000 * median(values), 1) for name, values in (seconds | copies).items()
        },
        "save: times torch.save + fsync": ratio(seconds, "torch.save", "ours"),
        "save: times DCP": ratio(seconds, "dcp.save", "ours"),
        "save: times safetensors + fsync": ratio(seconds, "safetensors", "ours"),
        "verified load: times torch.load": ratio(seconds, "torch.load", "load ours"),
        "verified load and copy: times torch.load and copy": ratio(
            seconds, "torch.load and copy", "load and copy ours"
        ),
        "stall: of DCP async_save": round(1 / ratio(seconds, "dcp.async_save", "async ours"), 2),
        "stall: of one copy": round(1 / ratio(seconds, "one copy", "async ours"), 2),
    }


def into_staging(state: State, rounds: int) -> Seconds:
    """Time the two halves of the stall: taking the state apart, and copying it."""
    staging = Staging()
    parts: Seconds = {"take apart": [], "copy to staging": []}
    for _ in range(rounds + 1):
        start = time.perf_counter()
        components = tuple(take_apart(name, value) for name, value in state.items())
        middle = time.perf_counter()
        staging.copy(components)
        parts["take apart"].append(middle - start)
        parts["copy to staging"].append(time.perf_counter() - middle)
    return {name: values[1:] for name, values in parts.items()}


def commands(root: Path, rounds: int) -> dict[str, float]:
    """Milliseconds of the commands that need no torch, as processes, on a small folder."""
    folder = root / "commands"
    for step in (1, 2):
        CheckpointManager(folder).save(step, model={"w": torch.zeros(1000)}, metrics={"loss": 1})
    lines = {
        "python -c pass": ["-c", "pass"],
        "list": ["-m", "codex_ml", "checkpoint", "list", str(folder)],
        "inspect": ["-m", "codex_ml", "checkpoint", "inspect", str(folder)],
        "verify": ["-m", "codex_ml", "checkpoint", "verify", str(folder)],
        "diff": ["-m", "codex_ml", "checkpoint", "diff", str(folder), str(folder)],
        "prune": ["-m", "codex_ml", "checkpoint", "prune", str(folder), "--keep-last", "9"],
    }
    seconds: Seconds = {name: [] for name in lines}
    for number in range(2 * rounds):
        for name, line in rotated(lines, number):
            work = partial(subprocess.run, [sys.executable, *line], check=True, capture_output=True)
            seconds[name].append(timed(work))
    return {name: round(1000 * median(values)) for name, values in seconds.items()}


def main() -> int:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--folder", type=Path, default=None, help="on the disk to measure")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as root:
        results = [measure(size, Path(root), options.rounds) for size in options.megabytes]
        milliseconds = commands(Path(root), options.rounds)
    print(json.dumps({"sizes": results, "commands: ms": milliseconds}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
