"""The wheel builder stops at a step that does not hold, and leaves the folder as it was."""

import io
import tarfile
from pathlib import Path

import build_wheel
import pytest
from build_wheel import BuildError


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(build_wheel, "ROOT", tmp_path)
    return tmp_path


def sdist(folder: Path, *names: str) -> Path:
    path = folder / "x-1.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name in names:
            archive.addfile(tarfile.TarInfo(f"x-1/{name}"), io.BytesIO())
    return path


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[project\n", "pyproject.toml:1:9"),
        ('[project]\nname = "x"\nversion = "1"\nreadme = "no.md"\n', "add the file"),
        ('[project]\nversion = "1"\nname = "x"\n', "codex-audit pyproject --write"),
    ],
)
def test_the_guard_runs_before_anything_is_built(
    root: Path, text: str, says: str, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    (root / "pyproject.toml").write_text(text)
    (root / "dist").mkdir()
    (root / "dist" / "old.whl").write_text("old")
    monkeypatch.setattr("sys.argv", ["build_wheel.py", "--out", str(root / "dist")])
    assert build_wheel.main() == 1
    assert says in capsys.readouterr().err
    assert (root / "dist" / "old.whl").read_text() == "old"


def test_only_what_is_listed_and_tracked_belongs_into_the_sdist() -> None:
    belongs = {"audit/a.py", "Makefile", ".pre-commit-hooks.yaml"}
    known = belongs | {"pyproject.toml", ".ci/run", "docs/.keep", "notes.txt"}
    assert build_wheel.wanted(known) == build_wheel.ALWAYS | belongs


@pytest.mark.parametrize("held", [("audit/a.py", "audit/new.py"), ()])
def test_an_sdist_that_differs_from_git_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: tuple[str, ...]
) -> None:
    monkeypatch.setattr(build_wheel, "tracked", lambda: {"audit/a.py"})
    build_wheel.complete(sdist(tmp_path, "audit/a.py", *build_wheel.ALWAYS))
    with pytest.raises(BuildError, match=r"differ in: audit/(new|a)\.py"):
        build_wheel.complete(sdist(tmp_path, *held, *build_wheel.ALWAYS))


def test_a_step_that_fails_says_which_command_and_why(root: Path) -> None:
    with pytest.raises(BuildError, match="no-such-module"):
        build_wheel.python("no-such-module")


def test_the_environment_pins_the_build_and_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    assert build_wheel.environment()["SOURCE_DATE_EPOCH"] == build_wheel.EPOCH
    assert "PYTHONPATH" not in build_wheel.environment()
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    assert build_wheel.environment()["SOURCE_DATE_EPOCH"] == "1700000000"
