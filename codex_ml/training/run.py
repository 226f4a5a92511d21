"""From a configuration to a finished run."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from codex_ml import distributed, plugins
from codex_ml.checkpointing import CheckpointManager, CheckpointNotFoundError
from codex_ml.checkpointing.group import SOLO, Group
from codex_ml.tracking.base import Tracker
from codex_ml.tracking.ndjson import Ndjson
from codex_ml.tracking.progress import ProgressLine
from codex_ml.training import components, rundir
from codex_ml.training.assembly import Parts, assemble
from codex_ml.training.config import Config
from codex_ml.training.environment import environment
from codex_ml.training.errors import TrainingError
from codex_ml.training.loop import Loop, Result
from codex_ml.training.reproducibility import seed_everything

Watch = Callable[[Iterator[Any], int], Iterator[Any]]


def train(
    config: Config, *, resume: bool = False, until: int | None = None, watch: Watch | None = None
) -> Result:
    """Train in ``config.run``; with `resume`, go on from its newest intact checkpoint.

    Args:
        config: the run's configuration.
        resume: go on with the run in the directory; if there is none yet, start it.
        until: stop, and save, after this step instead of the last.
        watch: wraps the iterator over micro-batches; also gets the first one's number.

    Raises:
        CodexError: the run cannot start or go on; says why.
        Interrupted: SIGTERM or SIGINT came; the step was finished and saved.

    """
    device = config.training.device.partition(":")[0]
    with distributed.session("cuda" if device == "cuda" else "cpu"), ExitStack() as stack:
        run = Path(config.run)
        tokenizer = components.tokenizer(config.tokenizer)
        if distributed.is_main():
            stack.enter_context(rundir.locked(run))
            rundir.check(run, config, tokenizer, resume=resume)
        distributed.barrier()
        parts = assemble(config, tokenizer, run)
        manager = stack.enter_context(_manager(parts))
        if resume:
            _restore(parts, manager)
        trackers = _trackers(parts) if distributed.is_main() else []
        for tracker in trackers:
            stack.callback(tracker.close)
        if distributed.is_main():
            rundir.start(run, config, tokenizer)
        return Loop(parts, manager, trackers).run(until, watch)


def _manager(parts: Parts) -> CheckpointManager:
    config = parts.config.checkpoints
    evaluates = parts.validation is not None and parts.config.evaluation.every > 0
    return CheckpointManager(
        parts.run / rundir.CHECKPOINTS,
        keep_last=config.keep_last,
        keep_best=config.keep_best if evaluates else 0,
        metric="validation_loss" if evaluates else None,
        asynchronous=config.asynchronous,
        group=_Ranks() if distributed.world_size() > 1 else SOLO,
    )


def _restore(parts: Parts, manager: CheckpointManager) -> None:
    """Give every part its state back; without a checkpoint the run starts at step 0."""
    try:
        checkpoint = manager.load("latest")
    except CheckpointNotFoundError:
        return
    if (found := checkpoint.digests.get("tokenizer")) != parts.tokenizer.digest:
        raise TrainingError(
            f"{checkpoint.path}: was saved with tokenizer {found}, this is "
            f"{parts.tokenizer.digest}: resume with the tokenizer of the start"
        )
    same_ranks = checkpoint.manifest.world_size == distributed.world_size()
    if not same_ranks:  # nobody's generators to go on with: dropout starts anew on every rank
        seed_everything(parts.config.seed + 1 + distributed.rank() + checkpoint.step)
    manager.restore(
        checkpoint.path,
        rng=same_ranks,
        model=parts.model,
        optimizer=parts.optimizer,
        stream=parts.stream,
        progress=parts.progress,
        callbacks=parts.callbacks,
    )


def _trackers(parts: Parts) -> list[Tracker]:
    step = parts.progress.step
    rundir.record_environment(parts.run, step, environment())
    given = parts.run, parts.plain_config, step
    return [
        Ndjson(*given),
        ProgressLine(parts.config.training.steps),
        *(plugins.get("trackers", name)(*given) for name in parts.config.logging.trackers),
    ]


class _Ranks:
    """The ranks as the group of processes that saves one checkpoint."""

    @property
    def rank(self) -> int:
        return distributed.rank()

    @property
    def size(self) -> int:
        return distributed.world_size()

    def gather(self, message: bytes) -> tuple[bytes, ...]:
        return tuple(distributed.gather_objects(message))


_: type[Group] = _Ranks
