"""Everything that may happen to checkpoints, as often as one likes; prints the counts as JSON.

    python -m benchmarks.checkpoint_faults

- kills: real writers killed with SIGKILL, one after the other in the same folder, at every
  create, write, sync, rename and removal in turn, and at random moments; half of them save in
  the background. A loop of plain `torch.save` is killed the same way: there it has to show.
- power losses: a model of a disk that drops whatever was not synced, directories included.
- flips and truncations: anywhere in any file of the newest checkpoint.
- disks: full, read-only, broken, without permission, over quota at any boundary, once or for
  good; and slow, read from at every boundary.

The same functions run a small sample in `tests/checkpointing`. Exit code 1 if anything was
torn, lost, loaded silently or touched that is not ours.
"""

import argparse
import json
import sys
import tempfile
from collections import Counter
from pathlib import Path
from random import Random

import torch

from tests.checkpointing import disks, flips, kills, losses

BAD = (
    "torn or lost",
    "foreign files touched",
    "power loss: torn or lost",
    "loaded silently",
    "disk: state before not intact",
)


def run(root: Path, options: argparse.Namespace) -> Counter[str]:
    """Run every campaign below `root`."""
    seed = options.seed
    found = kills.run(root, options.boundary, options.random, seed)
    found.update(kills.control(root, options.control, Random(seed)))
    found.update(losses.run(root, options.power, seed))
    found.update(flips.run(root / "flips", options.flips, seed))
    found.update(disks.run(root, options.disks, seed))
    return found


def main() -> int:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, count in (
        ("boundary", 1200), ("random", 1000), ("control", 100),
        ("power", 2000), ("flips", 1200), ("disks", 1000),
    ):  # fmt: skip
        parser.add_argument(f"--{name}", type=int, default=count)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as root:
        found = run(Path(root), options)
    print(json.dumps(dict(found) | {name: found[name] for name in BAD}, indent=1))
    return 1 if any(found[name] for name in BAD) else 0


if __name__ == "__main__":
    sys.exit(main())
