"""Tiny runs for the tests: a model that makes a step in two milliseconds."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from codex_ml.checkpointing import CheckpointManager
from codex_ml.tracking import ndjson
from codex_ml.training import Config
from codex_ml.training.config_file import dump, parse
from codex_ml.training.demo import SONNETS

ROOT = Path(__file__).parents[2]


def tiny(run: Path, *overrides: str) -> Config:
    """Return a run of 12 steps with dropout, shuffling, accumulation and evaluation."""
    table = {
        "run": str(run),
        "model": {"name": "transformer", "layers": 1, "heads": 2, "width": 16, "dropout": 0.2},
        "data": {"name": "text", "path": str(SONNETS)},
        "training": {"steps": 12, "batch_size": 2, "block_size": 16, "accumulation": 2},
        "optimizer": {"warmup": 3},
        "evaluation": {"every": 4, "batches": 2},
        "checkpoints": {"every": 3},
        "logging": {"every": 1},
    }
    return parse(table, overrides)


def losses(run: Path) -> list[float]:
    """Return the losses in a run's metrics, step by step."""
    records = ndjson.read(run / ndjson.FILE)
    return [record["loss"] for record in records if "loss" in record]


def tensors(run: Path) -> dict[str, Any]:
    """Return the digests of all tensors in a run's newest checkpoint, and its other state."""
    manifest = CheckpointManager(run / "checkpoints").load().manifest
    found: dict[str, Any] = {entry.name: entry.chunks[0].digest for entry in manifest.tensors}
    return found | manifest.state


def start(*arguments: str, **environment: str) -> "subprocess.Popen[str]":
    """Start ``codex-ml train`` in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "codex_ml.cli.train", *arguments],
        env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def command(config: Config, *arguments: str, **environment: str) -> "subprocess.Popen[str]":
    """Start it with a configuration."""
    path = Path(f"{config.run}.toml")
    path.write_text(dump(config))
    return start(str(path), *arguments, **environment)
