"""After a power loss at any moment, what was reported saved is there, whole."""

import shutil
from pathlib import Path

import pytest

from codex_ml.checkpointing import CheckpointError, CheckpointWarning
from tests.checkpointing import loops
from tests.checkpointing.power import JournalFiles, after_power_loss, seeds

ELEMENTS = 50


def acknowledged(folder: Path, files: JournalFiles) -> list[tuple[int, int]]:
    """Run a loop; return (length of the journal, step) whenever a save returned."""
    acks = []
    manager = loops.open_manager(folder, files)
    for step in range(3, 8):
        loops.save(manager, step, ELEMENTS)
        acks.append((len(files.journal), step))
    loops.save(manager, 7, ELEMENTS, overwrite=True)
    acks.append((len(files.journal), 7))
    return acks


def test_a_save_survives_a_power_loss_at_every_moment(tmp_path: Path) -> None:
    folder, files = tmp_path / "run", JournalFiles()
    acks = acknowledged(folder, files)
    assert len(files.journal) > 100
    for length in range(len(files.journal) + 1):
        durable = max((step for position, step in acks if position <= length), default=0)
        for seed in seeds(1):
            left = tmp_path / "left"
            after_power_loss(tmp_path, files.journal, length, seed, left)
            (left / "run").mkdir(exist_ok=True)
            loops.plant(left / "run")
            loops.check(left / "run", durable, ELEMENTS)
            loops.open_manager(left / "run").close()
            loops.check_clean(left / "run")
            shutil.rmtree(left)


@pytest.mark.parametrize("forgotten", ["file", "directory"])
def test_the_model_notices_a_forgotten_sync(tmp_path: Path, forgotten: str) -> None:
    folder, files = tmp_path / "run", JournalFiles()
    acks = acknowledged(folder, files)
    is_file = {path for kind, path, _ in files.journal if kind == "create"}
    careless = [
        operation
        for operation in files.journal
        if operation[0] != "sync" or (operation[1] in is_file) != (forgotten == "file")
    ]
    noticed = 0
    for seed in seeds(8):
        left = tmp_path / f"left-{seed}"
        after_power_loss(tmp_path, careless, len(careless), seed, left)
        (left / "run").mkdir(parents=True, exist_ok=True)
        loops.plant(left / "run")
        try:
            loops.check(left / "run", acks[-1][1], ELEMENTS)
        except (AssertionError, CheckpointError, CheckpointWarning):
            noticed += 1
    assert noticed >= 5
