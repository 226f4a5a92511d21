"""`codex-audit verify` on a folder that `make wheel` wrote."""

import io
import tarfile
from pathlib import Path

import pytest

from audit import distribution
from audit.cli import main
from audit.distribution import BuildManifest
from audit.proof import encode


def archive(path: Path, content: bytes) -> None:
    with tarfile.open(path, "w:gz") as file:
        member = tarfile.TarInfo("x-1/a.py")
        member.size = len(content)
        file.addfile(member, io.BytesIO(content))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    sdist, wheel = tmp_path / "x-1.tar.gz", tmp_path / "x-1-py3-none-any.whl"
    archive(sdist, b"a = 1\n")
    wheel.write_bytes(b"wheel")
    made = BuildManifest(
        1, "x", "1", "", 0, {}, distribution.inputs(sdist), distribution.artefacts((sdist, wheel))
    )
    (tmp_path / distribution.SUMS).write_text(distribution.sums(made))
    (tmp_path / distribution.MANIFEST).write_bytes(encode(made))
    return tmp_path


def test_an_untouched_build_holds(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(folder)]) == 0
    assert "everything holds" in capsys.readouterr().out


def test_the_sums_are_those_that_sha256sum_reads(folder: Path) -> None:
    lines = (folder / distribution.SUMS).read_text().splitlines()
    assert [line[64:] for line in lines] == ["  x-1-py3-none-any.whl", "  x-1.tar.gz"]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("x-1-py3-none-any.whl", b"whee1", "x-1-py3-none-any.whl: SHA-256"),
        ("y-1.tar.gz", b"", "y-1.tar.gz: not in the manifest"),
        ("SHA256SUMS", b"0  x-1.tar.gz\n", "SHA256SUMS: is not what the manifest says"),
    ],
)
def test_what_was_changed_is_named(
    folder: Path, name: str, content: bytes, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / name).write_bytes(content)
    assert main(["verify", str(folder)]) == 1
    assert says in capsys.readouterr().out


def test_a_missing_archive_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "x-1.tar.gz").unlink()
    assert main(["verify", str(folder)]) == 1
    assert "x-1.tar.gz: no such file" in capsys.readouterr().out


def test_an_input_that_the_manifest_does_not_know_is_named(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder / distribution.MANIFEST
    path.write_text(path.read_text().replace('"a.py"', '"b.py"'))
    assert main(["verify", str(folder)]) == 1
    out = capsys.readouterr().out
    assert "x-1.tar.gz: a.py:" in out
    assert "x-1.tar.gz: b.py: missing" in out


def test_a_damaged_manifest_is_one_line_and_exit_2(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / distribution.MANIFEST).write_text("{")
    assert main(["verify", str(folder)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
