"""What the distributions hold, and that anybody builds the same bytes."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path

import build_wheel
import pytest

from audit.distribution import inputs

LITTER = (
    "audit/__pycache__/x.cpython-311.pyc", "audit/left.pyc", "codex_ml/.cache/x", "docs/.DS_Store",
    "tests/.venv/bin/python", "tests/.hypothesis/x", "codex_ml.egg-info/PKG-INFO", "dist/x.whl",
    "reports/capability_matrix.md", "audit_artifacts/gaps.json", ".venv/pyvenv.cfg", "run.log",
    "tools/run.log", "templates/audit/.matrix.md.j2.swp",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Built:
    """One build: the tree it was made from and the archives."""

    tree: Path
    sdist: Path
    wheel: Path


def build(tree: Path, out: Path, *kinds: str, **variables: str) -> Path:
    """Build with the declared backend and return the folder of the archives."""
    subprocess.run(
        [sys.executable, "-P", "-m", "hatchling", "build", "-d", str(out), *kinds],
        cwd=tree, env=os.environ | variables, check=True, capture_output=True,
    )  # fmt: skip
    return out


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("archives")
    tree = folder / "tree"
    ignore = shutil.ignore_patterns("__pycache__", ".[!g]*", ".git")
    for name in sorted(build_wheel.listed() | build_wheel.ALWAYS - {"PKG-INFO"}):
        source, target = build_wheel.ROOT / name, tree / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=ignore)
        elif source.is_file():
            shutil.copy(source, target)
    for name in LITTER:
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text("litter")
    out = build(tree, folder / "out")
    return Built(tree, next(out.glob("*.tar.gz")), next(out.glob("*.whl")))


def test_the_sdist_holds_the_listed_files_without_litter(built: Built) -> None:
    held = inputs(built.sdist).keys()
    files = {str(one.relative_to(built.tree)) for one in built.tree.rglob("*") if one.is_file()}
    assert held == build_wheel.wanted(files - set(LITTER))


def test_the_sdist_has_no_benchmarks_and_its_tests_need_none(built: Built) -> None:
    names = inputs(built.sdist).keys()
    assert {one.split("/")[0] for one in names} == build_wheel.ALWAYS | build_wheel.listed()
    assert not build_wheel.listed() & {"benchmarks", ".github"}
    needed = re.compile(r"^(from|import) benchmarks\b", re.MULTILINE)
    tests = [one for one in names if one.startswith("tests/") and one.endswith(".py")]
    assert [one for one in tests if needed.search((built.tree / one).read_text())] == []


def test_the_wheel_holds_the_packages_their_data_and_nothing_else(built: Built) -> None:
    with zipfile.ZipFile(built.wheel) as wheel:
        names = {one for one in wheel.namelist() if ".dist-info/" not in one}
    moved = {"templates/audit": "audit/_templates", "docs/schemas": "audit/_schemas"}
    kept = set()
    for name in inputs(built.sdist):
        folder, _, rest = name.rpartition("/")
        if name.split("/")[0] in ("audit", "codex_ml", "tokenization"):
            kept.add(name)
        elif folder in moved:
            kept.add(f"{moved[folder]}/{rest}")
    assert names == kept
    assert {
        "audit/py.typed", "codex_ml/py.typed", "tokenization/py.typed",
        "audit/_templates/matrix.md.j2", "audit/practices/catalogue.toml",
    } <= names  # fmt: skip


def test_the_wheel_of_the_sdist_is_the_wheel_of_the_checkout(built: Built, tmp_path: Path) -> None:
    build_wheel.unpack(built.sdist, tmp_path)
    (source,) = (one for one in tmp_path.iterdir() if one.is_dir())
    again = build(source, tmp_path / "out")
    assert (again / built.wheel.name).read_bytes() == built.wheel.read_bytes()
    assert (again / built.sdist.name).read_bytes() == built.sdist.read_bytes()


def test_times_modes_and_settings_of_the_machine_do_not_show(built: Built, tmp_path: Path) -> None:
    other = shutil.copytree(built.tree, tmp_path / "elsewhere")
    for one in other.rglob("*.py"):
        one.chmod(0o600)
        os.utime(one, (1, 1))
    again = build(other, tmp_path / "out", TZ="Asia/Tokyo", LC_ALL="C", PYTHONHASHSEED="7")
    for one in (built.sdist, built.wheel):
        assert (again / one.name).read_bytes() == one.read_bytes()


def test_source_date_epoch_is_the_time_of_every_file(built: Built, tmp_path: Path) -> None:
    out = build(built.tree, tmp_path, "-t", "wheel", SOURCE_DATE_EPOCH="1700000000")
    with zipfile.ZipFile(out / built.wheel.name) as wheel:
        assert {one.date_time for one in wheel.infolist()} == {(2023, 11, 14, 22, 13, 20)}


def test_the_wheels_metadata_are_those_of_pyproject(built: Built) -> None:
    project = tomllib.loads((built.tree / "pyproject.toml").read_text())["project"]
    with zipfile.ZipFile(built.wheel) as wheel:
        (name,) = (one for one in wheel.namelist() if one.endswith("/METADATA"))
        lines = wheel.read(name).decode().splitlines()
    assert f"License-Expression: {project['license']}" in lines
    assert f"Requires-Python: {project['requires-python']}" in lines
    for extra in project["optional-dependencies"]:
        assert f"Provides-Extra: {extra}" in lines
