"""Files hashed before are not read again; what may have changed is."""

import os
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from audit.source import trees
from audit.source.stamps import Stamps
from audit.source.trees import blob_id, open_source
from audit.store import Store

HOUR_NS = 3_600_000_000_000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(tmp_path / "cache.sqlite")) as opened:
        yield opened


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that are read to be hashed, while time stands two hours on."""
    names: list[str] = []
    real, now = trees._hash, time.time_ns() + 2 * HOUR_NS
    monkeypatch.setattr("audit.source.stamps.time.time_ns", lambda: now)

    def noting(full: bytes, algorithm: str) -> str:
        names.append(os.fsdecode(full))
        return real(full, algorithm)

    monkeypatch.setattr(trees, "_hash", noting)
    return names


def blobs(root: Path, store: Store) -> dict[str, str]:
    return {one.path: one.blob for one in open_source(root, None, store).entries}


@pytest.mark.parametrize("tracked", [False, True], ids=["plain folder", "touched checkout"])
def test_what_has_not_changed_is_hashed_once(
    tracked: bool, sample: Path, tmp_path: Path, store: Store, hashed: list[str]
) -> None:
    root = sample
    if tracked:
        for one in sample.rglob("*.py"):
            os.utime(one, (1, 1))  # the index knows other times
    else:
        root = tmp_path / "plain"
        (root / "a").mkdir(parents=True)
        (root / "a" / "x.py").write_text("x = 1\n")
    first = blobs(root, store)
    assert hashed
    hashed.clear()
    assert blobs(root, store) == first
    assert hashed == []


def test_a_file_of_the_same_size_and_time_is_read_again_when_its_inode_changed(
    tmp_path: Path, store: Store, hashed: list[str]
) -> None:
    root = tmp_path / "plain"
    root.mkdir()
    (root / "x.py").write_text("x = 1\n")
    os.utime(root / "x.py", (1, 1))
    blobs(root, store)
    (root / "x.py").write_text("x = 2\n")
    os.utime(root / "x.py", (1, 1))
    assert blobs(root, store) == {"x.py": blob_id(b"x = 2\n")}


def test_a_file_changed_just_now_is_not_trusted(tmp_path: Path, store: Store) -> None:
    root = tmp_path / "plain"
    root.mkdir()
    (root / "x.py").write_text("x = 1\n")
    blobs(root, store)
    assert store.get([Stamps(root, store)._key]) == {}
