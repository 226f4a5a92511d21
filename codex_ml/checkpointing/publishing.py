"""How a checkpoint comes into being: hidden until one rename publishes it."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from codex_ml.checkpointing.deletion import delete_checkpoint, discard
from codex_ml.checkpointing.files import Files, locked, make_directories, try_lock, write_file
from codex_ml.checkpointing.folder import Stored
from codex_ml.checkpointing.layout import MANIFEST, parse_step, step_name, temporary
from codex_ml.checkpointing.manifest import Manifest, encode


@contextmanager
def staging(files: Files, folder: Path, step: int) -> Iterator[Path]:
    """Yield a hidden directory, locked so that nobody sweeps it, removed unless published.

    Raises `OSError`.
    """
    make_directories(files, folder)
    with ExitStack() as cleanup:
        with locked(folder):  # a sweeper never sees it unlocked
            hidden = temporary(folder, step_name(step))
            files.make_directory(hidden)
            cleanup.callback(_discard_if_there, files, hidden)
            cleanup.enter_context(try_lock(hidden))
        yield hidden


def _discard_if_there(files: Files, hidden: Path) -> None:
    with suppress(OSError):
        discard(files, hidden)


def publish(
    files: Files, folder: Path, hidden: Path, manifest: Manifest, replaced: Sequence[Stored] = ()
) -> Path:
    """Seal the directory `hidden` with its manifest, rename it, and return its new path.

    The caller holds the folder's lock; the other files are durable already.
    What it replaces is deleted only when it exists itself, under another name
    until then. Raises `OSError`.
    """
    write_file(files, hidden / MANIFEST, encode(manifest))
    files.sync_directory(hidden)
    target = folder / step_name(manifest.step, _free_generation(folder, manifest.step))
    files.rename(hidden, target)
    files.sync_directory(folder)
    for item in replaced:
        delete_checkpoint(files, item.path)
    plain = folder / step_name(manifest.step)
    if plain.exists():
        return target
    files.rename(target, plain)
    files.sync_directory(folder)
    return plain


def _free_generation(folder: Path, step: int) -> int:
    names = [parsed for path in folder.iterdir() if (parsed := parse_step(path.name))]
    return max((generation + 1 for other, generation in names if other == step), default=0)
