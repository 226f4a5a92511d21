"""What may not be read is a recorded reason, or one line and exit 2; also for root without its power."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.audit.conftest import write

POWERLESS = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]
"""Root reads whatever its mode is, unless it has given up these capabilities."""


def audit(*words: object) -> subprocess.CompletedProcess[str]:
    """Run the command as somebody whom modes bind."""
    return subprocess.run(
        [*(POWERLESS if os.geteuid() == 0 else ()), sys.executable, "-m", "audit", *map(str, words)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture
def locked(sample: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A repository with what nobody may read, and without Git if asked."""
    if request.param == "plain":
        (sample / ".git").rename(sample.parent / "git")
    write(sample, {"sample/new.py": "import torch\n", "closed/a.py": "import torch\n"})
    shut = sample / "sample/loop.py", sample / "sample/new.py", sample / "closed"
    for one in shut:
        one.chmod(0)
    yield sample
    for one in shut:
        one.chmod(0o700)


@pytest.mark.parametrize(
    ("locked", "closed"), [("git", []), ("plain", ["closed/"])], indirect=["locked"]
)
def test_files_and_folders_are_recorded_with_the_reason(locked: Path, closed: list[str]) -> None:
    """Git says on its own what a folder holds; what it does not track there is none of its files."""
    (locked / "sample/loop.py").touch()
    done = audit("run", locked, "--no-cache", "--format", "json")
    assert (done.returncode, done.stderr) == (0, "")
    matrix = json.loads(done.stdout)
    assert matrix["problems"] == [
        {"path": one, "reason": "permission denied"}
        for one in [*closed, "sample/loop.py", "sample/new.py"]
    ]
    rows = {one["id"]: one for part in matrix["capabilities"] for one in part["practices"]}
    assert rows["train-loop"]["status"] == "unknown"


def test_a_closed_folder_alone_leaves_open_what_it_holds(tmp_path: Path) -> None:
    write(tmp_path, {"pkg/__init__.py": "", "closed/a.py": "import torch\n"})
    (tmp_path / "closed").chmod(0)
    done = audit("explain", "checkpoint-save", tmp_path, "--no-cache")
    (tmp_path / "closed").chmod(0o700)
    assert "closed/: permission denied" in done.stdout


@pytest.mark.parametrize(
    ("name", "mode", "words", "says"),
    [
        (".", 0o600, ["run"], "give a folder that you may read"),
        (".", 0o600, ["run", "pkg"], "give a folder that you may read"),
        ("codex-audit.toml", 0, ["gate"], "codex-audit.toml: permission denied: make it readable"),
        ("pyproject.toml", 0, ["pyproject"], "pyproject.toml: Permission denied"),
    ],
)
def test_what_a_command_cannot_do_without_is_one_line(
    name: str, mode: int, words: list[str], says: str, tmp_path: Path
) -> None:
    root = tmp_path / "root"
    write(root, {"pkg/a.py": "", "codex-audit.toml": "", "pyproject.toml": ""})
    command, *below = words
    (root / name).chmod(mode)
    done = audit(command, root.joinpath(*below))
    (root / name).chmod(0o700)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert done.stderr.count("\n") == 1
