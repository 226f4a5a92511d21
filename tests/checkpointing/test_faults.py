"""A disk that is full, read-only or broken: the save fails in one line, the rest is intact."""

import errno
from pathlib import Path

import pytest

from codex_ml.checkpointing import CheckpointManager, CheckpointWarning, StorageError
from tests.checkpointing import loops
from tests.checkpointing.faults import Count, Fail, HookedFiles

ELEMENTS = 50


def boundaries_of_a_save(folder: Path) -> int:
    loops.save(loops.open_manager(folder), 1, ELEMENTS)
    count = Count()
    manager = loops.open_manager(folder, HookedFiles(count))
    before = count.calls
    loops.save(manager, 2, ELEMENTS)
    return count.calls - before


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EIO, errno.EACCES])
def test_a_failure_at_any_boundary_leaves_what_was_saved_before(tmp_path: Path, code: int) -> None:
    for at in range(1, boundaries_of_a_save(tmp_path / "count") + 1):
        folder = tmp_path / str(at)
        loops.plant(folder)
        loops.save(loops.open_manager(folder), 3, ELEMENTS)
        hook = Fail(at, code, times=10**9)
        manager = loops.open_manager(folder, HookedFiles(hook))
        hook.calls = 0
        with pytest.raises((StorageError, CheckpointWarning)) as caught:
            loops.save(manager, 4, ELEMENTS)
        assert "\n" not in str(caught.value)
        saved = caught.type is CheckpointWarning  # only tidying up failed
        assert saved or "what was saved before is intact" in str(caught.value)
        loops.check(folder, 4 if saved else 3, ELEMENTS)
        loops.check_clean(folder)


def test_after_a_full_disk_the_same_manager_saves_again(tmp_path: Path) -> None:
    hook = Fail(12, errno.ENOSPC)
    manager = loops.open_manager(tmp_path, HookedFiles(hook))
    with pytest.raises(StorageError, match="No space left on device"):
        loops.save(manager, 3, ELEMENTS)
    assert not list(tmp_path.glob(".tmp-*"))
    loops.save(manager, 3, ELEMENTS)
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
