"""Finding the checkpoint that was asked for, and the newest one that can be trusted."""

import reprlib
import warnings
from collections.abc import Collection, Iterable
from operator import index
from os import PathLike
from pathlib import Path

from codex_ml.checkpointing.errors import (
    CheckpointError,
    CheckpointNotFoundError,
    CheckpointWarning,
    DamagedCheckpointError,
    SchemaVersionError,
)
from codex_ml.checkpointing.folder import Scan, Stored, elsewhere, scan
from codex_ml.checkpointing.layout import parse_step
from codex_ml.checkpointing.manifest import Selection
from codex_ml.checkpointing.reader import Checkpoint

Components = Collection[str] | None


def request(which: object) -> str | int | Path:
    """Tell ``latest`` and ``best``, a step and a path apart; raises `CheckpointError`."""
    match which:
        case "latest" | "best":
            return str(which)
        case str() | PathLike():
            return Path(which)
    try:
        return index(which)  # type: ignore[arg-type]  # also numpy's
    except TypeError:
        raise CheckpointError(
            f"no checkpoint is {reprlib.repr(which)}: give 'latest', 'best', a step or a path"
        ) from None


def choose(
    folder: Path,
    which: str | int | Path,
    components: Components = None,
    selection: Selection | None = None,
) -> Checkpoint:
    """Open ``latest``, ``best``, a step or a path, its `components` (None: all) verified.

    Only ``latest`` falls back, to the newest that verifies, with a
    `CheckpointWarning` that names the damage. Raises `CheckpointNotFoundError`,
    `DamagedCheckpointError` or `SchemaVersionError`.
    """
    match request(which):
        case "latest":
            return _latest(folder, components)
        case "best":
            return _first(
                scan(folder).best(selection)[:1],
                folder,
                "checkpoint with a metric to rank by",
                components,
            )
        case int(step):
            return _first(scan(folder).at_step(step), folder, f"step {step}", components)
        case path:
            path = Path(path)
            checkpoint = Checkpoint.open(path if path.is_dir() else folder / path)
            checkpoint.verify(components)
            return checkpoint


def _latest(folder: Path, components: Components) -> Checkpoint:
    tried: tuple[Path, ...] = ()
    while True:
        found = scan(folder)
        candidates = tuple(item.path for item in found.stored)
        checkpoint, damage = _newest_whole(found.stored, components)
        if checkpoint is not None:
            _tell(found, checkpoint, damage)
            return checkpoint
        if candidates == tried:  # unless another process replaced them all meanwhile
            raise _nothing(folder, found, damage)
        tried = candidates


def _newest_whole(
    stored: Iterable[Stored], components: Components
) -> tuple[Checkpoint | None, list[CheckpointError]]:
    damage: list[CheckpointError] = []
    for item in stored:
        checkpoint = Checkpoint(item.path, item.manifest)
        try:
            checkpoint.verify(components)
        except DamagedCheckpointError as error:
            damage.append(error)
        else:
            return checkpoint, damage
    return None, damage


def _tell(found: Scan, chosen: Checkpoint, damage: list[CheckpointError]) -> None:
    """Warn about every newer checkpoint that was passed over; a newer program's is an error."""
    unreadable = [
        error for path, error in found.damaged if (parse_step(path.name) or (0, 0))[0] > chosen.step
    ]
    for error in unreadable:
        if isinstance(error, SchemaVersionError):
            raise error
    for error in (*unreadable, *damage):
        message = f"{error}; going back to step {chosen.step}"
        warnings.warn(CheckpointWarning(message), stacklevel=5)


def _nothing(folder: Path, found: Scan, damage: list[CheckpointError]) -> CheckpointError:
    unreadable = sorted(found.damaged, key=lambda pair: parse_step(pair[0].name) or (0, 0))
    errors = (*damage, *(error for _, error in reversed(unreadable)))
    if not errors:
        return CheckpointNotFoundError(f"{folder}: no checkpoint to load{elsewhere(folder)}")
    if len(errors) == 1:
        return errors[0]
    names = tuple(name for error in errors for name in getattr(error, "damage", ()))
    return DamagedCheckpointError(
        f"{folder}: none of {len(errors)} checkpoints verifies; the newest: {errors[0]}", names
    )


def _first(
    candidates: tuple[Stored, ...], folder: Path, what: str, components: Components
) -> Checkpoint:
    if not candidates:
        raise CheckpointNotFoundError(f"{folder}: no {what}")
    checkpoint, damage = _newest_whole(candidates, components)
    if checkpoint is None:
        raise damage[0]
    return checkpoint
