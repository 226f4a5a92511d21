"""A disk that is full, read-only or broken: the save fails in one line, the rest is intact."""

import errno
from pathlib import Path
from random import Random

import pytest

from codex_ml.checkpointing import CheckpointManager, CheckpointWarning, StorageError
from tests.checkpointing import disks, loops
from tests.checkpointing.faults import Fail, HookedFiles


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS])
def test_a_failure_at_any_boundary_leaves_what_was_saved_before(tmp_path: Path, code: int) -> None:
    for at in range(1, disks.boundaries_of_a_save(tmp_path / "count") + 1):
        assert disks.fail(tmp_path / str(at), at, code, background=False)


def test_the_campaign_counts(tmp_path: Path) -> None:
    found = disks.run(tmp_path, 40, seed=1)
    assert found["disk: state before not intact"] == 0
    assert found["disk: ENOSPC"] == found["disk: EIO"] == 8


def test_a_slow_disk_is_read_from_at_every_boundary(tmp_path: Path) -> None:
    assert disks.slowly(tmp_path, Random(0)) > 100


def test_after_a_full_disk_the_same_manager_saves_again(tmp_path: Path) -> None:
    hook = Fail(12, errno.ENOSPC)
    manager = loops.open_manager(tmp_path, HookedFiles(hook))
    with pytest.raises(StorageError, match="No space left on device"):
        loops.save(manager, 3, disks.ELEMENTS)
    assert not list(tmp_path.glob(".tmp-*"))
    loops.save(manager, 3, disks.ELEMENTS)
    assert manager.load().step == 3


def test_a_file_in_the_way_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("not a folder")
    with pytest.raises(StorageError, match="run"):
        CheckpointManager(tmp_path / "run" / "sub").save(1, value=1)


def test_what_retention_cannot_delete_stays_and_is_told(tmp_path: Path) -> None:
    def hook(operation: str, path: Path) -> None:
        if operation == "rename" and path.name == "manifest.json":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))

    manager = CheckpointManager(tmp_path, keep_last=1, files=HookedFiles(hook))
    manager.save(1, value=1)
    with pytest.warns(CheckpointWarning, match="step 2 is saved, but .*Permission denied"):
        manager.save(2, value=2)
    assert manager.load(1)["value"] == 1
