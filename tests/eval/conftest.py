"""A trained-looking run on disk, datasets, and the command."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from codex_ml.checkpointing import CheckpointManager
from codex_ml.cli import run
from codex_ml.cli.evaluate import command
from codex_ml.tokenization import ByteTokenizer
from tests.conftest import LACKS_TORCH

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "docs/schemas/results.schema.json").read_text())
WITHOUT_TORCH = """
import sys
sys.modules["torch"] = None
from codex_ml.cli import run
from codex_ml.cli.evaluate import command
sys.exit(run(command))
"""
BLOCK = 24
WORDS = "to be or not that is the question whether tis nobler in mind suffer".split()


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `codex-ml train` leaves: two checkpoints of a small transformer, and its tokenizer."""
    if LACKS_TORCH:
        pytest.skip("torch is not installed")
    import torch

    from codex_ml.models import Transformer

    folder = tmp_path_factory.mktemp("run")
    tokenizer = ByteTokenizer()
    tokenizer.save(folder / "tokenizer.json")
    options = {"layers": 1, "heads": 2, "width": 16}
    with CheckpointManager(folder / "checkpoints") as manager:
        for step in (1, 2):
            torch.manual_seed(step)
            manager.save(
                step,
                model=Transformer(tokenizer.vocab_size, BLOCK, **options),
                config={
                    "model": {"name": "transformer", **options},
                    "training": {"block_size": BLOCK},
                },
                digests={"tokenizer": tokenizer.digest},
            )
    return folder


@dataclass(frozen=True)
class Folder:
    """A working folder with datasets, in which the command runs."""

    path: Path
    run_folder: Path

    def rows(self, name: str, rows: list[dict[str, Any]]) -> str:
        (self.path / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
        return name

    def texts(self, count: int = 12) -> str:
        return self.rows(
            "texts.jsonl", [{"text": " ".join(WORDS[: 2 + n % 9])} for n in range(count)]
        )

    def choices(self, count: int = 12) -> str:
        rows = [
            {"prompt": f"Question {n}:", "choices": WORDS[n % 5 : n % 5 + 3], "answer": n % 3}
            for n in range(count)
        ]
        return self.rows("choices.jsonl", rows)

    def completions(self, count: int = 6) -> str:
        rows = [{"prompt": f"{WORDS[n]} ", "target": WORDS[n + 1]} for n in range(count)]
        return self.rows("completions.jsonl", rows)

    def call(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        return self._python("-m", "codex_ml.cli.evaluate", *arguments)

    def call_without_torch(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        """Run the command where importing torch fails."""
        return self._python("-c", WITHOUT_TORCH, *arguments)

    def _python(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *map(str, arguments)],
            cwd=self.path,
            env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def records(self, out: str) -> list[dict[str, Any]]:
        lines = (self.path / out / "records.ndjson").read_text().splitlines()
        return [json.loads(line) for line in lines]

    def evaluate(self, data: str, *options: object, out: str = "out") -> dict[str, Any]:
        """Run the command here, hold it to its contract, and return what it prints."""
        fixed = ("--checkpoint", self.run_folder, "--data", data, "--out", out)
        arguments = [str(part) for part in (*fixed, "--format", "json", *options)]
        stdout = io.StringIO()
        with contextlib.chdir(self.path), contextlib.redirect_stdout(stdout):
            assert run(command, arguments) == 0
        results: dict[str, Any] = json.loads(stdout.getvalue())
        jsonschema.validate(results, SCHEMA)
        return results


@pytest.fixture
def folder(tmp_path: Path, run_folder: Path) -> Folder:
    return Folder(tmp_path, run_folder)
