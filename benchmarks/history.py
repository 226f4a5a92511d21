"""How long a history takes: cold, warm, and with one new commit.

Usage: python benchmarks/history.py REPOSITORY [--last 200]

Each run is a process of its own. Cold starts with an empty cache, warm repeats it; the
third asks for one commit more than the cache knows. The machine's load is printed, because
two busy cores double every figure.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def run(repository: Path, last: int, cache: str) -> tuple[float, float]:
    """Return wall and CPU seconds of one history."""
    command = [sys.executable, "-m", "audit", "history", str(repository), "--last", str(last)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    subprocess.run(
        [*command, "--format", "json"], env=os.environ | {"XDG_CACHE_HOME": cache},
        stdout=subprocess.DEVNULL, check=True,
    )  # fmt: skip
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("repository", type=Path)
    parser.add_argument("--last", type=int, default=200)
    options = parser.parse_args()
    rows = (("cold", options.last), ("warm", options.last), ("one more", options.last + 1))
    with tempfile.TemporaryDirectory() as cache:
        for name, last in rows:
            load, _, _ = os.getloadavg()
            wall, cpu = run(options.repository, last, cache)
            print(
                f"{name:<9} {last:>4} commits  {wall:7.2f} s wall  {cpu:7.2f} s CPU  "
                f"load before {load:.1f}"
            )
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"peak of one process {peak:.0f} MB, {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
