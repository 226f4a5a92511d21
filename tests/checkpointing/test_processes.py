"""Several processes on one folder: each checkpoint is whole, none is deleted by another's sweep."""

import subprocess
import sys
from pathlib import Path

from codex_ml.checkpointing import CheckpointManager
from tests.checkpointing import loops

WRITER = """
import sys, torch
from pathlib import Path
from tests.checkpointing import loops
torch.set_num_threads(1)
folder, first = Path(sys.argv[1]), int(sys.argv[2])
for step in range(first, first + 30, 3):
    manager = loops.open_manager(folder)  # sweeps while others write
    loops.save(manager, step, 100_000)
"""


def test_three_writers_share_a_folder(tmp_path: Path) -> None:
    loops.plant(tmp_path)
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), str(first)])
        for first in (3, 4, 5)
    ]
    assert [writer.wait(120) for writer in writers] == [0, 0, 0]
    loops.check(tmp_path, 0, 100_000)
    loops.check_clean(tmp_path)
    manager = CheckpointManager(tmp_path)
    left = [int(path.parent.name[5:]) for path in tmp_path.glob("step-*/manifest.json")]
    assert len(left) >= 2
    for step in left:
        assert manager.load(step)["data"] == {"position": step}
