"""Checkpoints that cannot be lost.

    with CheckpointManager("runs/1", keep_last=3) as manager:
        manager.save(step, model=model, optimizer=optimizer)
        manager.restore("latest", model=model, optimizer=optimizer)

Importing this package imports neither torch nor anything else that is heavy.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from codex_ml.checkpointing.errors import (
        CheckpointError,
        CheckpointExistsError,
        CheckpointNotFoundError,
        CheckpointWarning,
        DamagedCheckpointError,
        MismatchError,
        SchemaVersionError,
        StorageError,
        UnsupportedStateError,
    )
    from codex_ml.checkpointing.manager import CheckpointManager
    from codex_ml.checkpointing.reader import Checkpoint

_HOME = {
    "Checkpoint": "reader",
    "CheckpointError": "errors",
    "CheckpointExistsError": "errors",
    "CheckpointManager": "manager",
    "CheckpointNotFoundError": "errors",
    "CheckpointWarning": "errors",
    "DamagedCheckpointError": "errors",
    "MismatchError": "errors",
    "SchemaVersionError": "errors",
    "StorageError": "errors",
    "UnsupportedStateError": "errors",
}
__all__ = [
    "Checkpoint",
    "CheckpointError",
    "CheckpointExistsError",
    "CheckpointManager",
    "CheckpointNotFoundError",
    "CheckpointWarning",
    "DamagedCheckpointError",
    "MismatchError",
    "SchemaVersionError",
    "StorageError",
    "UnsupportedStateError",
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
