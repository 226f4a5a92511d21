"""Disks that are full, read-only, broken or slow, at any boundary of a save."""

import errno
import sys
import time
import warnings
from collections import Counter
from pathlib import Path
from random import Random

from codex_ml.checkpointing import CheckpointWarning, StorageError
from codex_ml.errors import CodexError
from tests.checkpointing import loops
from tests.checkpointing.faults import Count, Fail, HookedFiles

ELEMENTS = 50
CODES = (errno.ENOSPC, errno.EROFS, errno.EIO, errno.EACCES, errno.EDQUOT)
FOR_EVER = 10**9


def boundaries_of_a_save(folder: Path) -> int:
    """Count the boundaries of the second save in a folder."""
    loops.save(loops.open_manager(folder), 1, ELEMENTS)
    count = Count()
    manager = loops.open_manager(folder, HookedFiles(count))
    before = count.calls
    loops.save(manager, 2, ELEMENTS)
    return count.calls - before


def fail(folder: Path, at: int, code: int, times: int = FOR_EVER, *, background: bool) -> str:
    """Fail `times` boundaries from `at` on; assert that the save says so and the rest is intact."""
    loops.plant(folder)
    loops.save(loops.open_manager(folder), 3, ELEMENTS)
    hook = Fail(at, code, times)
    manager = loops.open_manager(folder, HookedFiles(hook), asynchronous=background)
    hook.calls = 0
    told = ""
    with warnings.catch_warnings():
        warnings.simplefilter("error", CheckpointWarning)
        try:
            loops.save(manager, 4, ELEMENTS)
            manager.wait()
        except StorageError as error:
            told = str(error)
            assert "what was saved before is intact" in told
        except CheckpointWarning as warning:  # only tidying up failed
            told = str(warning)
    saved = not told or told.startswith("step 4 is saved, but")
    assert "\n" not in told
    loops.check(folder, 4 if saved else 3, ELEMENTS)
    hook.at = 0
    loops.open_manager(folder).close()
    loops.check_clean(folder)
    return told


class Slow(Count):
    """Takes its time at every boundary, and looks whether the previous checkpoint is whole."""

    def __init__(self, folder: Path, random: Random) -> None:
        super().__init__()
        self.folder, self.random, self.durable = folder, random, 0

    def __call__(self, operation: str, path: Path) -> None:
        super().__call__(operation, path)
        time.sleep(self.random.uniform(0, 0.002))
        if self.durable:
            loops.check(self.folder, self.durable, ELEMENTS)


def slowly(folder: Path, random: Random) -> int:
    """Save on a slow disk and read at each of its boundaries; return their number."""
    loops.plant(folder)
    slow = Slow(folder, random)
    manager = loops.open_manager(folder, HookedFiles(slow))
    for step in range(3, 8):
        loops.save(manager, step, ELEMENTS)
        slow.durable = step
    return slow.calls


def run(root: Path, count: int, seed: int) -> Counter[str]:
    """Fail `count` saves at random, half of them once and half for good; then save slowly."""
    random = Random(seed)
    boundaries = boundaries_of_a_save(root / "disks-count")
    found = Counter({"disk: state before not intact": 0})
    for number in range(count):
        code = CODES[number % len(CODES)]
        at, times = random.randint(1, boundaries), random.choice((1, FOR_EVER))
        found[f"disk: {errno.errorcode[code]}"] += 1
        try:
            fail(root / f"disk-{number}", at, code, times, background=random.random() < 0.5)
        except (AssertionError, CodexError, UserWarning, OSError) as error:
            found["disk: state before not intact"] += 1
            print(f"{errno.errorcode[code]} at {at}, {times} times: {error!r}", file=sys.stderr)
    for number in range(count // 100):
        found["disk: slow, looked at"] += slowly(root / f"slow-{number}", random)
    return found
