"""Random generators go on where they were."""

import random
from pathlib import Path

import numpy as np
import pytest
import torch

from codex_ml.checkpointing import CheckpointManager, MismatchError, rng


def draw() -> tuple[object, ...]:
    return (
        random.random(),
        random.gauss(0, 1),
        np.random.rand(),
        np.random.randn(),
        torch.rand(3).tolist(),
        torch.randn(5).tolist(),
    )


def test_generators_go_on_after_a_restore(tmp_path: Path) -> None:
    draw()  # leaves half of a pair of normal numbers behind, in each generator
    manager = CheckpointManager(tmp_path)
    manager.save(1)
    expected = [draw(), draw()]
    manager.restore(1)
    assert [draw(), draw()] == expected


def test_without_rng_nothing_is_saved_or_restored(tmp_path: Path) -> None:
    manager = CheckpointManager(tmp_path)
    manager.save(1, value=1, rng=False)
    with pytest.raises(MismatchError, match="has no rng"):
        manager.restore(1)
    before = rng.capture()
    manager.restore(1, rng=False)
    assert rng.capture() == before


def test_the_random_state_of_missing_devices_is_refused_whole() -> None:
    state = rng.capture()
    draw()
    now = rng.capture()
    state["devices"] = {"cuda": [b"", b""]}
    with pytest.raises(MismatchError, match="2 cuda cannot be restored on the CPU alone"):
        rng.restore(state)
    assert rng.capture() == now
