"""``gate`` and ``diff``: the decision, its reason, its exit code."""

import json
from pathlib import Path

import pytest

from tests.audit.conftest import Git, Run, write

WITHOUT_CLIPPING = {
    "sample/loop.py": "import torch\n\n\ndef train(steps: int) -> None:\n    pass\n"
}


def configure(root: Path, text: str) -> None:
    (root / "codex-audit.toml").write_text(text)


def test_without_a_policy_the_gate_holds(sample: Path, audit: Run) -> None:
    done = audit("gate", sample)
    assert (done.returncode, done.stdout) == (0, "gate holds\n")


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        ("thresholds = {mean = 0.99}", "broken: mean: mean 0."),
        ("thresholds = {minimum = 0.99}", "broken: minimum: checkpointing 0."),
        ("[thresholds]\ntokenization = 0.5", "broken: minimum: tokenization 0.000 is below 0.500"),
        ('required = ["checkpoint-async"]', "required practice checkpoint-async is absent"),
    ],
    ids=["mean", "minimum", "a capability", "required"],
)
def test_a_broken_rule_is_named_with_the_smallest_change(
    policy: str, says: str, sample: Path, audit: Run
) -> None:
    configure(sample, policy)
    done = audit("gate", sample)
    assert done.returncode == 1
    assert says in done.stdout
    assert "smallest change: " in done.stdout


def test_losing_a_practice_against_the_base_is_a_regression(
    sample: Path, audit: Run, git: Git
) -> None:
    write(sample, WITHOUT_CLIPPING)
    git("commit", "-qam", "second", cwd=sample)
    done = audit("gate", sample, "--base", "HEAD~1")
    assert done.returncode == 1
    assert "train-grad-clipping was present at sample/loop.py:10 and is absent" in done.stdout
    assert audit("gate", sample, "--base", "HEAD").returncode == 0


def test_moving_and_reformatting_is_no_regression(sample: Path, audit: Run) -> None:
    body = (sample / "sample/loop.py").read_text()
    (sample / "sample/loop.py").unlink()
    write(sample, {"sample/engine.py": "\n\n# moved\n" + body.replace("optimizer", "opt")})
    write(sample, {"sample/__init__.py": "from sample.engine import train as train\n"})
    assert audit("gate", sample, "--base", "HEAD").returncode == 0


def test_a_waiver_holds_until_its_date_and_is_shown(sample: Path, audit: Run) -> None:
    policy = (
        'required = ["checkpoint-async"]\n[[waivers]]\npractice = "checkpoint-async"\n'
        'reason = "not yet"\nowner = "team"\nexpires = "{}"\n'
    )
    configure(sample, policy.format("2999-01-01"))
    done = audit("gate", sample)
    assert done.returncode == 0
    assert "waived until 2999-01-01 by team: not yet" in done.stdout
    configure(sample, policy.format("2001-01-01"))
    assert audit("gate", sample).returncode == 1


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        ('[[waivers]]\npractice = "train-loop"\nreason = "a"\nowner = "b"\nexpires = "2999-01-01"', "is idle"),
        ('[[waivers]]\npractice = "checkpoint-async"\nreason = "a"\nowner = "b"\nexpires = "soon"', "write YYYY-MM-DD"),
        ('[[waivers]]\npractice = "no-such"\nreason = "a"\nowner = "b"\nexpires = "2999-01-01"', "unknown practice"),
    ],
    ids=["idle", "no date", "unknown"],
)  # fmt: skip
def test_a_wrong_waiver_is_an_error(policy: str, says: str, sample: Path, audit: Run) -> None:
    configure(sample, policy)
    done = audit("gate", sample)
    assert done.returncode == 2
    assert says in done.stderr


def test_diff_shows_what_moved_between_revisions_and_files(
    sample: Path, audit: Run, git: Git, tmp_path: Path
) -> None:
    written = tmp_path / "old.json"
    written.write_text(audit("run", sample, "--format", "json").stdout)
    write(sample, WITHOUT_CLIPPING)
    git("commit", "-qam", "second", cwd=sample)
    by_revision = audit("diff", "HEAD~1", "HEAD", sample)
    by_file = audit("diff", written, "HEAD", sample)
    assert by_revision.returncode == 0
    assert by_revision.stdout == by_file.stdout
    assert "train-loop: present → absent" in by_revision.stdout
    changes = json.loads(audit("diff", "HEAD~1", "HEAD", sample, "--format", "json").stdout)[
        "changes"
    ]
    assert {"train-loop", "checkpoint-save"} <= {one["practice"] for one in changes}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "no capability matrix"),
        ('{"schema_version": 99}', "schema version 99 is newer"),
        ('{"a": 1}', "no capability matrix"),
    ],
    ids=["damaged", "newer", "foreign"],
)
def test_a_wrong_base_file_is_one_clear_line(
    content: str, says: str, sample: Path, audit: Run, tmp_path: Path
) -> None:
    (tmp_path / "base.json").write_text(content)
    done = audit("gate", sample, "--base", tmp_path / "base.json")
    assert done.returncode == 2
    assert says in done.stderr
