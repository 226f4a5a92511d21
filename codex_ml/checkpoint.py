"""Legacy import path of `codex_ml.checkpointing`."""

import warnings

from codex_ml import checkpointing

CANONICAL = "codex_ml.checkpointing"
__all__ = checkpointing.__all__

warnings.warn(f"{__name__} is a legacy path: import {CANONICAL}", DeprecationWarning, stacklevel=2)


def __getattr__(name: str) -> object:
    return getattr(checkpointing, name)
