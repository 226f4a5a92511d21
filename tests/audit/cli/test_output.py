"""One run, any number of formats; what is written where."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from audit.cli import main
from audit.formats import FORMATS
from tests.audit.conftest import Git


@pytest.fixture
def cached(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.mark.usefixtures("cached")
def test_one_run_writes_every_format_and_prints_one(
    sample: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    files = [f"--format={name}={tmp_path / 'new' / name}" for name in FORMATS]
    assert main(["run", str(sample), *files, "--format", "json", "--step-summary"]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    for name in FORMATS:
        assert (tmp_path / "new" / name).stat().st_size > 0, name
    assert captured.out == (tmp_path / "new/json").read_text()
    assert summary.read_text() == "before\n" + (tmp_path / "new/md").read_text()


@pytest.mark.usefixtures("cached")
def test_a_gate_writes_the_same_formats_with_its_decision(
    sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (sample / "codex-audit.toml").write_text('required = ["checkpoint-async"]\n')
    target = tmp_path / "log.sarif"
    assert main(["gate", str(sample), "--format", "github", f"--format=sarif={target}"]) == 1
    assert capsys.readouterr().out.startswith("::error file=")
    levels = [one["level"] for one in json.loads(target.read_text())["runs"][0]["results"]]
    assert levels[0] == "error"


@pytest.mark.usefixtures("cached")
def test_a_folder_holds_every_format_that_has_no_file(
    sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert (
        main(["run", str(sample), "--out", str(out), "--format", "sarif", "--format", "junit"]) == 0
    )
    assert capsys.readouterr().out.startswith("sample at ")
    assert {"capability_matrix.sarif", "capability_matrix.junit.xml"} <= {
        one.name for one in (out / "reports").iterdir()
    }


@pytest.mark.usefixtures("cached")
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--format", "yaml"], "'yaml' is not one of"),
        (["--format", "md", "--format", "json"], "several --format go to stdout: give the others"),
        (["--format", "md=x", "--format", "json=x"], "several --format go to x"),
        (["--format", "md=/proc/nope/x"], "/proc/nope"),
        (["--step-summary"], "GITHUB_STEP_SUMMARY is not set"),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, list) else "",
)
def test_what_cannot_be_written_is_one_line_and_exit_2(
    arguments: list[str], says: str, sample: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    assert main(["run", str(sample), *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert says in captured.err


@pytest.mark.usefixtures("cached")
def test_hostile_file_names_of_a_real_repository_stay_in_their_place(
    sample: Path, git: Git, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = os.fsencode(sample)
    for name in (
        b"a\xffb.py",
        b"a\n::error::x.py",
        b"<script>.py",
        b"]]>.py",
        b"\x1b[2J.py",
        b"%0A.py",
    ):
        Path(os.fsdecode(folder + b"/" + name)).write_text("def (\n")
    git("add", "-A", cwd=sample)
    targets = [f"--format={name}={tmp_path / name}" for name in FORMATS]
    assert main(["run", str(sample), *targets]) == 0
    lines = (tmp_path / "github").read_text().splitlines()
    assert all(line.startswith("::") for line in lines)
    assert sum("not audited" in line for line in lines) == 6
    assert "file=a\\xffb.py," in "\n".join(lines)
    assert "<script>.py" not in (tmp_path / "html").read_text()
    assert "\x1b" not in (tmp_path / "text").read_text()


def seen(*command: str, **variables: str) -> str:
    """Return what a command writes to a terminal of 80 columns."""
    control, terminal = pty.openpty()
    with subprocess.Popen(
        command, stdin=terminal, stdout=terminal, stderr=terminal, env=os.environ | variables
    ) as process:
        os.close(terminal)
        found = b""
        while True:
            try:
                piece = os.read(control, 65536)
            except OSError:
                break
            if not piece:
                break
            found += piece
        process.wait()
    os.close(control)
    return found.decode()


def test_a_terminal_gets_colour_and_progress_unless_told_not_to(
    sample: Path, tmp_path: Path
) -> None:
    command = (sys.executable, "-m", "audit", "run", str(sample), "--no-cache")
    root = str(Path(__file__).parents[3])
    coloured = seen(*command, PYTHONPATH=root, TERM="xterm", NO_COLOR="")
    assert "\x1b[1msample at " in coloured
    assert "S3 capabilities …" in coloured
    plain = seen(*command, PYTHONPATH=root, TERM="xterm", NO_COLOR="1")
    assert "\x1b[1m" not in plain
    assert "sample at " in plain
