"""A link of the audited repository takes nothing that is written out of it."""

from pathlib import Path

import pytest

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


@pytest.mark.parametrize("name", ["reports", "audit_artifacts"])
@pytest.mark.parametrize("command", ["run", "stage S1"])
@pytest.mark.parametrize("plain", [False, True], ids=["git", "plain"])
def test_a_folder_of_a_report_that_is_a_link_is_refused(
    name: str, command: str, plain: bool, sample: Path, outside: Path, call: Call
) -> None:
    if plain:
        (sample / ".git").rename(outside.parent / "git")
    (sample / name).symlink_to(outside)
    before = shown(sample)
    done = call(*command.split(), sample, "--out", sample)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[0].endswith("choose another --out")
    assert f"{name}: a symbolic link" in done.stderr
    assert list(outside.iterdir()) == []
    assert shown(sample) == before


@pytest.mark.parametrize(
    "words", ["run --out build/deep", "run --format sarif=build/a.sarif", "gate --format html=build/x/a.html"]
)  # fmt: skip
def test_an_output_behind_a_link_out_of_the_repository_is_refused(
    words: str, sample: Path, outside: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    (sample / "inner").symlink_to(outside)
    (sample / "build").symlink_to("inner")
    monkeypatch.chdir(sample)
    done = call(*words.split())
    assert (done.returncode, done.stdout) == (2, "")
    assert "a symbolic link that leads out of the repository: choose another --" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert list(outside.iterdir()) == []


def test_the_cache_is_not_behind_such_a_link_either(
    sample: Path, outside: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    (sample / ".cache").symlink_to(outside)
    monkeypatch.setenv("XDG_CACHE_HOME", str(sample / ".cache"))
    done = call("run", sample)
    assert (done.returncode, done.stdout) == (2, "")
    assert "set another XDG_CACHE_HOME" in done.stderr
    assert list(outside.iterdir()) == []


def test_init_writes_nothing_behind_such_a_link(sample: Path, outside: Path, call: Call) -> None:
    (sample / ".github").symlink_to(outside)
    done = call("init", sample)
    assert done.returncode == 2
    assert "leads out of the repository" in done.stderr
    assert list(outside.iterdir()) == []


def test_a_link_inside_the_repository_or_of_nobody_is_followed(
    sample: Path, outside: Path, call: Call
) -> None:
    (sample / "real").mkdir()
    (sample / "build").symlink_to("real")
    assert call("run", sample, "--format", f"sarif={sample / 'build/a.sarif'}").returncode == 0
    assert (sample / "real/a.sarif").is_file()
    mine = outside.parent / "mine"
    mine.symlink_to(outside)
    assert call("run", sample, "--out", mine / "out").returncode == 0
    assert [one.name for one in outside.iterdir()] == ["out"]
