"""Time and memory of an audit: cold, warm, after an edit, against parsing alone and a peer.

Usage: python benchmarks/audit.py REPOSITORY... [--rounds N] [--peer 'COMMAND {tree}']

Each repository is copied first: nothing is written into it. One round runs, one after
the other: parsing every Python file and nothing else (the floor, one process), the
audit with an empty cache, again unchanged, again with one product file edited, and the
peer. Machines are noisy: read the medians of the ratios, not the seconds. Seconds of
CPU count all processes; memory is that of the largest.
"""

import argparse
import os
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

FLOOR = """
import subprocess, sys
names = subprocess.run(["git", "ls-files", "-z", "*.py"], capture_output=True).stdout
for name in names.decode(errors="surrogateescape").split("\\0")[:-1]:
    try:
        compile(open(name, "rb").read(), name, "exec", 0x400, dont_inherit=True)
    except (OSError, SyntaxError, ValueError, RecursionError):
        pass
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one process and its children took."""

    wall: float
    cpu: float
    peak: float
    """Resident memory of the largest process, MB."""


def cost(argv: list[str], tree: Path, cache: Path) -> Cost:
    """Run a command to its end.

    Raises:
        SystemExit: it failed, so its time says nothing.
    """
    start = time.perf_counter()
    process = subprocess.Popen(
        argv, cwd=tree, env={**os.environ, "XDG_CACHE_HOME": str(cache)},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    if code := os.waitstatus_to_exitcode(status):
        raise SystemExit(f"{shlex.join(argv)}: exit {code}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def one_round(tree: Path, cache: Path, peer: str | None) -> dict[str, Cost]:
    """Measure everything once, interleaved."""
    audit = [sys.executable, "-m", "audit", "run", str(tree), "--fast", "--format", "json"]
    shutil.rmtree(cache, ignore_errors=True)
    found = {
        "parse only": cost([sys.executable, "-c", FLOOR], tree, cache),
        "cold": cost(audit, Path.cwd(), cache),
        "warm": cost(audit, Path.cwd(), cache),
    }
    edited = max(tree.rglob("*.py"), key=lambda one: min(one.stat().st_size, 60_000))
    edited.write_bytes(edited.read_bytes() + b"\nEDITED = True\n")
    found["one file edited"] = cost(audit, Path.cwd(), cache)
    if peer is not None:
        found["peer"] = cost(shlex.split(peer.replace("{tree}", str(tree))), tree, cache)
    found["--version"] = cost([sys.executable, "-m", "audit", "--version"], Path.cwd(), cache)
    return found


def main() -> None:
    """Measure and print one table a repository."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("repositories", type=Path, nargs="+")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peer")
    options = parser.parse_args()
    for repository in options.repositories:
        with tempfile.TemporaryDirectory() as folder:
            tree = Path(folder) / "tree"
            shutil.copytree(repository, tree, symlinks=True, ignore=shutil.ignore_patterns(".venv"))
            cache = Path(folder) / "cache"
            rounds = [one_round(tree, cache, options.peer) for _ in range(options.rounds)]
        print(f"\n{repository.resolve().name}, medians of {options.rounds} rounds")
        print(f"{'':<18}{'wall s':>8}{'CPU s':>8}{'peak MB':>9}{'CPU ÷ parse only':>18}")
        for name in rounds[0]:
            costs = [row[name] for row in rounds]
            wall = statistics.median(one.wall for one in costs)
            cpu = statistics.median(one.cpu for one in costs)
            peak = statistics.median(one.peak for one in costs)
            ratio = statistics.median(row[name].cpu / row["parse only"].cpu for row in rounds)
            print(f"{name:<18}{wall:>8.2f}{cpu:>8.2f}{peak:>9.0f}{ratio:>18.2f}")


if __name__ == "__main__":
    main()
