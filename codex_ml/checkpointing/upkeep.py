"""Keeping a folder tidy: markers, retention, the litter of killed writers."""

from dataclasses import replace
from pathlib import Path

from codex_ml.checkpointing import markers
from codex_ml.checkpointing.deletion import delete_checkpoint, sweep
from codex_ml.checkpointing.errors import StorageError
from codex_ml.checkpointing.files import LOCAL, Files, locked, try_lock
from codex_ml.checkpointing.folder import scan
from codex_ml.checkpointing.retention import Retention


def tidy_up(files: Files, folder: Path) -> None:
    """Remove what killed writers left and set the markers. Raises `OSError`.

    Leaves it to whoever holds the folder's lock: a reader never waits for a writer.
    """
    with try_lock(folder) as free:
        if free:
            sweep(files, folder)
            markers.update(files, folder, scan(folder))


def retain(
    files: Files, folder: Path, retention: Retention, saved: int | None = None
) -> tuple[Path, ...]:
    """Set the markers, then delete what `retention` does not keep. Raises `OSError`."""
    with locked(folder):
        found = scan(folder)
        superfluous = retention.superfluous(found, saved)
        kept = tuple(item for item in found.stored if item not in superfluous)
        markers.update(files, folder, replace(found, stored=kept))
        if superfluous:  # else a power loss could leave markers that point to what is deleted
            files.sync_directory(folder)
        for item in superfluous:
            delete_checkpoint(files, item.path)
    return tuple(item.path for item in superfluous)


def prune(folder: Path, retention: Retention, *, dry_run: bool) -> tuple[Path, ...]:
    """Tidy up and retain; return what was, or with `dry_run` would be, deleted.

    Raises `StorageError`.
    """
    if dry_run:
        return tuple(item.path for item in retention.superfluous(scan(folder)))
    try:
        tidy_up(LOCAL, folder)
        return retain(LOCAL, folder, retention)
    except OSError as error:
        raise StorageError(f"cannot prune {error.filename}: {error.strerror}") from error
