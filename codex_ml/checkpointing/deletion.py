"""Deleting what this package wrote, and nothing else, in an order that a crash cannot spoil."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from codex_ml.checkpointing.errors import CheckpointError
from codex_ml.checkpointing.files import Files, try_lock
from codex_ml.checkpointing.layout import (
    DELETED,
    MANIFEST,
    is_temporary,
    is_written,
    parse_step,
    step_name,
    temporary,
)
from codex_ml.checkpointing.manifest import decode


def delete_checkpoint(files: Files, path: Path) -> None:
    """Delete a checkpoint: first it stops existing, then the files that it lists go."""
    files.rename(path / MANIFEST, path / DELETED)
    files.sync_directory(path)
    _finish(files, path)


def _finish(files: Files, path: Path) -> None:
    manifest = decode((path / DELETED).read_bytes(), str(path))
    _remove(files, (path / entry.path for entry in manifest.files))
    if [item.name for item in path.iterdir()] == [DELETED]:
        hidden = temporary(path.parent, step_name(manifest.step))
        files.rename(path, hidden)
        discard(files, hidden)
    else:  # somebody keeps files here: they stay
        files.remove(path / DELETED)


def discard(files: Files, directory: Path) -> None:
    """Remove a hidden directory that never became a checkpoint, or no longer is one."""
    _remove(files, (path for path in directory.iterdir() if is_written(path.name)))
    with suppress(OSError):  # not empty: not ours alone
        files.remove_directory(directory)


def sweep(files: Files, folder: Path) -> None:
    """Remove what killed processes left half-written or half-deleted.

    The caller holds the folder's lock. A living writer holds the lock on its
    hidden directory: it is left alone.
    """
    for path in sorted(folder.iterdir()):
        with suppress(FileNotFoundError):
            _sweep_one(files, path)


def _sweep_one(files: Files, path: Path) -> None:
    if is_temporary(path.name):
        if path.is_symlink():
            files.remove(path)
        elif path.is_dir():
            with try_lock(path) as abandoned:
                if abandoned:
                    discard(files, path)
    elif parse_step(path.name) is not None and (path / DELETED).exists():
        with suppress(CheckpointError):  # its list is damaged: nobody knows what is ours
            _finish(files, path)


def _remove(files: Files, paths: Iterable[Path]) -> None:
    for path in list(paths):
        with suppress(FileNotFoundError):
            files.remove(path)
