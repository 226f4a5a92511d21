"""After a power loss at any moment, what was reported saved is there, whole."""

from pathlib import Path

import pytest

from codex_ml.checkpointing import CheckpointError, CheckpointWarning
from tests.checkpointing import losses
from tests.checkpointing.power import JournalFiles, seeds


def test_a_save_survives_a_power_loss_at_every_moment(tmp_path: Path) -> None:
    files = JournalFiles()
    acks = losses.acknowledged(tmp_path / "run", files)
    assert len(files.journal) > 100
    for length in range(len(files.journal) + 1):
        for seed in seeds(1):
            losses.check(tmp_path, files, length, seed, losses.durable(acks, length))


def test_the_campaign_counts(tmp_path: Path) -> None:
    assert losses.run(tmp_path, 40, seed=1) == {"power loss: torn or lost": 0, "power loss": 40}


@pytest.mark.parametrize("forgotten", ["file", "directory"])
def test_the_model_notices_a_forgotten_sync(tmp_path: Path, forgotten: str) -> None:
    files = JournalFiles()
    acks = losses.acknowledged(tmp_path / "run", files)
    is_file = {path for kind, path, _ in files.journal if kind == "create"}
    careless = JournalFiles(
        [
            operation
            for operation in files.journal
            if operation[0] != "sync" or (operation[1] in is_file) != (forgotten == "file")
        ]
    )
    noticed = 0
    for seed in seeds(8):
        try:
            losses.check(tmp_path, careless, len(careless.journal), seed, acks[-1][1])
        except (AssertionError, CheckpointError, CheckpointWarning):
            noticed += 1
    assert noticed >= 5
