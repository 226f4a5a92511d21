"""Show that a run that was killed and resumed is, bit by bit, the run that never was.

The run is made twice, in processes of their own: once without a break, once
stopped by signals at arbitrary micro-batches and resumed each time. Both must
leave the same losses and the same checkpoint: every tensor of the model and the
optimizer, the random generators, the position in the data.
"""

import multiprocessing
import os
import random
import signal
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from codex_ml.checkpointing import CheckpointManager
from codex_ml.errors import ExitCode
from codex_ml.tracking import ndjson
from codex_ml.training import rundir
from codex_ml.training.config import Config
from codex_ml.training.errors import TrainingError

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
_TIMING = ("tokens_per_second",)


class Interruption(msgspec.Struct, frozen=True):
    """A signal sent when a micro-batch, counted from the start of the run, is asked for."""

    micro_batch: int
    signal: str


@dataclass(frozen=True, slots=True)
class Proof:
    """What was compared, and what was not equal."""

    steps: int
    interruptions: tuple[Interruption, ...]
    losses: int
    tensors: int
    differences: tuple[str, ...]

    def to_json(self) -> str:
        """Return the proof as a JSON object."""
        return msgspec.json.encode({"equal": self.holds, **msgspec.to_builtins(self)}).decode()

    @property
    def holds(self) -> bool:
        """Whether everything was equal."""
        return not self.differences


def prove(config: Config, *, steps: int, interruptions: int, seed: int = 0) -> Proof:
    """Make the first `steps` steps of a run with and without interruptions, and compare.

    Raises:
        TrainingError: a run failed in another way than by the signal sent.

    """
    steps = min(steps, config.training.steps)
    plan = _plan(steps, config.training.accumulation, interruptions, seed)
    with tempfile.TemporaryDirectory(prefix="codex-ml-prove-") as folder:
        whole, broken = Path(folder, "whole"), Path(folder, "broken")
        _run(config, whole, steps, None)
        for interruption in plan:
            _run(config, broken, steps, interruption)
        _run(config, broken, steps, None)
        return _compare(whole, broken, steps, plan)


def _plan(steps: int, accumulation: int, count: int, seed: int) -> tuple[Interruption, ...]:
    """Micro-batches of different steps in rising order, inside a step where it has several."""
    draw = random.Random(seed)  # noqa: S311  # which steps, not a secret
    chosen = sorted(draw.sample(range(1, steps), min(count, steps - 1)))
    return tuple(
        Interruption(
            step * accumulation + draw.randrange(min(1, accumulation - 1), accumulation),
            SIGNALS[number % len(SIGNALS)].name,
        )
        for number, step in enumerate(chosen)
    )


def _run(config: Config, run: Path, steps: int, interruption: Interruption | None) -> None:
    """Start or resume in a process; it must end by the signal, or in peace without one."""
    log = run.with_suffix(".log")
    # a process that holds nothing but the imports, forked for every run
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["codex_ml.training.run"])
    child = processes.Process(
        target=work, args=(_instrumented(config, run), steps, interruption, log)
    )
    child.start()
    child.join()
    expected: int = ExitCode.OK
    if interruption is not None:
        killed = interruption.signal == "SIGKILL"
        expected = -signal.SIGKILL if killed else ExitCode.INTERRUPTED
    if child.exitcode != expected:
        said = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
        raise TrainingError(f"the run failed: {said[-1] if said else f'exit {child.exitcode}'}")


def _instrumented(config: Config, run: Path) -> Config:
    """The same run, every loss recorded and checkpoints now and then, told to nobody else."""
    plain = msgspec.to_builtins(config)
    plain["run"] = str(run)
    plain["logging"] = {"every": 1}
    plain["checkpoints"] |= {"every": 3, "keep_last": 2}
    return msgspec.convert(plain, Config)


def work(config: Config, steps: int, interruption: Interruption | None, log: Path) -> NoReturn:
    """A child process: train, and meet the signal where the plan says."""
    from codex_ml.cli import guard
    from codex_ml.training.run import train

    os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND), sys.stderr.fileno())

    def trap(batches: Iterator[Any], position: int) -> Iterator[Any]:
        for number, batch in enumerate(batches, position):
            if interruption is not None and number == interruption.micro_batch:
                os.kill(os.getpid(), signal.Signals[interruption.signal])
            yield batch

    sys.exit(guard(lambda: train(config, resume=True, until=steps, watch=trap)))


def _compare(whole: Path, broken: Path, steps: int, plan: tuple[Interruption, ...]) -> Proof:
    first, second = (_records(run) for run in (whole, broken))
    differences = [
        f"record {number}: {one} and {other}"
        for number, (one, other) in enumerate(zip_longest(first, second), 1)
        if one != other
    ]
    one, other = (_state(run, steps) for run in (whole, broken))
    differences += [
        f"{name}: {one.get(name)} and {other.get(name)}"
        for name in sorted(one.keys() | other.keys())
        if one.get(name) != other.get(name)
    ]
    tensors = len(CheckpointManager(whole / rundir.CHECKPOINTS).load().manifest.tensors)
    losses = sum("loss" in record for record in first)
    return Proof(steps, plan, losses, tensors, tuple(differences))


def _records(run: Path) -> list[dict[str, Any]]:
    records = ndjson.read(run / ndjson.FILE)
    return [
        {key: value for key, value in record.items() if key not in _TIMING} for record in records
    ]


def _state(run: Path, steps: int) -> dict[str, Any]:
    """What a run's last checkpoint holds, tensors by the digests of their verified bytes."""
    checkpoint = CheckpointManager(run / rundir.CHECKPOINTS).load(steps)
    tensors = {
        f"tensor {entry.name}": (
            entry.dtype,
            entry.shape,
            tuple(chunk.digest for chunk in entry.chunks),
        )
        for entry in checkpoint.manifest.tensors
    }
    return tensors | {f"state {name}": part for name, part in checkpoint.manifest.state.items()}
