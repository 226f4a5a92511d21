"""``history``: scores over real commits, each blob read once, nothing checked out."""

import json
from pathlib import Path

import jsonschema
import pytest

from audit.source import git as git_program
from tests.audit.conftest import FILES, Call, Git, write

ROOT = Path(__file__).parents[3]
LOOP = FILES["sample/loop.py"]
NO_CLIPPING = LOOP.replace("        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)\n", "")


@pytest.fixture
def repository(sample: Path, git: Git) -> Path:
    """Five commits: clipping goes, comes back in a renamed file."""
    steps: tuple[tuple[str, dict[str, str]], ...] = (
        ("drop clipping", {"sample/loop.py": NO_CLIPPING}),
        ("a note", {"notes.txt": "x"}),
        ("clip again", {"sample/loop.py": LOOP}),
        ("rename", {"sample/engine.py": LOOP, "sample/__init__.py": "from sample.engine import train as train\n"}),
    )  # fmt: skip
    for message, files in steps:
        write(sample, files)
        if message == "rename":
            (sample / "sample/loop.py").unlink()
        git("add", "-A", cwd=sample)
        git("commit", "-q", "-m", message, cwd=sample)
    return sample


def points(call: Call, *arguments: object) -> list[dict[str, object]]:
    done = call("history", *arguments, "--format", "json")
    assert (done.returncode, done.stderr) == (0, "")
    found: list[dict[str, object]] = json.loads(done.stdout)["points"]
    return found


def test_each_change_is_at_its_commit(repository: Path, call: Call) -> None:
    found = points(call, repository)
    assert [one["subject"] for one in found] == [
        "first",
        "drop clipping",
        "a note",
        "clip again",
        "rename",
    ]
    changed = {
        one["subject"]: (one["lost"], one["gained"], one["files"])
        for one in found
        if one["lost"] or one["gained"]
    }
    assert changed == {
        "drop clipping": (["train-grad-clipping"], [], ["changed sample/loop.py"]),
        "clip again": ([], ["train-grad-clipping"], ["changed sample/loop.py"]),
    }
    assert found[0]["mean"] == found[3]["mean"]


def test_scores_are_those_of_an_audit_of_the_revision(repository: Path, call: Call) -> None:
    found = points(call, repository, "--last", "3")
    for place, revision in enumerate(("HEAD~2", "HEAD~1", "HEAD")):
        matrix = json.loads(call("run", repository, "--rev", revision, "--format", "json").stdout)
        assert found[place]["mean"] == matrix["mean"]
        assert found[place]["commit"] == matrix["source"]["revision"]


def test_since_starts_at_the_revision(repository: Path, call: Call) -> None:
    assert [one["subject"] for one in points(call, repository, "--since", "HEAD~1")] == [
        "clip again",
        "rename",
    ]


def test_one_process_and_many_cold_and_warm_give_the_same_bytes(
    repository: Path, call: Call
) -> None:
    runs = [
        ("--jobs", "1", "--no-cache"),
        ("--jobs", "2", "--no-cache"),
        ("--jobs", "2"),
        ("--jobs", "2"),
    ]
    assert (
        len({call("history", repository, "--format", "html", *options).stdout for options in runs})
        == 1
    )


def test_a_blob_is_read_once_and_a_warm_run_reads_none(
    repository: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    whole = git_program.blobs

    def counted(root: Path, ids: list[str], limit: int) -> object:
        read.extend(ids)
        return whole(root, ids, limit)

    call("run", repository)  # reads the working tree, not the object store
    monkeypatch.setattr(git_program, "blobs", counted)
    call("history", repository, "--jobs", "1", "--no-cache")
    assert read
    facts = [one for one in read if read.count(one) > 2]
    assert facts == []  # once for facts, once for the normalised code of evidence
    call("history", repository, "--jobs", "1")
    read.clear()
    call("history", repository, "--jobs", "1")
    assert read == []


def test_the_json_fits_its_published_schema(repository: Path, call: Call) -> None:
    schema = json.loads((ROOT / "docs/schemas/history.schema.json").read_text())
    found = json.loads(call("history", repository, "--format", "json").stdout)
    jsonschema.Draft202012Validator(schema).validate(found)


def test_a_shallow_clone_has_the_history_that_it_has(
    repository: Path, call: Call, git: Git, tmp_path: Path
) -> None:
    git("clone", "-q", "--depth", "2", f"file://{repository}", str(tmp_path / "clone"))
    assert len(points(call, tmp_path / "clone")) == 2


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--since", "nope"], "revision 'nope': not a commit of this repository"),
        (["--since", "side"], "--since side: not among the commits before"),
        (["--last", "0"], "0 is not in the range"),
        (["--format", "pdf"], "'pdf' is not one of"),
    ],
    ids=["unknown", "another branch", "none", "format"],
)
def test_a_mistake_is_one_clear_line(
    arguments: list[str], says: str, repository: Path, call: Call, git: Git
) -> None:
    git("branch", "side", cwd=repository)
    git("checkout", "-q", "side", cwd=repository)
    write(repository, {"side.txt": "x"})
    git("add", "-A", cwd=repository)
    git("commit", "-q", "-m", "side", cwd=repository)
    git("checkout", "-q", "main", cwd=repository)
    done = call("history", repository, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr


def test_a_folder_without_commits_says_so(tmp_path: Path, call: Call) -> None:
    write(tmp_path / "plain", {"a.py": "x = 1\n"})
    done = call("history", tmp_path / "plain")
    assert (done.returncode, done.stdout) == (2, "")
    assert "plain: no commits here: give a Git repository" in done.stderr
