"""The same figures as EleutherAI's lm-evaluation-harness, by its own package, offline."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

import lm_eval  # type: ignore[import-untyped]
import pytest
from lm_eval.tasks import TaskManager  # type: ignore[import-untyped]

from codex_ml.checkpointing import CheckpointManager
from codex_ml.cli import run
from codex_ml.cli.evaluate import command
from codex_ml.evaluation.opening import find_checkpoint
from codex_ml.models import Transformer
from codex_ml.tokenization import ByteTokenizer
from tests.eval.conftest import BLOCK, WORDS

if TYPE_CHECKING:
    from pathlib import Path

    from codex_ml.evaluation.scorer import LanguageModel

pytestmark = pytest.mark.filterwarnings("ignore")

CHOICE = {
    "output_type": "multiple_choice",
    "doc_to_text": "{{prompt}}",
    "doc_to_choice": "{{choices}}",
    "doc_to_target": "{{answer}}",
    "metric_list": [{"metric": "acc"}, {"metric": "acc_norm"}],
}
ROLLING = {
    "output_type": "loglikelihood_rolling",
    "doc_to_text": "",
    "doc_to_target": "{{text}}",
    "metric_list": [
        {"metric": name} for name in ("bits_per_byte", "byte_perplexity", "word_perplexity")
    ],
}


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A run whose tokenizer has a token to begin texts with, as the harness requires."""
    tokenizer = ByteTokenizer(["<|endoftext|>"])
    tokenizer.save(tmp_path / "run/tokenizer.json")
    options = {"layers": 1, "heads": 2, "width": 16}
    config = {"model": {"name": "transformer", **options}, "training": {"block_size": BLOCK}}
    with CheckpointManager(tmp_path / "run/checkpoints") as manager:
        model = Transformer(tokenizer.vocab_size, BLOCK, **options)
        manager.save(1, model=model, config=config, digests={"tokenizer": tokenizer.digest})
    return tmp_path / "run"


@pytest.fixture
def model(saved: Path) -> LanguageModel:
    source = find_checkpoint(saved, "latest", None)
    return source.open(stride=None, batch_tokens=512, device="cpu")


def harness(
    model: LanguageModel, rows: list[dict[str, Any]], task: dict[str, Any], folder: Path
) -> dict[str, float]:
    from codex_ml.evaluation.harness import HarnessModel

    data = folder / "data.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    files = {"data_files": {"test": str(data)}, "cache_dir": str(folder / "cache")}
    described = {"task": "local", "dataset_path": "json", "dataset_kwargs": files}
    found = lm_eval.simple_evaluate(
        model=HarnessModel(model),
        tasks=[described | {"test_split": "test"} | task],
        task_manager=TaskManager(include_defaults=False),
        bootstrap_iters=0,
    )
    results: dict[str, float] = found["results"]["local"]
    return results


def ours(saved: Path, folder: Path, *metrics: str) -> dict[str, dict[str, Any]]:
    chosen = [part for name in metrics for part in ("--metric", name)]
    paths = ("--checkpoint", saved, "--data", folder / "data.jsonl", "--out", folder / "out")
    assert run(command, [*map(str, paths), *chosen]) == 0
    results = json.loads((folder / "out/results.json").read_text())
    return {one["name"]: one for one in results["metrics"]}


def test_multiple_choice(model: LanguageModel, saved: Path, tmp_path: Path) -> None:
    rows = [
        {"prompt": f"Q{n}: {WORDS[n % 9]}", "choices": WORDS[n % 7 : n % 7 + 4], "answer": n % 4}
        for n in range(40)
    ]
    theirs = harness(model, rows, CHOICE, tmp_path)
    found = ours(saved, tmp_path, "accuracy", "accuracy-norm")
    assert found["accuracy"]["value"] == pytest.approx(theirs["acc,none"])
    assert found["accuracy-norm"]["value"] == pytest.approx(theirs["acc_norm,none"])
    assert 0 < found["accuracy"]["value"] < 1


def test_rolling_likelihood(model: LanguageModel, saved: Path, tmp_path: Path) -> None:
    rows = [{"text": " ".join(WORDS * 3)[n : 10 + 11 * n]} for n in range(12)]
    theirs = harness(model, rows, ROLLING, tmp_path)
    found = ours(saved, tmp_path, "bits-per-byte", "perplexity")
    assert found["bits-per-byte"]["value"] == pytest.approx(theirs["bits_per_byte,none"], rel=1e-6)
    # A token is a byte here; the harness knows perplexity per byte and per word alone.
    per_byte = found["perplexity"]["value"]
    assert per_byte == pytest.approx(theirs["byte_perplexity,none"], rel=1e-6)
    bytes_, words = (sum(map(len, map(cut, rows))) for cut in (_bytes, _words))
    per_word = math.log(per_byte) * bytes_ / words
    assert per_word == pytest.approx(math.log(theirs["word_perplexity,none"]), rel=1e-6)


def _bytes(row: dict[str, str]) -> bytes:
    return row["text"].encode()


def _words(row: dict[str, str]) -> list[str]:
    return re.split(r"\s+", row["text"])
