"""A written matrix as the base: foreign, slack, strict, tightened."""

import json
from pathlib import Path

import pytest

from tests.audit.conftest import Call, Git, write

CLI = {"sample/cli.py": "import argparse\n\n\ndef main() -> None:\n    parser = argparse.ArgumentParser()\n"
       "    parser.add_argument('--steps', type=int)\n    parser.parse_args()\n\n\nif __name__ == '__main__':\n    main()\n"}  # fmt: skip


@pytest.fixture
def baseline(sample: Path, call: Call, tmp_path: Path) -> Path:
    """The sample's matrix as a file."""
    path = tmp_path / "baseline.json"
    path.write_text(call("run", sample, "--format", "json").stdout)
    return path


def test_a_slack_file_is_said_fails_when_strict_and_is_tightened(
    sample: Path, baseline: Path, call: Call
) -> None:
    write(sample, CLI)
    old = baseline.read_bytes()
    done = call("gate", sample, "--base", baseline)
    assert done.returncode == 0
    assert f"note: {baseline} is slack: config-cli is present" in done.unwrapped
    strict = call("gate", sample, "--base", baseline, "--strict-baseline")
    assert strict.returncode == 1
    assert "broken: strict baseline: " in strict.unwrapped
    assert baseline.read_bytes() == old
    tight = call("gate", sample, "--base", baseline, "--tighten")
    assert (tight.returncode, "tightened: config-cli is present" in tight.unwrapped) == (0, True)
    assert baseline.read_text() == call("run", sample, "--format", "json").stdout
    again = call("gate", sample, "--base", baseline, "--strict-baseline")
    assert (again.returncode, again.stdout) == (0, "gate holds\n")


def test_tightening_never_loosens(sample: Path, baseline: Path, call: Call) -> None:
    write(sample, CLI | {"sample/loop.py": "def train(steps: int) -> None:\n    pass\n"})
    old = baseline.read_bytes()
    done = call("gate", sample, "--base", baseline, "--tighten")
    assert done.returncode == 1
    assert baseline.read_bytes() == old


def test_the_configuration_names_the_file(sample: Path, call: Call) -> None:
    (sample / ".matrix.json").write_text(call("run", sample, "--format", "json").stdout)
    write(sample, {"codex-audit.toml": 'baseline = ".matrix.json"\n'})
    assert call("gate", sample).returncode == 0
    write(sample, {"sample/loop.py": "def train(steps: int) -> None:\n    pass\n"})
    done = call("gate", sample)
    assert done.returncode == 1
    assert "train-loop was present at sample/loop.py:" in done.unwrapped


def test_the_commit_is_found_from_the_revision_in_the_file(
    sample: Path, baseline: Path, call: Call, git: Git
) -> None:
    write(sample, {"sample/loop.py": "def train(steps: int) -> None:\n    pass\n"})
    git("commit", "-qam", "gut it", cwd=sample)
    assert "gut it: changed sample/loop.py" in call("gate", sample, "--base", baseline).unwrapped


@pytest.mark.parametrize("option", ["--tighten", "--strict-baseline"])
def test_there_must_be_a_file(option: str, sample: Path, call: Call) -> None:
    done = call("gate", sample, "--base", "HEAD", option)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{option}: there is no written matrix" in done.stderr
    assert call("gate", sample, option).returncode == 2


def _foreign(matrix: dict[str, object]) -> object:
    return matrix | {"source": {**matrix["source"], "root_name": "other"}}  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda _: "{", "no capability matrix"),
        (lambda _: [], "no capability matrix"),
        (lambda _: {"a": 1}, "no capability matrix"),
        (lambda matrix: matrix | {"schema_version": 99}, "schema version 99 is newer than this tool"),
        (lambda matrix: matrix | {"mean": "high"}, "no capability matrix"),
        (_foreign, "give two matrices of one repository"),
    ],
    ids=["damaged", "a list", "foreign", "newer", "wrong type", "another repository"],
)  # fmt: skip
@pytest.mark.parametrize("command", ["gate", "diff"])
def test_a_wrong_file_is_one_clear_line_and_stays_as_it_is(
    command: str, change: object, says: str, sample: Path, baseline: Path, call: Call
) -> None:
    found = change(json.loads(baseline.read_text()))  # type: ignore[operator]
    baseline.write_text(found if isinstance(found, str) else json.dumps(found))
    old = baseline.read_bytes()
    options = ["gate", sample, "--base", baseline, "--tighten"]
    done = call(*(options if command == "gate" else ["diff", baseline, "HEAD", sample]))
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert done.stderr.count("\n") == 1
    assert baseline.read_bytes() == old


def test_a_missing_file_is_named(sample: Path, call: Call, tmp_path: Path) -> None:
    done = call("gate", sample, "--base", tmp_path / "none.json")
    assert (done.returncode, done.stdout) == (2, "")
    assert "none.json: no such file" in done.stderr
