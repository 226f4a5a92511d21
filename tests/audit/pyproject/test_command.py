"""`codex-audit pyproject`: exit codes, what is written, and what never is."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from audit.cli import main

TIDY = '[project]\nname = "x"\nversion = "1"\n'
UNTIDY = '[project]\nversion = "1"  # é\nname = "x"\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "pyproject.toml"


def linked(file: Path) -> Path:
    """A link to the file, in a folder of its own."""
    link = file.parent / "elsewhere" / file.name
    link.parent.mkdir()
    link.symlink_to(f"../{file.name}")
    return link


def test_check_says_0_for_canonical_and_1_for_not_and_changes_nothing(file: Path) -> None:
    file.write_text(TIDY)
    assert main(["pyproject", "--check", str(file.parent)]) == 0
    file.write_text(UNTIDY)
    assert main(["pyproject", str(file)]) == 1
    assert file.read_text() == UNTIDY


def test_diff_prints_the_change_and_only_that(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(UNTIDY.rstrip("\n"))
    assert main(["pyproject", "--diff", str(file)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[3:] == [
        " [project]", '-version = "1"  # é', '-name = "x"', "\\ No newline at end of file",
        '+name = "x"', '+version = "1"  # é', "\\ No newline at end of file",
    ]  # fmt: skip
    assert file.read_text() == UNTIDY.rstrip("\n")


def test_write_keeps_mode_link_line_ends_and_byte_order_mark(file: Path) -> None:
    file.write_bytes("\ufeff".encode() + UNTIDY.replace("\n", "\r\n").encode())
    file.chmod(0o640)
    link = linked(file)
    assert main(["pyproject", "--write", str(link)]) == 0
    assert link.is_symlink()
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert file.read_bytes() == '\ufeff[project]\r\nname = "x"\r\nversion = "1"  # é\r\n'.encode()
    assert list(link.parent.iterdir()) == [link]
    assert sorted(file.parent.iterdir()) == [link.parent, file]
    assert main(["pyproject", "--check", str(link)]) == 0


def test_a_link_out_of_its_git_repository_is_not_written_through(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(UNTIDY)
    link = linked(file)
    (link.parent / ".git").mkdir()
    assert main(["pyproject", "--write", str(link.parent)]) == 2
    assert "leads out of the repository: name the file behind it" in capsys.readouterr().err
    assert (file.read_text(), link.is_symlink()) == (UNTIDY, True)


def test_write_does_not_touch_a_canonical_file(file: Path) -> None:
    file.write_text(TIDY)
    before = file.stat()
    assert main(["pyproject", "--write", str(file)]) == 0
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b"[project\n", "1:9"),
        (b"[a]\n\n[a]\n", "3:1"),
        (b'[project]\nname = "\xff"\n', "2:9"),
        (b'[project]\nname = "x"\nversion = "one"\n', "3:1"),
        (b"\xef\xbb\xbfa = \n", "1:5"),
    ],
)
@pytest.mark.parametrize("mode", ["--check", "--write", "--diff"])
def test_what_is_no_project_file_is_exit_2_with_its_place_and_stays_to_the_byte(
    file: Path, content: bytes, place: str, mode: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_bytes(content)
    assert main(["pyproject", mode, str(file)]) == 2
    streams = capsys.readouterr()
    assert f"{file}:{place}: " in streams.err
    assert streams.out == ""
    assert file.read_bytes() == content


def test_a_missing_file_is_one_line_and_exit_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["pyproject", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_write_that_fails_leaves_the_file_and_no_litter(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(UNTIDY)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert main(["pyproject", "--write", str(file)]) == 2
    assert "No space left on device" in capsys.readouterr().err
    assert file.read_text() == UNTIDY
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize("through", ["the file", "a link"])
def test_killed_at_any_moment_the_file_is_the_old_or_the_new_one(file: Path, through: str) -> None:
    """Stop the process at each system call of a write in turn."""
    named = linked(file) if through == "a link" else file
    kill = (
        "import os, sys\n"
        "from audit.cli import main\n"
        "left = int(sys.argv[1])\n"
        "def watch(event, _):\n"
        "    global left\n"
        "    if event in ('open', 'os.rename', 'os.remove', 'os.chmod', 'os.listdir'):\n"
        "        left -= 1\n"
        "        if left < 0: os._exit(9)\n"
        "from audit.pyproject import file, canonical\n"
        "document = file.read(file.find(__import__('pathlib').Path(sys.argv[2])))\n"
        "text = canonical.canonical(document.text)\n"
        "sys.addaudithook(watch)\n"
        "file.write(document, text)\n"
    )
    seen = set()
    for moment in range(8):
        file.write_text(UNTIDY)
        code = subprocess.run(
            [sys.executable, "-c", kill, str(moment), str(named)], check=False
        ).returncode
        seen.add(code)
        assert file.read_text() in (UNTIDY, '[project]\nname = "x"\nversion = "1"  # é\n')
        assert named.is_symlink() is (named != file)
        if code == 0:
            break
    assert seen == {0, 9}
