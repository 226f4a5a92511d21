"""Several processes on one folder: each checkpoint is whole, none is deleted by another's sweep."""

import subprocess
import sys
from pathlib import Path

from codex_ml.checkpointing import CheckpointManager
from tests.checkpointing import loops

WRITER = """
import os, sys, torch
from pathlib import Path
from tests.checkpointing import loops, ranks
torch.set_num_threads(1)
folder = Path(sys.argv[1])

def write(first):
    for step in range(first, first + 30, 3):
        manager = loops.open_manager(folder)  # sweeps while others write
        loops.save(manager, step, 100_000)

writers = [ranks.fork(lambda first=first: write(first)) for first in (3, 4, 5)]
sys.exit(sum(os.waitpid(writer, 0)[1] for writer in writers) != 0)
"""


def test_three_writers_share_a_folder(tmp_path: Path) -> None:
    loops.plant(tmp_path)
    subprocess.run([sys.executable, "-c", WRITER, str(tmp_path)], check=True, timeout=180)
    loops.check(tmp_path, 0, 100_000)
    loops.check_clean(tmp_path)
    manager = CheckpointManager(tmp_path)
    left = [int(path.parent.name[5:]) for path in tmp_path.glob("step-*/manifest.json")]
    assert len(left) >= 2
    for step in left:
        assert manager.load(step)["data"] == {"position": step}
