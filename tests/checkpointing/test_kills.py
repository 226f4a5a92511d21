"""A sample of the kill campaign; `python -m tests.checkpointing.kills` runs all of it."""

import json
import subprocess
import sys

from tests.conftest import TORCH


@TORCH
def test_killed_writers_lose_and_tear_nothing() -> None:
    counts = ["--boundary=45", "--random=10", "--control=10"]
    command = [sys.executable, "-m", "tests.checkpointing.kills", *counts]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["boundary"], found["random"]) == (45, 10)
    assert (found["torn or lost"], found["foreign files touched"]) == (0, 0)
    assert found["control: torch.save torn"] > 0
