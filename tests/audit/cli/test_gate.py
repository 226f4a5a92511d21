"""``gate`` and ``diff``: the decision, its reason, its exit code."""

import json
from pathlib import Path

import pytest

from tests.audit.conftest import Call, Git, write

WITHOUT_CLIPPING = {
    "sample/loop.py": "import torch\n\n\ndef train(steps: int) -> None:\n    pass\n"
}


def configure(root: Path, text: str) -> None:
    (root / "codex-audit.toml").write_text(text)


def test_without_a_policy_the_gate_holds(sample: Path, call: Call) -> None:
    done = call("gate", sample)
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
    policy: str, says: str, sample: Path, call: Call
) -> None:
    configure(sample, policy)
    done = call("gate", sample)
    assert done.returncode == 1
    assert says in done.unwrapped
    assert "smallest change: " in done.stdout


def test_losing_a_practice_against_the_base_is_a_regression(
    sample: Path, call: Call, git: Git
) -> None:
    write(sample, WITHOUT_CLIPPING)
    git("commit", "-qam", "second", cwd=sample)
    done = call("gate", sample, "--base", "HEAD~1")
    assert done.returncode == 1
    assert "train-grad-clipping was present at sample/loop.py:10 and is absent" in done.unwrapped
    assert call("gate", sample, "--base", "HEAD").returncode == 0


def test_moving_and_reformatting_is_no_regression(sample: Path, call: Call) -> None:
    body = (sample / "sample/loop.py").read_text()
    (sample / "sample/loop.py").unlink()
    write(sample, {"sample/engine.py": "\n\n# moved\n" + body.replace("optimizer", "opt")})
    write(sample, {"sample/__init__.py": "from sample.engine import train as train\n"})
    assert call("gate", sample, "--base", "HEAD").returncode == 0


WAIVER = (
    '[[waivers]]\npractice = "checkpoint-async"\nreason = "not yet"\nowner = "team"\n'
    'expires = "2030-06-01"\n'
)


def test_a_waiver_holds_until_its_date_and_is_shown(sample: Path, call: Call) -> None:
    configure(sample, 'required = ["checkpoint-async"]\n' + WAIVER)
    last = call("gate", sample, "--date", "2030-05-31")
    assert last.returncode == 0
    assert "waived until 2030-06-01 by team: not yet" in last.unwrapped
    ended = call("gate", sample, "--date", "2030-06-01")
    assert ended.returncode == 1
    assert "checkpoint-async is absent; its waiver ended on 2030-06-01" in ended.unwrapped


def test_a_waived_practice_is_no_part_of_a_bar(sample: Path, call: Call) -> None:
    bar = "[thresholds]\ncheckpointing = {}\n"
    configure(sample, WAIVER)
    matrix = json.loads(call("run", sample, "--format", "json").stdout)
    (score,) = (c["score"] for c in matrix["capabilities"] if c["id"] == "checkpointing")
    configure(sample, WAIVER + bar.format(round(score + 0.005, 3)))
    done = call("gate", sample, "--date", "2030-01-01")
    assert (done.returncode, "waived until 2030-06-01" in done.unwrapped) == (0, True)
    assert call("gate", sample, "--date", "2030-06-01").returncode == 1
    configure(sample, WAIVER + bar.format(0.9))
    assert call("gate", sample, "--date", "2030-01-01").returncode == 1


def test_every_report_shows_the_waiver_and_none_depends_on_the_day(
    sample: Path, call: Call, tmp_path: Path
) -> None:
    configure(sample, WAIVER)
    call("run", sample, "--format", "text", "--out", tmp_path / "out")
    for suffix in ("txt", "json", "md", "html"):
        report = (tmp_path / f"out/reports/capability_matrix.{suffix}").read_text()
        for words in ("checkpoint-async", "not yet", "team", "2030-06-01"):
            assert words in report.replace("\\", ""), (suffix, words)


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        ('[[waivers]]\npractice = "train-loop"\nreason = "a"\nowner = "b"\nexpires = "2999-01-01"', "is idle"),
        ('[[waivers]]\npractice = "checkpoint-async"\nreason = "a"\nowner = "b"\nexpires = "soon"', "write YYYY-MM-DD"),
        ('[[waivers]]\npractice = "no-such"\nreason = "a"\nowner = "b"\nexpires = "2999-01-01"', "unknown practice"),
    ],
    ids=["idle", "no date", "unknown"],
)  # fmt: skip
def test_a_wrong_waiver_is_an_error(policy: str, says: str, sample: Path, call: Call) -> None:
    configure(sample, policy)
    done = call("gate", sample)
    assert done.returncode == 2
    assert says in done.stderr


def test_diff_shows_what_moved_between_revisions_and_files(
    sample: Path, call: Call, git: Git, tmp_path: Path
) -> None:
    written = tmp_path / "old.json"
    written.write_text(call("run", sample, "--format", "json").stdout)
    write(sample, WITHOUT_CLIPPING)
    git("commit", "-qam", "second", cwd=sample)
    by_revision = call("diff", "HEAD~1", "HEAD", sample)
    by_file = call("diff", written, "HEAD", sample)
    assert by_revision.returncode == 0
    assert by_revision.stdout == by_file.stdout
    assert "train-loop: present → absent" in by_revision.stdout
    changes = json.loads(call("diff", "HEAD~1", "HEAD", sample, "--format", "json").stdout)[
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
    content: str, says: str, sample: Path, call: Call, tmp_path: Path
) -> None:
    (tmp_path / "base.json").write_text(content)
    done = call("gate", sample, "--base", tmp_path / "base.json")
    assert done.returncode == 2
    assert says in done.stderr
