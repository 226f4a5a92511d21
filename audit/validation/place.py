"""Where commands run: the repository or a throw-away copy of it, and their environment."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from audit.errors import AuditError

ENVIRONMENTS = (".venv", "venv")
"""Folders of a repository that hold its Python environment."""


def root_of(document: Path) -> Path:
    """Return the repository that a document belongs to; outside of Git, its folder."""
    folder = document.resolve().parent
    for one in (folder, *folder.parents):
        if (one / ".git").exists():
            return one
    here = Path.cwd()
    return here if folder.is_relative_to(here) else folder


def environment(root: Path) -> dict[str, str]:
    """Return the variables that commands see.

    The Python environment of the repository comes first in PATH; without one, the active
    one stays first; without that, the one that this program runs in comes first. Output is
    plain and 80 columns wide, so that it is the same everywhere.
    """
    plain = {"NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "80", "PAGER": "cat", "GIT_PAGER": "cat"}
    found = {name: value for name, value in os.environ.items() if name != "FORCE_COLOR"} | plain
    first = [str(root / one / "bin") for one in ENVIRONMENTS if (root / one / "bin").is_dir()][:1]
    if not first and not {"VIRTUAL_ENV", "CONDA_PREFIX"} & found.keys():
        first = [str(Path(sys.executable).parent)]
    return found | {"PATH": os.pathsep.join([*first, found.get("PATH", os.defpath)])}


def copy(root: Path, target: Path) -> None:
    """Copy a repository: its history, and the files that Git does not ignore, as they are now.

    Its Git objects are read where they are, new ones stay in the copy: to copy some thousand
    small files took three seconds a page. The repository's Python environment is linked.

    Raises:
        AuditError: it cannot be copied.
    """
    try:
        if (root / ".git").exists():
            _git(root, "clone", "-q", "--shared", "--no-checkout", str(root), str(target))
            _git(target, "reset", "-q")
            listed = _git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
            for name in filter(None, listed.split("\0")):
                _copy_file(root / name, target / name)
        else:
            shutil.copytree(root, target, symlinks=True, dirs_exist_ok=True)
    except (OSError, shutil.Error, subprocess.CalledProcessError) as error:
        raise AuditError(f"{root}: cannot be copied for --sandbox: {error}") from None
    for name in ENVIRONMENTS:
        if (root / name).is_dir() and not (target / name).exists():
            (target / name).symlink_to(root / name)


def _copy_file(source: Path, target: Path) -> None:
    if source.is_symlink() or source.is_file():  # not a submodule, nor a deleted file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target, follow_symlinks=False)


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments], capture_output=True, check=True
    )  # fmt: skip
    return os.fsdecode(done.stdout)
