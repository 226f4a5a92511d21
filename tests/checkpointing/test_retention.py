"""Which checkpoints stay, whatever was saved in whatever order."""

import math
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codex_ml.checkpointing import CheckpointError, CheckpointManager, tree
from codex_ml.checkpointing.folder import Scan, Stored, newest_first
from codex_ml.checkpointing.manifest import Manifest, Selection
from codex_ml.checkpointing.retention import Retention
from tests.conftest import TORCH

VALUES = st.none() | st.floats() | st.integers(-3, 3)


def folder_of(values: list[float | None], steps: list[int]) -> Scan:
    """Checkpoints saved one after the other."""
    stored = []
    for sequence, (value, step) in enumerate(zip(values, steps, strict=False), 1):
        node = tree.encode(value, (), tree.no_leaf)
        manifest = Manifest(
            step=step,
            sequence=sequence,
            saved_at="",
            metrics={} if value is None else {"loss": node},
        )
        stored.append(Stored(Path(f"{sequence}"), manifest))
    return Scan(newest_first(stored), ())


@given(
    values=st.lists(VALUES, min_size=1, max_size=12),
    steps=st.permutations(range(12)),
    last=st.integers(1, 4),
    best=st.integers(0, 4),
    mode=st.sampled_from(["min", "max"]),
)
def test_the_newest_and_the_best_stay_and_nothing_else(
    values: list[float | None],
    steps: list[int],
    last: int,
    best: int,
    mode: Literal["min", "max"],
) -> None:
    scan = folder_of(values, steps)
    gone = Retention(last, best, Selection("loss", mode)).superfluous(scan)
    kept = [item for item in scan.stored if item not in gone]
    assert kept[:last] == list(scan.stored[:last])
    finite = [value for value in values if value is not None and math.isfinite(value)]
    wanted = sorted(finite, reverse=mode == "max")[:best]
    held = sorted(
        (v for item in kept if (v := item.value("loss")) is not None), reverse=mode == "max"
    )
    assert held[: len(wanted)] == wanted
    assert len(kept) <= last + best
    assert len(kept) >= min(last, len(values))


@given(st.lists(VALUES, min_size=1, max_size=8), st.integers(0, 7))
def test_what_was_just_saved_stays(values: list[float | None], saved: int) -> None:
    scan = folder_of(values, list(range(8)))
    gone = Retention(1).superfluous(scan, saved)
    assert saved not in {item.step for item in gone}


def test_of_equals_the_first_is_best() -> None:
    scan = folder_of([2, 1, 1, 3], [10, 20, 30, 40])
    assert [item.step for item in scan.ranked(Selection("loss"))] == [20, 30, 10, 40]


@TORCH
def test_after_going_back_the_newest_is_what_was_saved_last(tmp_path: Path) -> None:
    manager = CheckpointManager(tmp_path, keep_last=2)
    for step in (100, 200, 150):
        manager.save(step, value=step)
    assert manager.load().step == 150
    assert {path.name for path in tmp_path.glob("step-*")} == {"step-00000150", "step-00000200"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"keep_last": 0}, "keep_last is 0"),
        ({"keep_best": -1}, "keep_best is -1"),
        ({"keep_best": 1}, "give 0 or more, and the metric's name"),
        ({"metric": "loss", "mode": "lowest"}, "mode is 'lowest'"),
    ],
)
def test_bad_options_are_refused(tmp_path: Path, options: dict[str, object], message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        CheckpointManager(tmp_path, **options)  # type: ignore[arg-type]
