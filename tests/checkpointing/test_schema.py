"""Checkpoints written by every released schema version load for ever; these are committed."""

import math
from pathlib import Path

import pytest
import torch

from codex_ml.checkpointing import Checkpoint
from codex_ml.checkpointing.manifest import SCHEMA_VERSION

DATA = Path(__file__).parent / "data"


@pytest.mark.parametrize("version", range(1, SCHEMA_VERSION + 1))
def test_a_committed_checkpoint_loads(version: int) -> None:
    checkpoint = Checkpoint.open(DATA / f"schema-{version}")
    assert checkpoint.manifest.schema_version == version
    assert checkpoint.damage() == ()
    assert checkpoint.step == 7
    assert checkpoint["model"]["weight"].tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
    assert checkpoint["optimizer"]["param_groups"][0]["betas"] == (0.9, 0.999)
    assert checkpoint["optimizer"]["state"][0]["step"] == 1
    assert checkpoint["data"] == {"position": 21, "seen": (1, 2)}
    assert torch.equal(checkpoint["extra"]["complex"], torch.tensor([1 + 2j]).to(torch.complex128))
    assert checkpoint.config == {"lr": 0.25}
    assert math.isnan(checkpoint.metrics["loss"])
