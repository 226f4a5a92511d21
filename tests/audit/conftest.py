"""What engine tests share: real Git repositories and the command as a process."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeAlias

import pytest

from audit.cli import main

Git: TypeAlias = Callable[..., str]
Run: TypeAlias = Callable[..., subprocess.CompletedProcess[str]]

IDENTITY = {
    "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_AUTHOR_DATE": "2026-01-02T03:04:05Z",
    "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.org",
    "GIT_COMMITTER_DATE": "2026-01-02T03:04:05Z", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1",
}  # fmt: skip

FILES = {
    "pyproject.toml": '[project]\nname = "sample"\nversion = "1"\nrequires-python = ">=3.11"\n',
    "README.md": "# Sample\n\n```python\nfrom sample import train\ntrain(1)\n```\n",
    "LICENSE": "MIT License\n\nPermission is hereby granted, free of charge, to any person.\n",
    "sample/__init__.py": "from sample.loop import train as train\n",
    "sample/loop.py": (
        "import torch\n\n\ndef train(steps: int) -> None:\n    model = torch.nn.Linear(1, 1)\n"
        "    optimizer = torch.optim.AdamW(model.parameters())\n    for _ in range(steps):\n"
        "        loss = model(torch.ones(1)).sum()\n        loss.backward()\n"
        "        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)\n        optimizer.step()\n"
        "        optimizer.zero_grad()\n"
        "    torch.save({'model': model.state_dict(), 'optimizer': optimizer.state_dict()}, 'x.pt')\n"
    ),
    "tests/test_loop.py": "from sample import train\n\n\ndef test_train():\n    train(1)\n",
}


@pytest.fixture
def git(tmp_path: Path) -> Git:
    """Run Git in a folder of the test's own (``git("init", cwd=...)``)."""

    def run(*arguments: str, cwd: Path = tmp_path) -> str:
        done = subprocess.run(
            ["git", *arguments],
            cwd=cwd,
            env=os.environ | IDENTITY,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    return run


@pytest.fixture
def sample(tmp_path: Path, git: Git) -> Path:
    """A small committed repository."""
    root = tmp_path / "sample"
    write(root, FILES)
    git("init", "-q", "-b", "main", cwd=root)
    git("add", "-A", cwd=root)
    git("commit", "-q", "-m", "first", cwd=root)
    return root


def write(root: Path, files: dict[str, str]) -> None:
    """Write files below a folder."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


@pytest.fixture
def audit(tmp_path: Path) -> Run:
    """Run ``python -m audit`` with a cache of the test's own."""

    def run(
        *arguments: object, cwd: Path | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "audit", *map(str, arguments)],
            cwd=cwd or tmp_path,
            env=os.environ
            | {
                "XDG_CACHE_HOME": str(tmp_path / "cache"),
                "PYTHONPATH": str(Path(__file__).parents[2]),
            }
            | environment,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


class Done(NamedTuple):
    """How a command of this process ended."""

    returncode: int
    stdout: str
    stderr: str

    @property
    def unwrapped(self) -> str:
        """What was printed, with the lines of a gate or diff as before they were broken at 80."""
        return re.sub(r"\n {4,}(?!by |smallest |[-+] )", " ", self.stdout)


Call: TypeAlias = Callable[..., Done]


@pytest.fixture
def call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Call:
    """Run ``codex-audit`` in this process, with a cache of the test's own: quicker by far."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("CODEX_AUDIT_TRACEBACK", "1")

    def run(*arguments: object) -> Done:
        capsys.readouterr()
        code = main([str(one) for one in arguments])
        return Done(code, *capsys.readouterr())

    return run
