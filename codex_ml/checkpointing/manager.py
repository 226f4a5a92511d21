"""`CheckpointManager`: save, load, restore and tidy up one folder of checkpoints."""

import os
import warnings
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

from codex_ml.checkpointing import upkeep
from codex_ml.checkpointing.background import Background, Foreground, Saver
from codex_ml.checkpointing.errors import (
    CheckpointNotFoundError,
    CheckpointWarning,
    DamagedCheckpointError,
    StorageError,
)
from codex_ml.checkpointing.files import LOCAL, Files
from codex_ml.checkpointing.folder import scan
from codex_ml.checkpointing.group import SOLO, Group, agree
from codex_ml.checkpointing.reader import Checkpoint
from codex_ml.checkpointing.remote import Remote
from codex_ml.checkpointing.retention import Retention
from codex_ml.checkpointing.selecting import choose, request

if TYPE_CHECKING:
    from codex_ml.checkpointing.writer import Draft

Which = str | int | Path


class CheckpointManager:
    """Saves to and loads from one folder; several processes may share it.

    Args:
        folder: made when the first checkpoint is saved.
        keep_last: keep this many most recently saved checkpoints; None keeps all.
        keep_best: keep this many more, the best by `metric`.
        metric: name of the metric that decides what is best.
        mode: whether a smaller (``min``) or a larger (``max``) metric is better;
            equal is not better, and what is not finite never is.
        asynchronous: return from `save` when the state is copied in memory, and
            write behind; an error is raised by the next call.
        remote: where fsspec finds a second folder, such as ``s3://bucket/run``;
            every checkpoint is uploaded there once it is durable here, and
            loaded from there when none here verifies.
        group: the processes that save together.
        files: the operations that change the disk, replaceable for tests.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        keep_last: int | None = None,
        keep_best: int = 0,
        metric: str | None = None,
        mode: Literal["min", "max"] = "min",
        asynchronous: bool = False,
        remote: str | None = None,
        group: Group = SOLO,
        files: Files = LOCAL,
    ) -> None:
        self.folder = Path(folder)
        self._retention = Retention.of(keep_last, keep_best, metric, mode)
        self._group = group
        self._files = files
        self._remote = None if remote is None else Remote(remote, files)
        self._saver: Saver = Background() if asynchronous else Foreground()
        if group.rank == 0 and self.folder.is_dir():
            with suppress(OSError):  # a folder to read from need not be writable
                upkeep.tidy_up(files, self.folder)

    @property
    def steps(self) -> tuple[int, ...]:
        """The steps saved in the folder, in ascending order; their bytes are not verified."""
        return tuple(sorted({item.step for item in scan(self.folder).stored}))

    def save(
        self,
        step: int,
        *,
        model: object = None,
        optimizer: object = None,
        scheduler: object = None,
        scaler: object = None,
        rng: bool = True,
        data: object = None,
        config: object = None,
        metrics: Mapping[str, float] | None = None,
        digests: Mapping[str, str] | None = None,
        overwrite: bool = False,
        **state: object,
    ) -> None:
        """Save everything that is not None, durably: when this returns, it is on disk.

        An object with a `state_dict` method is asked for its state; anything
        else is the state. `digests` names the files that the state depends on,
        such as ``{"tokenizer": "sha256:..."}``.

        Raises `UnsupportedStateError` before writing for a value that cannot
        come back exactly, `CheckpointExistsError` for a step that is already
        saved (unless `overwrite`), `StorageError` where the disk refuses; what
        was saved before stays as it was.
        """
        from codex_ml.checkpointing.capture import draft

        self.wait()
        parts = {"model": model, "optimizer": optimizer, "scheduler": scheduler, "scaler": scaler}
        prepared = draft(
            step,
            parts | {"data": data} | state,
            rng=rng,
            config=config,
            metrics=metrics,
            selection=self._retention.selection,
            digests=digests,
            overwrite=overwrite,
            group=self._group,
        )
        self._saver.run(prepared, self._write)

    def load(
        self, which: Which = "latest", components: Collection[str] | None = None
    ) -> Checkpoint:
        """Open ``latest``, ``best``, a step or a path, verified; tensors are read when used.

        `components` limits what is verified now; the rest is when it is used.
        A damaged newest checkpoint is named in a `CheckpointWarning`, and the
        newest that verifies is returned. Raises `CheckpointNotFoundError`,
        `DamagedCheckpointError` or `SchemaVersionError`.
        """
        self.wait()

        def chosen() -> bytes:
            return bytes(self._choose(which, components).path) if self._group.rank == 0 else b""

        if self._group.size == 1:
            return self._choose(which, components)
        path = Path(os.fsdecode(agree(self._group, chosen)[0]))
        return Checkpoint.open(path, self._group.rank, self._group.size)

    def restore(
        self,
        which: Which = "latest",
        *,
        model: Any = None,
        optimizer: Any = None,
        scheduler: Any = None,
        scaler: Any = None,
        rng: bool = True,
        data: Any = None,
        **objects: Any,
    ) -> Checkpoint:
        """Load a checkpoint and give every object that is not None its state back.

        Each object's `load_state_dict` is called; random generators are set
        last. Raises as `load`, and `MismatchError` before anything is changed
        where the checkpoint is of another model or lacks a component.
        """
        from codex_ml.checkpointing.restoring import restore

        parts = {"model": model, "optimizer": optimizer, "scheduler": scheduler, "scaler": scaler}
        given = {
            name: target
            for name, target in (parts | {"data": data} | objects).items()
            if target is not None
        }
        checkpoint = self.load(which, (*given, *(["rng"] if rng else [])))
        restore(checkpoint, given, rng=rng)
        return checkpoint

    def _choose(self, which: Which, components: Collection[str] | None) -> Checkpoint:
        selection, which = self._retention.selection, request(which)
        try:
            return choose(self.folder, which, components, selection)
        except (CheckpointNotFoundError, DamagedCheckpointError):
            if self._remote is None or isinstance(which, Path):
                raise
        self._remote.fetch(which, self.folder, self._retention)
        return choose(self.folder, which, components, selection)

    def wait(self) -> None:
        """Return when everything saved is durable; raises what a save in the background raised."""
        self._saver.wait()

    def close(self) -> None:
        """Wait for the last save and upload what could not be uploaded before.

        Raises what a save in the background raised, and `StorageError` where
        something is still not uploaded.
        """
        self._saver.close()
        if self._remote is not None and self._group.rank == 0:
            self._remote.push(self.folder, self._retention)

    def __enter__(self) -> Self:
        """Return the manager; it is closed at the end of the block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()

    def _write(self, draft: "Draft") -> None:
        from codex_ml.checkpointing.writer import write_checkpoint

        if self._remote is not None and self._group.rank == 0 and not scan(self.folder).stored:
            draft = replace(draft, after=self._remote.newest())  # goes on with a lost folder
        write_checkpoint(self.folder, draft, self._files, self._group)
        if self._group.rank == 0:
            self._retain(draft.step)

    def _retain(self, step: int) -> None:
        """Keep what is to be kept, and upload it; what fails is told, and tried again later."""
        try:
            upkeep.retain(self._files, self.folder, self._retention, step)
            if self._remote is not None:
                self._remote.push(self.folder, self._retention)
        except OSError as error:
            self._warn(step, f"{error.filename or self.folder}: {error.strerror}")
        except StorageError as error:
            self._warn(step, str(error))

    @staticmethod
    def _warn(step: int, reason: str) -> None:
        warnings.warn(CheckpointWarning(f"step {step} is saved, but {reason}"), stacklevel=5)
