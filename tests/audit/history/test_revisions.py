"""What the trees of a history share is read once."""

from pathlib import Path

import pytest

from audit.history.revisions import Read
from audit.source import git as git_program
from audit.source.trees import Revision
from tests.audit.conftest import Git, write


def test_a_tree_reads_only_the_blobs_that_the_one_before_did_not_have(
    sample: Path, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(sample, {"sample/loop.py": "x = 1\n"})
    git("commit", "-qam", "second", cwd=sample)
    asked: list[str] = []
    whole = git_program.blobs

    def counted(root: Path, ids: list[str], limit: int) -> object:
        asked.extend(ids)
        return whole(root, ids, limit)

    monkeypatch.setattr(git_program, "blobs", counted)
    old, new = Revision(sample, "HEAD~1"), Revision(sample, "HEAD")
    first = Read(old, None)
    assert list(first.read(old.entries)) == list(first.read(old.entries))
    assert len(asked) == len({one.blob for one in old.entries})
    asked.clear()
    second = Read(new, first)
    contents = {entry.path: content for entry, content in second.read(new.entries)}
    assert contents["sample/loop.py"] == b"x = 1\n"
    assert len(asked) == 1
    assert second.contents.keys() == {one.blob for one in new.entries}
