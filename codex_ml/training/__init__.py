"""Training that resumes bit by bit.

    from codex_ml.training import read_config, train

    train(read_config("config.toml"), resume=True)

Importing this package imports neither torch nor anything else that is heavy.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from codex_ml.training.callbacks import Callback
    from codex_ml.training.config import Config
    from codex_ml.training.config_file import read as read_config
    from codex_ml.training.errors import ConfigError, Interrupted, NonFiniteError, TrainingError
    from codex_ml.training.loop import Loop, Result
    from codex_ml.training.reproducibility import seed_everything, use_deterministic_kernels
    from codex_ml.training.run import train
    from codex_ml.training.trained import Trained, load_run

_HOME = {
    "Callback": ("callbacks", "Callback"),
    "Config": ("config", "Config"),
    "ConfigError": ("errors", "ConfigError"),
    "Interrupted": ("errors", "Interrupted"),
    "Loop": ("loop", "Loop"),
    "NonFiniteError": ("errors", "NonFiniteError"),
    "Result": ("loop", "Result"),
    "Trained": ("trained", "Trained"),
    "TrainingError": ("errors", "TrainingError"),
    "load_run": ("trained", "load_run"),
    "read_config": ("config_file", "read"),
    "seed_everything": ("reproducibility", "seed_everything"),
    "train": ("run", "train"),
    "use_deterministic_kernels": ("reproducibility", "use_deterministic_kernels"),
}
__all__ = [
    "Callback",
    "Config",
    "ConfigError",
    "Interrupted",
    "Loop",
    "NonFiniteError",
    "Result",
    "Trained",
    "TrainingError",
    "load_run",
    "read_config",
    "seed_everything",
    "train",
    "use_deterministic_kernels",
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _HOME[name]
    return getattr(import_module(f"{__name__}.{module}"), attribute)


def __dir__() -> list[str]:
    return __all__
