"""Cut the power of a modelled disk at any moment, and look at what is left of the checkpoints."""

import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

from codex_ml.errors import CodexError
from tests.checkpointing import loops
from tests.checkpointing.power import DROP_ALL, KEEP_ALL, JournalFiles, after_power_loss

ELEMENTS = 50
Acknowledged = list[tuple[int, int]]  # (length of the journal, step) whenever a save returned


def acknowledged(folder: Path, files: JournalFiles, *, asynchronous: bool = False) -> Acknowledged:
    """Run a loop that replaces its last checkpoint."""
    acks = []
    manager = loops.open_manager(folder, files, asynchronous=asynchronous)
    for step, overwrite in ((3, False), (4, False), (5, False), (6, False), (7, False), (7, True)):
        loops.save(manager, step, ELEMENTS, overwrite=overwrite)
        manager.wait()
        acks.append((len(files.journal), step))
    manager.close()
    return acks


def durable(acks: Acknowledged, length: int) -> int:
    """The last step reported saved when the journal had that length."""
    return max((step for position, step in acks if position <= length), default=0)


def check(root: Path, files: JournalFiles, length: int, seed: int, at_least: int) -> None:
    """Assert that a power loss after `length` operations leaves step `at_least`, and no litter."""
    left = root / "left"
    try:
        after_power_loss(root, files.journal, length, seed, left)
        (left / "run").mkdir(exist_ok=True)
        loops.plant(left / "run")
        loops.check(left / "run", at_least, ELEMENTS)
        loops.open_manager(left / "run").close()
        loops.check_clean(left / "run")
    finally:
        shutil.rmtree(left)


def moments(length: int, count: int, random: Random) -> Iterator[tuple[int, int]]:
    """Yield `count` pairs of (operations done, seed of what survives of them)."""
    for number in range(count):
        seed = (KEEP_ALL, DROP_ALL, random.randrange(1 << 30), random.randrange(1 << 30))[
            number % 4
        ]
        yield random.randrange(length + 1), seed


def run(root: Path, count: int, seed: int) -> Counter[str]:
    """Cut the power `count` times, half of them of a loop that saves in the background."""
    found = Counter({"power loss: torn or lost": 0})
    for asynchronous in (False, True):
        here, files = root / f"power-{asynchronous}", JournalFiles()
        here.mkdir()
        acks = acknowledged(here / "run", files, asynchronous=asynchronous)
        for length, what in moments(len(files.journal), count // 2, Random(seed)):
            found["power loss"] += 1
            try:
                check(here, files, length, what, durable(acks, length))
            except (AssertionError, CodexError, UserWarning) as error:
                found["power loss: torn or lost"] += 1
                print(f"power loss after {length} operations: {error!r}", file=sys.stderr)
    return found
