"""Three kinds of source, one answer: paths, blob ids, bytes, and why not."""

import os
from pathlib import Path

import pytest

from audit.errors import SourceError
from audit.source.trees import Folder, WorkingTree, blob_id, open_source, texts, tree_id
from tests.audit.conftest import Git


def state(root: Path, revision: str | None = None) -> dict[str, tuple[str, str]]:
    return {e.path: (e.blob, e.problem) for e in open_source(root, revision).entries}


def test_tree_revision_and_folder_agree(sample: Path, git: Git, tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    git("archive", "-o", str(tmp_path / "a.tar"), "HEAD", cwd=sample)
    os.system(f"tar -xf {tmp_path}/a.tar -C {tmp_path}/plain")  # noqa: S605 - our own paths
    tree, revision = open_source(sample), open_source(sample, "HEAD")
    folder = open_source(tmp_path / "plain")
    assert isinstance(tree, WorkingTree)
    assert isinstance(folder, Folder)
    assert tree_id(tree.entries) == tree_id(revision.entries) == tree_id(folder.entries)
    assert not tree.dirty
    assert tree.revision == revision.revision == git("rev-parse", "HEAD", cwd=sample).strip()


@pytest.mark.parametrize("revision", [None, "HEAD"])
def test_texts_come_in_the_order_asked_and_are_empty_where_there_is_none(
    sample: Path, revision: str | None
) -> None:
    readme, licence = (sample / "README.md").read_text(), (sample / "LICENSE").read_text()
    asked = ["README.md", "nowhere.md", "LICENSE", "README.md"]
    assert list(texts(open_source(sample, revision), asked)) == [readme, "", licence, readme]


def test_edits_deletions_and_new_files_are_seen_and_ignored_ones_not(sample: Path) -> None:
    (sample / ".gitignore").write_text("*.log\n")
    (sample / "x.log").write_text("x")
    (sample / "new.py").write_text("x = 1\n")
    (sample / "README.md").write_text("changed\n")
    (sample / "LICENSE").unlink()
    found = state(sample)
    assert "x.log" not in found
    assert "LICENSE" not in found
    assert found["new.py"][0] == blob_id(b"x = 1\n")
    assert found["README.md"][0] == blob_id(b"changed\n")
    assert open_source(sample).dirty


def test_a_tree_is_dirty_by_content_not_by_time(sample: Path, git: Git) -> None:
    for one in sample.rglob("*.py"):
        os.utime(one, (1, 1))
    assert git("diff-files", "--name-only", cwd=sample)
    assert not open_source(sample).dirty
    text = (sample / "README.md").read_text()
    (sample / "README.md").write_text("staged\n")
    git("add", "README.md", cwd=sample)
    assert open_source(sample).dirty
    git("commit", "-qm", "x", cwd=sample)
    assert not open_source(sample).dirty
    (sample / "README.md").write_text(text)
    assert open_source(sample).dirty


def test_a_revision_is_read_without_a_checkout(sample: Path, git: Git, tmp_path: Path) -> None:
    git("clone", "-q", "--bare", str(sample), str(tmp_path / "bare.git"))
    source = open_source(tmp_path / "bare.git", "main")
    entry = next(e for e in source.entries if e.path == "sample/loop.py")
    ((_, content),) = source.read([entry])
    assert isinstance(content, bytes)
    assert content == (sample / "sample/loop.py").read_bytes()


def test_odd_names_links_and_submodules(sample: Path, git: Git) -> None:
    (sample / "broken").symlink_to("nowhere")
    (sample / "a").symlink_to("b")
    (sample / "b").symlink_to("a")
    (sample / "out").symlink_to("/etc/hostname")
    (sample / "fine.md").symlink_to("README.md")
    (sample / os.fsdecode(b"caf\xe9.py")).write_bytes(b"x = 1\n")
    git("init", "-q", "sub", cwd=sample)
    git("commit", "-q", "--allow-empty", "-m", "x", cwd=sample / "sub")
    git("add", "-A", cwd=sample)
    problems = {path: problem for path, (_, problem) in state(sample).items()}
    assert problems["broken"] == "broken symbolic link"
    assert problems["a"] == problems["b"] == "symbolic link in a loop"
    assert problems["out"] == "symbolic link out of the tree"
    assert problems["fine.md"] == ""
    assert problems["sub"].startswith("submodule")
    assert problems["caf\\xe9.py"] == ""
    source = open_source(sample)
    entry = next(e for e in source.entries if e.path.startswith("caf"))
    assert list(source.read([entry])) == [(entry, b"x = 1\n")]


def test_a_link_that_replaces_a_file_is_not_followed(sample: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    source = open_source(sample)
    entry = next(e for e in source.entries if e.path == "README.md")
    (sample / "README.md").unlink()
    (sample / "README.md").symlink_to(tmp_path / "secret")
    ((_, content),) = source.read([entry])
    assert isinstance(content, str)


def test_a_fifo_in_a_folder_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    (entry,) = open_source(tmp_path).entries
    assert entry.problem == "not a regular file"


def test_a_folder_leaves_out_junk(tmp_path: Path) -> None:
    for name in ("node_modules/a.py", ".venv/b.py", "__pycache__/c.py", "src/d.py"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("")
    assert list(state(tmp_path)) == ["src/d.py"]


def test_large_files_are_hashed_but_not_read(sample: Path) -> None:
    with (sample / "big.py").open("wb") as stream:
        stream.truncate(3 << 20)
    source = open_source(sample)
    entry = next(e for e in source.entries if e.path == "big.py")
    assert entry.blob == blob_id(b"\0" * (3 << 20))
    assert list(source.read([entry])) == [(entry, "larger than 1 MiB")]


def test_a_subfolder_of_a_repository_is_audited_alone(sample: Path) -> None:
    assert set(state(sample / "sample")) == {"__init__.py", "loop.py"}


def test_a_folder_that_the_repository_ignores_is_audited_for_itself(sample: Path) -> None:
    (sample / ".gitignore").write_text("out/\n")
    (sample / "out").mkdir()
    (sample / "out" / "a.py").write_text("")
    assert set(state(sample / "out")) == {"a.py"}


@pytest.mark.parametrize(
    ("make", "revision", "says"),
    [
        (lambda p, _: p / "nowhere", None, "no such folder"),
        (lambda p, _: p / "sample/README.md", None, "not a folder"),
        (lambda p, _: p / "sample", "no-such", "not a commit of this repository"),
        (lambda p, _: p / "sample", "--all", "not a revision"),
        (lambda p, g: (g("clone", "-q", "--bare", "sample", "b.git"), p / "b.git")[1], None, "add --rev HEAD"),
        (lambda p, _: ((p / "plain").mkdir(), p / "plain")[1], "HEAD", "not a Git repository"),
        (lambda p, g: (g("init", "-q", "unborn"), p / "unborn")[1], "HEAD", "not a commit"),
    ],
    ids=["nowhere", "a file", "unknown revision", "an option", "bare", "plain folder", "unborn"],
)  # fmt: skip
def test_what_cannot_be_audited_is_one_clear_line(
    make: object, revision: str | None, says: str, sample: Path, git: Git, tmp_path: Path
) -> None:
    path = make(tmp_path, git)  # type: ignore[operator]
    with pytest.raises(SourceError, match=says) as caught:
        open_source(path, revision)
    assert "\n" not in str(caught.value)


def test_a_shallow_clone_names_the_cure(sample: Path, git: Git, tmp_path: Path) -> None:
    git("commit", "-q", "--allow-empty", "-m", "second", cwd=sample)
    git("clone", "-q", "--depth", "1", f"file://{sample}", str(tmp_path / "shallow"))
    with pytest.raises(SourceError, match="git fetch --unshallow"):
        open_source(tmp_path / "shallow", "HEAD~1")


def test_empty_and_unborn_repositories_are_empty(git: Git, tmp_path: Path) -> None:
    git("init", "-q", "unborn")
    assert open_source(tmp_path / "unborn").entries == ()
    assert open_source(tmp_path / "unborn").revision == ""
