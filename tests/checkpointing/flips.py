"""Flip bits in, and truncate, any file of a checkpoint; no load may return something else.

    python -m tests.checkpointing.flips --count 1000

Prints one JSON object; exit code 1 if damage was loaded silently or the
fallback did not come.
"""

import argparse
import json
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import torch

from codex_ml.checkpointing import CheckpointError, CheckpointManager, CheckpointWarning


def make(folder: Path) -> None:
    """Save two checkpoints of a small model with its optimizer and random state."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(16, 16), torch.nn.LayerNorm(16))
    optimizer = torch.optim.AdamW(model.parameters())
    with CheckpointManager(folder, metric="loss") as manager:
        for step in (1, 2):
            optimizer.zero_grad()
            model(torch.randn(2, 16)).sum().backward()
            optimizer.step()
            manager.save(step, model=model, optimizer=optimizer, metrics={"loss": step})


@contextmanager
def damaged(path: Path, random: Random) -> Iterator[str]:
    """Flip one bit of `path`, or cut it; then put it back."""
    before = path.read_bytes()
    place = random.randrange(len(before))
    if random.random() < 0.8:
        kind, after = "flip", bytearray(before)
        after[place] ^= 1 << random.randrange(8)
    else:
        kind, after = "truncation", bytearray(before[:place])
    path.write_bytes(after)
    try:
        yield kind
    finally:
        path.write_bytes(before)


def silently_loaded(folder: Path) -> bool:
    """Whether step 2 loads, or ``latest`` does not go back to step 1 with a warning."""
    manager = CheckpointManager(folder)
    try:
        manager.load(2)
    except CheckpointError:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            went_back = manager.load("latest").step == 1
        return not (went_back and any(item.category is CheckpointWarning for item in told))
    return True


def run(folder: Path, count: int, seed: int) -> Counter[str]:
    """Damage a random file of the newest checkpoint `count` times."""
    random = Random(seed)
    make(folder)
    files = sorted((folder / "step-00000002").iterdir())
    found = Counter({"loaded silently": 0})
    for number in range(count):
        path = files[number % len(files)]
        with damaged(path, random) as kind:
            found[f"{kind} in {path.name}"] += 1
            found["loaded silently"] += silently_loaded(folder)
    return found


def main() -> int:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = run(Path(folder), options.count, options.seed)
    print(json.dumps(found))
    return 1 if found["loaded silently"] else 0


if __name__ == "__main__":
    sys.exit(main())
