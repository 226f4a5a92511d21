"""A link of the audited repository takes nothing that is written out of it."""

from pathlib import Path

import pytest

from tests.audit.cli.test_gate_file import CLI
from tests.audit.conftest import Call


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder that must stay empty."""
    folder = tmp_path / "outside"
    folder.mkdir()
    return folder


def shown(sample: Path) -> set[str]:
    """What there is in the repository's folder."""
    return {one.name for one in sample.iterdir()}


@pytest.fixture(params=["git", "plain"])
def audited(request: pytest.FixtureRequest, sample: Path) -> Path:
    """A repository with Git, and a folder without."""
    if request.param == "plain":
        (sample / ".git").rename(sample.parent / "git")
    return sample


@pytest.mark.parametrize("name", ["reports", "audit_artifacts"])
@pytest.mark.parametrize("command", ["run", "stage S1"])
def test_a_folder_of_a_report_that_is_a_link_is_refused(
    name: str, command: str, audited: Path, outside: Path, call: Call
) -> None:
    (audited / name).symlink_to(outside)
    before = shown(audited)
    done = call(*command.split(), audited, "--out", audited)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[0].endswith("choose another --out")
    assert f"{name}: a symbolic link" in done.stderr
    assert list(outside.iterdir()) == []
    assert shown(audited) == before


@pytest.mark.parametrize(
    "words",
    [
        "run --out build/deep", "stage S1 --out build", "run --format sarif=build/a.sarif",
        "gate --format html=build/x/a.html",
    ],
)  # fmt: skip
def test_an_output_behind_a_link_out_of_the_repository_is_refused(
    words: str, audited: Path, outside: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    (audited / "inner").symlink_to(outside)
    (audited / "build").symlink_to("inner")
    monkeypatch.chdir(audited)
    done = call(*words.split())
    assert (done.returncode, done.stdout) == (2, "")
    assert "a symbolic link that leads out of the repository: choose another --" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert list(outside.iterdir()) == []


def test_the_cache_is_not_behind_such_a_link_either(
    audited: Path, outside: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    (audited / ".cache").symlink_to(outside)
    monkeypatch.setenv("XDG_CACHE_HOME", str(audited / ".cache"))
    done = call("run", audited)
    assert (done.returncode, done.stdout) == (2, "")
    assert "set another XDG_CACHE_HOME" in done.stderr
    assert list(outside.iterdir()) == []


def test_a_baseline_behind_such_a_link_is_not_tightened(
    audited: Path, outside: Path, call: Call
) -> None:
    (audited / "codex-audit.toml").write_text('baseline = "build/base.json"\n')
    (audited / "build").symlink_to(outside)
    before = call("run", audited, "--format", "json").stdout
    (outside / "base.json").write_text(before)
    (audited / "sample/cli.py").write_text(CLI["sample/cli.py"])
    done = call("gate", audited, "--tighten")
    assert done.returncode == 2
    assert "leads out of the repository" in done.stderr
    assert (outside / "base.json").read_text() == before


def test_init_writes_nothing_behind_such_a_link(sample: Path, outside: Path, call: Call) -> None:
    (sample / ".github").symlink_to(outside)
    done = call("init", sample)
    assert done.returncode == 2
    assert "leads out of the repository" in done.stderr
    assert list(outside.iterdir()) == []


def test_a_link_inside_the_repository_or_of_nobody_is_followed(
    audited: Path, outside: Path, call: Call
) -> None:
    (audited / "real").mkdir()
    (audited / "build").symlink_to("real")
    assert call("run", audited, "--format", f"sarif={audited / 'build/a.sarif'}").returncode == 0
    assert (audited / "real/a.sarif").is_file()
    mine = outside.parent / "mine"
    mine.symlink_to(outside)
    assert call("run", audited, "--out", mine / "out").returncode == 0
    assert [one.name for one in outside.iterdir()] == ["out"]
