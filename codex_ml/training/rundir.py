"""A run's directory: configuration, tokenizer, environment, metrics and checkpoints."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from codex_ml import files
from codex_ml.checkpointing.files import try_lock
from codex_ml.tokenization import Tokenizer, load
from codex_ml.training import config_file
from codex_ml.training.config import Config
from codex_ml.training.environment import BITS
from codex_ml.training.errors import ConfigError, TrainingError

_logger = logging.getLogger(__name__)

CONFIG = "config.toml"
TOKENIZER = "tokenizer.json"
ENVIRONMENT = "environment.json"
CHECKPOINTS = "checkpoints"

# what may differ when a run goes on: how long, where and what is reported
FREE = (
    "run",
    "tokenizer",  # its digest is compared
    "training.steps",
    "training.batch_size",  # with accumulation and ranks: their product is compared
    "training.accumulation",
    "training.device",
    "training.workers",
    "training.compile",
    "training.deterministic",
    "training.non_finite",
    "training.strategy",
    "evaluation",
    "checkpoints",
    "logging",
    "callbacks",
)


@contextmanager
def locked(run: Path) -> Iterator[None]:
    """Make the directory and keep other processes from training in it.

    Raises:
        TrainingError: one does already, or the directory cannot be made.

    """
    try:
        run.mkdir(parents=True, exist_ok=True)
        with try_lock(run) as mine:
            if not mine:
                raise TrainingError(f"{run}: another process is training here: choose another run")
            yield
    except (FileExistsError, NotADirectoryError, PermissionError) as error:
        raise TrainingError(f"{run}: cannot be the run's directory: {error.strerror}") from None


def check(run: Path, config: Config, tokenizer: Tokenizer, *, resume: bool) -> None:
    """See that the directory holds no run, or the one to go on with.

    Raises:
        TrainingError: the directory holds a run and `resume` is false, or another tokenizer.
        ConfigError: the run in it has another configuration.

    """
    if not (run / CONFIG).exists():
        return
    if not resume:
        raise TrainingError(f"{run} holds a run: go on with --resume, or choose another run=")
    _check_same(config_file.read(run / CONFIG), config, run)
    if (found := load(run / TOKENIZER).digest) != tokenizer.digest:
        raise TrainingError(
            f"{run} was trained with another tokenizer ({found}), not {tokenizer.digest}: "
            "resume with the tokenizer of the start"
        )


def start(run: Path, config: Config, tokenizer: Tokenizer) -> None:
    """Write the configuration and the tokenizer: from here on the directory holds a run."""
    if not (run / CONFIG).exists():
        tokenizer.save(run / TOKENIZER, overwrite=True)
        files.write(run / CONFIG, config_file.dump(config).encode())


def record_environment(run: Path, step: int, environment: dict[str, Any]) -> None:
    """Append to ``environment.json``; log what may change the bits from here on."""
    path = run / ENVIRONMENT
    known = json.loads(path.read_bytes()) if path.exists() else []
    files.write(path, json.dumps([*known, {"step": step, **environment}], indent=2).encode())
    if step and known:
        for key in BITS:
            if known[-1].get(key) != environment[key]:
                _logger.warning(
                    "%s was %s and is %s: from here on the bits may differ from those of an "
                    "uninterrupted run",
                    key,
                    known[-1].get(key),
                    environment[key],
                )


def _check_same(before: Config, now: Config, run: Path) -> None:
    old, new = (dict(_flat(msgspec.to_builtins(config))) for config in (before, now))
    changed = [
        key
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key) and not any(_within(key, free) for free in FREE)
    ]
    if changed:
        words = ", ".join(f"{key} was {old.get(key)} and is {new.get(key)}" for key in changed)
        raise ConfigError(
            f"{run}: this is another run's configuration: {words}; "
            "resume with the old values or choose another run="
        )


def _within(key: str, table: str) -> bool:
    return key == table or key.startswith(f"{table}.")


def _flat(table: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
