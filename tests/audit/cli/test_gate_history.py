"""``gate --base`` and ``diff`` over real histories: what was lost, by which commit and file."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.audit.conftest import FILES, Call, Done, Git, write

LOOP = FILES["sample/loop.py"]
NO_CLIPPING = LOOP.replace("        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)\n", "")


def commit(root: Path, git: Git, message: str, files: dict[str, str] | None = None) -> str:
    write(root, files or {"notes.txt": message})
    git("add", "-A", cwd=root)
    git("commit", "-q", "-m", message, cwd=root)
    return git("rev-parse", "HEAD", cwd=root).strip()


def decision(done: Done) -> dict[str, list[dict[str, object]]]:
    found: dict[str, list[dict[str, object]]] = json.loads(done.stdout)
    return found


def test_the_commit_and_the_file_that_lost_a_practice_are_named(
    sample: Path, call: Call, git: Git
) -> None:
    for number in range(3):
        commit(sample, git, f"before {number}")
    guilty = commit(sample, git, "drop clipping", {"sample/loop.py": NO_CLIPPING, "other.txt": "x"})
    for number in range(3):
        commit(sample, git, f"after {number}")
    done = call("gate", sample, "--base", "HEAD~7", "--format", "json")
    assert done.returncode == 1
    (rule,) = (o for o in decision(done)["broken"] if o["practice"] == "train-grad-clipping")
    assert rule["says"] == "train-grad-clipping was present at sample/loop.py:10 and is absent"
    assert rule["blame"] == {
        "commit": guilty, "subject": "drop clipping", "files": ["changed sample/loop.py"], "undone": False,
    }  # fmt: skip
    assert "restore sample/loop.py:10" in str(rule["cure"])


def test_a_commit_inside_a_merge_is_found(sample: Path, call: Call, git: Git) -> None:
    base = git("rev-parse", "HEAD", cwd=sample).strip()
    git("checkout", "-q", "-b", "side", cwd=sample)
    commit(sample, git, "side work")
    guilty = commit(sample, git, "drop clipping", {"sample/loop.py": NO_CLIPPING})
    commit(sample, git, "more side work")
    git("checkout", "-q", "main", cwd=sample)
    commit(sample, git, "main work", {"main.txt": "x"})
    git("merge", "-q", "--no-ff", "-m", "merge side", "side", cwd=sample)
    commit(sample, git, "after", {"after.txt": "x"})
    done = call("diff", base, "HEAD", sample, "--format", "json")
    (change,) = (c for c in decision(done)["changes"] if c["practice"] == "train-grad-clipping")
    assert change["blame"]["commit"] == guilty  # type: ignore[index]


def test_uncommitted_changes_are_told_from_commits(sample: Path, call: Call, git: Git) -> None:
    commit(sample, git, "harmless")
    write(sample, {"sample/loop.py": NO_CLIPPING})
    done = call("gate", sample, "--base", "HEAD~1")
    assert done.returncode == 1
    assert "    by uncommitted changes: changed sample/loop.py\n" in done.unwrapped


def test_what_the_base_branch_gained_since_is_no_loss(sample: Path, call: Call, git: Git) -> None:
    write(sample, {"sample/loop.py": NO_CLIPPING})
    git("commit", "-qam", "without", cwd=sample)
    git("checkout", "-q", "-b", "topic", cwd=sample)
    commit(sample, git, "topic work")
    git("checkout", "-q", "main", cwd=sample)
    commit(sample, git, "clip again", {"sample/loop.py": LOOP})
    git("checkout", "-q", "topic", cwd=sample)
    done = call("gate", sample, "--base", "main")
    assert (done.returncode, done.stderr) == (0, "")
    assert "main has gone on: compared with " in done.unwrapped
    both = call("diff", "main", "topic", sample)
    assert "train-grad-clipping: present → absent" in both.unwrapped
    assert "clip again (which only the old revision has): changed sample/loop.py" in both.unwrapped


@pytest.mark.parametrize(
    "files",
    [
        {"sample/loop.py": None, "sample/engine.py": LOOP, "sample/__init__.py": "from sample.engine import train as train\n"},
        {"sample/loop.py": "# a comment\n\n\n" + LOOP.replace("optimizer", "opt").replace("    ", "  ")},
        {"sample/loop.py": LOOP.replace("(model.parameters(), 1.0)", "(\n            model.parameters(),\n            1.0,\n        )")},
    ],
    ids=["the file is renamed", "lines shift, locals are renamed, indented otherwise", "a call is split"],
)  # fmt: skip
def test_moved_and_reformatted_code_loses_nothing(
    files: dict[str, str | None], sample: Path, call: Call, git: Git
) -> None:
    for name, content in files.items():
        (sample / name).unlink() if content is None else write(sample, {name: content})
    git("add", "-A", cwd=sample)
    git("commit", "-q", "-m", "move", cwd=sample)
    assert call("gate", sample, "--base", "HEAD~1").returncode == 0
    moved = json.loads(call("diff", "HEAD~1", "HEAD", sample, "--format", "json").stdout)
    assert [one["practice"] for one in moved["changes"]] == []


def test_removing_the_tests_is_a_regression_that_names_the_evidence(
    sample: Path, call: Call, git: Git
) -> None:
    (sample / "tests/test_loop.py").unlink()
    git("commit", "-qam", "untested", cwd=sample)
    done = call("gate", sample, "--base", "HEAD~1")
    assert done.returncode == 1
    assert "training-engine fell from" in done.unwrapped
    assert "(no test reaches it any more)" in done.unwrapped
    assert "untested: deleted tests/test_loop.py" in done.unwrapped


def test_a_shallow_clone_is_told_how_to_get_the_base(
    sample: Path, call: Call, git: Git, tmp_path: Path
) -> None:
    first = git("rev-parse", "HEAD", cwd=sample).strip()
    commit(sample, git, "second")
    git("clone", "-q", "--depth", "1", f"file://{sample}", str(tmp_path / "clone"))
    for base in ("HEAD~1", first):
        done = call("gate", tmp_path / "clone", "--base", base)
        assert (done.returncode, done.stdout) == (2, "")
        assert "this clone is shallow: git fetch --unshallow" in done.stderr
        assert done.stderr.count("\n") == 1


def test_a_revision_of_another_repository_is_refused(
    sample: Path, call: Call, git: Git, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    write(other, {"a.txt": "a"})
    git("init", "-q", "-b", "main", cwd=other)
    foreign = commit(other, git, "foreign")
    done = call("gate", sample, "--base", foreign)
    assert (done.returncode, done.stdout) == (2, "")
    assert "not a commit of this repository" in done.stderr
    git("fetch", "-q", str(other), "main:other", cwd=sample)
    for command in (("gate", sample, "--base", "other"), ("diff", "other", "HEAD", sample)):
        done = call(*command)
        assert (done.returncode, done.stdout) == (2, "")
        assert "share no history: is it a revision of another repository?" in done.stderr


def test_a_loosened_policy_is_said(sample: Path, call: Call, git: Git) -> None:
    commit(
        sample,
        git,
        "policy",
        {
            "codex-audit.toml": 'required = ["train-loop", "checkpoint-save"]\n[thresholds]\nmean = 0.1\n'
        },
    )
    rule = 'id = "a"\ncapability = "b"\nrole = "safeguard"\ntitle = "t"\nwhy = "w"\nfix = "f"\nfiles = ["*"]'
    commit(
        sample, git, "looser",
        {"codex-audit.toml": 'required = ["train-loop"]\n[not_applicable]\nserve-http = "a library"\n'
         f"[[rules]]\n{rule}\n"},
    )  # fmt: skip
    done = call("gate", sample, "--base", "HEAD~1")
    assert done.returncode == 0
    notes = [line.split(": ", 2)[2] for line in done.unwrapped.splitlines() if "loosened" in line]
    assert notes == [
        "thresholds.mean 0.1 → 0",
        "checkpoint-save is not required any more",
        "serve-http is not applicable: a library",
        "rules changed",
    ]


def test_commits_are_audited_without_touching_the_working_tree(
    sample: Path, call: Call, git: Git
) -> None:
    commit(sample, git, "drop clipping", {"sample/loop.py": NO_CLIPPING})
    before = {p: p.read_bytes() for p in sample.rglob("*") if p.is_file() and p.name != "index"}
    call("gate", sample, "--base", "HEAD~1")
    assert before == {p: p.read_bytes() for p in before}
    assert git("status", "--porcelain", cwd=sample) == ""
    worktrees = subprocess.check_output(["git", "worktree", "list"], cwd=sample, text=True)
    assert worktrees.count("\n") == 1


def test_a_commit_of_a_branch_that_merged_its_base_is_found(
    sample: Path, call: Call, git: Git
) -> None:
    git("checkout", "-q", "-b", "topic", cwd=sample)
    commit(sample, git, "topic work", {"topic.txt": "x"})
    git("checkout", "-q", "main", cwd=sample)
    commit(sample, git, "main work", {"main.txt": "x"})
    git("checkout", "-q", "topic", cwd=sample)
    git("merge", "-q", "--no-ff", "-m", "merge main", "main", cwd=sample)
    guilty = commit(sample, git, "drop clipping", {"sample/loop.py": NO_CLIPPING})
    commit(sample, git, "more topic work", {"more.txt": "x"})
    done = call("gate", sample, "--base", "main", "--format", "json")
    (rule,) = (o for o in decision(done)["broken"] if o["practice"] == "train-grad-clipping")
    assert rule["blame"]["commit"] == guilty  # type: ignore[index]


def test_of_two_commits_that_made_a_change_the_last_is_named(
    sample: Path, call: Call, git: Git
) -> None:
    for message, content in (("drop", NO_CLIPPING), ("restore", LOOP), ("drop again", NO_CLIPPING)):
        guilty = commit(sample, git, message, {"sample/loop.py": content})
        for number in range(2):
            commit(sample, git, f"{message} {number}")
    done = call("gate", sample, "--base", "HEAD~9", "--format", "json")
    (rule,) = (o for o in decision(done)["broken"] if o["practice"] == "train-grad-clipping")
    assert rule["blame"]["commit"] == guilty  # type: ignore[index]
