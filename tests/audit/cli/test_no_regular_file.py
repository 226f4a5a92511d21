"""A pipe, a device or a folder where a file should be: one line, exit 2, no waiting."""

import os
from pathlib import Path

import pytest

from audit.cli import main
from audit.source import git


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    return said.err


@pytest.fixture
def piped(tmp_path: Path) -> Path:
    """A folder whose files are named pipes."""
    (tmp_path / "module.py").write_text("import torch\n")
    for name in ("pyproject.toml", "codex-audit.toml", "README.md", "coverage.json", "x.py"):
        os.mkfifo(tmp_path / name)
    return tmp_path


@pytest.mark.parametrize(
    "words",
    [
        ("pyproject", "."),
        ("pyproject", "--write", "pyproject.toml"),
        ("init", "."),
        ("validate", "README.md"),
        ("run", "."),
        ("practices",),
        ("run", ".", "--config", "codex-audit.toml"),
        ("run", ".", "--coverage", "coverage.json"),
    ],
    ids=" ".join,
)
def test_a_pipe_that_a_command_would_read_is_refused(
    piped: Path,
    words: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(piped)
    assert main(words) == 2
    assert "not a regular file" in one_line(capsys).lower()


def test_pipes_are_named_by_an_audit_that_goes_on(
    piped: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (piped / "codex-audit.toml").unlink()
    assert main(["run", str(piped), "--no-cache", "--format", "json"]) == 0
    said = capsys.readouterr()
    assert "x.py" in said.out + said.err


@pytest.mark.parametrize("place", ["/dev/null", "/dev/zero"])
def test_a_device_is_no_pyproject(place: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pyproject", place]) == 2
    assert f"{place}: Not a regular file: name a pyproject.toml" in one_line(capsys)


def test_a_folder_of_that_name_is_no_pyproject(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pyproject.toml").mkdir()
    assert main(["pyproject", str(tmp_path)]) == 2
    assert "pyproject.toml: Is a directory: name a pyproject.toml" in one_line(capsys)


@pytest.mark.parametrize("name", [".gitignore", ".git/HEAD"])
def test_a_pipe_that_git_would_wait_for_is_named(
    sample: Path,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(git, "_PATIENCE", 0.1)
    (sample / name).unlink(missing_ok=True)
    os.mkfifo(sample / name)
    assert main(["run", str(sample / "sample"), "--no-cache"]) == 2
    assert f"{sample / name}: a named pipe" in one_line(capsys)


def test_git_that_is_only_slow_is_waited_for(
    sample: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(git, "_PATIENCE", 1e-9)
    os.mkfifo(sample / "harmless")
    assert main(["run", str(sample), "--no-cache"]) == 0, capsys.readouterr().err
