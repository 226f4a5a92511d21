"""Kill real writers, at every boundary and at random, and look at what is left.

    python -m tests.checkpointing.kills --boundary 1000 --random 1000

Prints one JSON object; exit code 1 if a checkpoint was torn or lost, or a
foreign file touched. Each writer is a forked process that goes on where the
killed one before it stopped, in the same folder, and tells through a pipe what
was reported saved.
"""

import argparse
import json
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

import torch

from codex_ml.checkpointing.files import LOCAL, Files
from codex_ml.errors import CodexError
from tests.checkpointing import loops
from tests.checkpointing.faults import Count, Die, HookedFiles

SMALL, LARGE = 200, 1_000_000  # float32 elements of the model
STRIDE = 101  # a prime


def write_on(folder: Path, files: Files, elements: int, pipe: int, *, asynchronous: bool) -> None:
    """Save for ever, or until killed; every third step is saved twice."""
    manager = loops.open_manager(folder, files, asynchronous=asynchronous)
    step = 2 + max((int(path.name[5:13]) for path in folder.glob("step-*")), default=0)
    os.write(pipe, (0).to_bytes(8, "little"))
    while True:
        for overwrite in (False, True)[: 1 + (step % 3 == 0)]:
            loops.save(manager, step, elements, overwrite=overwrite)
            manager.wait()
        os.write(pipe, step.to_bytes(8, "little"))
        step += 1


def fork_writer(write: Callable[[int], None]) -> tuple[int, int]:
    """Return (process id, pipe to read from) of a child that runs `write`."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            write(writing)
        finally:
            os._exit(1)
    os.close(writing)
    return child, reading


def acknowledged(pipe: int) -> int:
    """Return the last step in the pipe."""
    with os.fdopen(pipe, "rb") as stream:
        data = stream.read()
    return int.from_bytes(data[-8:], "little") if data else 0


def stamps(folder: Path) -> dict[str, tuple[int, int]]:
    """Return what changes when a foreign file is touched."""
    stats = {name: (folder / name).stat() for name in loops.FOREIGN}
    return {name: (stat.st_ino, stat.st_mtime_ns) for name, stat in stats.items()}


def boundary_kill(folder: Path, number: int, *, asynchronous: bool) -> int:
    """Kill a writer at its boundary `number`; return the last step reported saved."""
    files = HookedFiles(Die(number))
    child, pipe = fork_writer(
        lambda out: write_on(folder, files, SMALL, out, asynchronous=asynchronous)
    )
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), "the writer ended by itself"
    return acknowledged(pipe)


def random_kill(folder: Path, random: Random, *, asynchronous: bool) -> int:
    """Kill a writer of larger checkpoints at a random moment."""
    child, pipe = fork_writer(
        lambda out: write_on(folder, LOCAL, LARGE, out, asynchronous=asynchronous)
    )
    time.sleep(random.uniform(0.001, 0.06))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return acknowledged(pipe)


def boundaries(folder: Path) -> int:
    """Count the boundaries of a writer's opening and its first six saves."""
    count = Count()
    manager = loops.open_manager(folder, HookedFiles(count))
    for step in range(3, 9):
        loops.save(manager, step, SMALL)
    return count.calls


class Campaign:
    """One folder, its foreign files, and what was found after every kill."""

    def __init__(self, folder: Path, elements: int) -> None:
        self.folder, self.elements = folder, elements
        loops.plant(folder)
        self.stamps = stamps(folder)
        self.durable = 0
        self.found: Counter[str] = Counter()

    def after(self, kind: str, step: int) -> None:
        """Check the folder after a kill."""
        self.durable = max(self.durable, step)
        self.found[kind] += 1
        try:
            self.durable = loops.check(self.folder, self.durable, self.elements)
            loops.check_clean(self.folder)
        except (AssertionError, CodexError, UserWarning) as error:
            self.found["torn or lost"] += 1
            print(f"{kind} kill {self.found[kind]}: {error!r}", file=sys.stderr)
        if stamps(self.folder) != self.stamps:
            self.found["foreign files touched"] += 1


def run(root: Path, boundary: int, at_random: int, seed: int) -> Counter[str]:
    """Run both campaigns; half of the writers save in the background."""
    random = Random(seed)
    count = boundaries(root / "count")
    small = Campaign(root / "small", SMALL)
    for number in range(boundary):
        cycle, place = divmod(number, count)
        at = 1 + (place * STRIDE) % count  # a sample, too, is spread over all boundaries
        small.after("boundary", boundary_kill(small.folder, at, asynchronous=cycle % 2 == 1))
    large = Campaign(root / "large", LARGE)
    for number in range(at_random):
        large.after("random", random_kill(large.folder, random, asynchronous=number % 2 == 1))
    return Counter({"boundaries": count}) + small.found + large.found


def control(root: Path, count: int, random: Random) -> Counter[str]:
    """Kill a loop of plain `torch.save` the same way: the campaign has to tear its file."""
    path = root / "control.pt"
    found: Counter[str] = Counter()

    def write(pipe: int) -> None:
        os.write(pipe, b"0")
        for step in range(10**9):
            torch.save(loops.state(step, LARGE), path)

    for _ in range(count):
        child, pipe = fork_writer(write)
        time.sleep(random.uniform(0.001, 0.06))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(pipe)
        found["control"] += 1
        try:
            torch.load(path, weights_only=True)
        except (RuntimeError, OSError, EOFError):
            found["control: torch.save torn"] += 1
    return found


def main() -> int:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--boundary", type=int, default=1000)
    parser.add_argument("--random", type=int, default=1000)
    parser.add_argument("--control", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as root:
        found = run(Path(root), options.boundary, options.random, options.seed)
        found += control(Path(root), options.control, Random(options.seed))
    bad = {name: found[name] for name in ("torn or lost", "foreign files touched")}
    print(json.dumps(dict(found) | bad))
    return 1 if any(bad.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
