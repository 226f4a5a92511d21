"""A tiny training loop to kill, and the check that nothing was lost."""

import warnings
from pathlib import Path

import torch

from codex_ml.checkpointing import CheckpointManager
from codex_ml.checkpointing.files import LOCAL, Files

FOREIGN = {
    "notes.txt": b"mine",
    ".tmp-mine": b"mine too",
    "step-00000001/model.txt": b"not a checkpoint",
    "step-00000002.bak/x": b"x",
}


def plant(folder: Path) -> None:
    """Put somebody else's files into the folder."""
    for name, content in FOREIGN.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def state(step: int, elements: int) -> dict[str, torch.Tensor]:
    """Values that tell the step they were saved at."""
    return {"a": torch.full((elements,), float(step)), "b": torch.arange(step, step + 7)}


def open_manager(
    folder: Path, files: Files = LOCAL, *, asynchronous: bool = False
) -> CheckpointManager:
    return CheckpointManager(
        folder,
        keep_last=2,
        keep_best=1,
        metric="loss",
        asynchronous=asynchronous,
        files=files,
    )


def save(manager: CheckpointManager, step: int, elements: int, *, overwrite: bool = False) -> None:
    manager.save(
        step,
        model=state(step, elements),
        optimizer=state(step, 3),
        rng=False,
        data={"position": step},
        metrics={"loss": (step * 7) % 5},
        overwrite=overwrite,
    )


def check(folder: Path, at_least: int, elements: int) -> int:
    """Assert that the newest checkpoint is whole and not older than `at_least`; return its step."""
    for name, content in FOREIGN.items():
        assert (folder / name).read_bytes() == content
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # falling back would be a torn checkpoint
        manager = CheckpointManager(folder)
        if at_least == 0 and not list(folder.glob("step-*/manifest.json")):
            return 0
        checkpoint = manager.load()
    step = checkpoint.step
    assert step >= at_least, f"step {at_least} was reported saved, newest is {step}"
    assert checkpoint["data"] == {"position": step}
    for component, size in (("model", elements), ("optimizer", 3)):
        for name, value in state(step, size).items():
            assert torch.equal(checkpoint[component][name], value)
    return step


def check_clean(folder: Path) -> None:
    """Assert that nothing half-written or half-deleted is left."""
    ours = [path for path in folder.glob(".tmp-*") if path.name not in FOREIGN]
    assert ours == []
    assert list(folder.glob("step-*/manifest.deleted.json")) == []
