"""`last` and `best`: relative symbolic links for people and shell scripts.

No load trusts them: what is last and best is read from the manifests, and the
links are set again whenever a folder is opened or written.
"""

from pathlib import Path

from codex_ml.checkpointing.files import Files
from codex_ml.checkpointing.folder import Scan
from codex_ml.checkpointing.layout import BEST, LAST, parse_step, temporary


def update(files: Files, folder: Path, found: Scan) -> None:
    """Make the links say what the manifests say."""
    best = found.best()
    _point(files, folder, LAST, found.stored[0].path.name if found.stored else None)
    _point(files, folder, BEST, best[0].path.name if best else None)


def _point(files: Files, folder: Path, marker: str, target: str | None) -> None:
    path = folder / marker
    if path.is_symlink():
        current = str(path.readlink())
        if current == target or parse_step(current) is None:
            return
        if target is None:
            files.remove(path)
            return
    elif path.exists():
        return  # somebody else's file
    if target is not None:
        hidden = temporary(folder, marker)
        files.make_link(target, hidden)
        files.rename(hidden, path)
