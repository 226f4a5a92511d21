"""Measured coverage: three file kinds of coverage.py, per line of evidence, never when stale."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from audit import coverage
from audit.errors import ConfigError
from audit.model import Matrix
from audit.run.engine import audit
from audit.run.request import Options, build
from audit.store import NoStore
from tests.audit.conftest import IDENTITY, write

FILES = {
    "pkg/__init__.py": "",
    "pkg/io.py": (
        "import torch\n\n\n"
        "def save(model, path):\n"
        "    torch.save(\n        model.state_dict(),\n        path,\n    )\n\n\n"
        "def load(model, path):\n"
        "    state = torch.load(path, weights_only=True)\n"
        "    model.load_state_dict(state)\n"
    ),
    "pyproject.toml": "[project]\nname = 'pkg'\nversion = '1'\n",
    "tests/test_io.py": "from pkg.io import load, save\n\n\ndef test_io():\n    save(1, 2)\n    load(1, 2)\n",
}
RUN = (
    "import sys, types\n"
    "class Torch(types.ModuleType):\n    save = staticmethod(lambda *a: None)\n"
    "sys.modules['torch'] = Torch('torch')\n"
    "from pkg.io import save\n"
    "save(types.SimpleNamespace(state_dict=dict), 'x')\n"
)
KINDS = ("coverage.xml", "coverage.json", ".coverage")
LATE = {"GIT_AUTHOR_DATE": "@4102444800 +0000", "GIT_COMMITTER_DATE": "@4102444800 +0000"}


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A committed repository whose save was run, and load was not, under all three kinds."""
    base = tmp_path_factory.mktemp("measured")
    root = base / "repo"
    write(root, FILES)
    environment = os.environ | IDENTITY | {
        "PYTHONPATH": str(root), "COVERAGE_FILE": str(base / ".coverage"),
    }  # fmt: skip
    (base / "run.py").write_text(RUN)
    tool = [sys.executable, "-m", "coverage"]
    for arguments in (
        ["git", "init", "-q"],
        ["git", "add", "-A"],
        ["git", "commit", "-q", "-m", "first"],
        [*tool, "run", "--source", "pkg", str(base / "run.py")],
        [*tool, "xml", "-q", "-o", str(base / "coverage.xml")],
        [*tool, "json", "-q", "-o", str(base / "coverage.json")],
    ):
        subprocess.run(arguments, cwd=root, env=environment, check=True)
    return base


@pytest.fixture
def measured(template: Path, tmp_path: Path) -> Path:
    """A copy of it; the measurement names the files of the original."""
    shutil.copytree(template, tmp_path / "copy")
    return tmp_path / "copy/repo"


def audited(root: Path, name: str = "") -> Matrix:
    """Return the matrix of a repository with a coverage file beside it."""
    file = root.parent / name if name else None
    return audit(build(Options(root, fast=True, coverage=file), NoStore()), NoStore(), str).matrix


def reached(matrix: Matrix, practice: str) -> set[bool]:
    """Return what is said of the tests of a practice's evidence."""
    rows = {row.id: row for one in matrix.capabilities for row in one.practices}
    return {one.tested for one in rows[practice].evidence}


def test_syntax_newer_than_the_interpreter_is_measured(measured: Path) -> None:
    path = measured / "pkg/io.py"
    path.write_text(path.read_text().replace("def save(model", "def save[T](model"))
    os.utime(path, (0, 0))  # as if it had been measured so
    found = audited(measured, "coverage.json")
    assert reached(found, "checkpoint-save") == {True}
    assert reached(found, "checkpoint-load") == {False}
    assert not found.warnings


@pytest.mark.parametrize("kind", KINDS)
def test_lines_that_ran_are_tested_and_others_are_not(measured: Path, kind: str) -> None:
    assert reached(audited(measured), "checkpoint-load") == {True}  # reachability says so
    found = audited(measured, kind)
    assert reached(found, "checkpoint-save") == {True}
    assert reached(found, "checkpoint-load") == {False}
    assert not [one for one in found.warnings if kind in one]


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_changed_is_named_and_reachability_decides(measured: Path, kind: str) -> None:
    file = measured / "pkg/io.py"
    file.write_text('"""Reads and writes."""\n# Two\n# lines.\n\n\n\n\n' + file.read_text())
    found = audited(measured, kind)
    assert reached(found, "checkpoint-load") == {True}
    assert any(kind in one and "changed" in one and "pkg/io.py" in one for one in found.warnings)


@pytest.mark.parametrize("kind", KINDS)
def test_a_measurement_of_an_earlier_revision_is_named_and_not_used(
    measured: Path, kind: str
) -> None:
    commit = ["git", "commit", "-q", "--allow-empty", "-m", "second"]
    subprocess.run(commit, cwd=measured, env=os.environ | IDENTITY | LATE, check=True)
    found = audited(measured, kind)
    assert reached(found, "checkpoint-load") == {True}
    assert any(kind in one and "older than revision" in one for one in found.warnings)


def test_a_change_without_other_lines_is_seen_by_its_time(measured: Path) -> None:
    file = measured / "pkg/io.py"
    file.write_text(file.read_text().replace("state)", "state, True)"))
    os.utime(file, (4102444800, 4102444800))
    found = audited(measured, "coverage.xml")
    assert any("changed" in one for one in found.warnings)


def test_a_file_that_was_never_loaded_is_not_tested(measured: Path) -> None:
    path = measured.parent / "coverage.json"
    document = json.loads(path.read_text())
    document["files"] = {}
    path.write_text(json.dumps(document))
    assert reached(audited(measured, "coverage.json"), "checkpoint-save") == {False}


@pytest.mark.parametrize(
    "content",
    [
        b"", b"<coverage", b"<other/>", b"{}", b"[]", b'{"files": {"a": 1}}', b"\xff\x00",
        b"SQLite format 3\0" + bytes(200),
        b'<!DOCTYPE a [<!ENTITY x "y">]><coverage/>',
        b'<coverage timestamp="x"/>',
    ],
)  # fmt: skip
def test_what_is_no_coverage_file_is_a_configuration_error(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "coverage.xml"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match="not a coverage"):
        coverage.read(file)


def test_a_missing_file_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        coverage.read(tmp_path / "coverage.xml")
