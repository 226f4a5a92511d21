"""The command's perplexity and token accuracy, beside torch's own cross-entropy, and the harness's."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn.functional import cross_entropy

from codex_ml.checkpointing import CheckpointManager
from codex_ml.cli import run
from codex_ml.cli.evaluate import command
from codex_ml.models import Transformer
from codex_ml.tokenization import Tokenizer, train
from codex_ml.training.demo import SONNETS

BLOCK = 48
OPTIONS = {"layers": 1, "heads": 2, "width": 16}


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Transformer, Tokenizer]:
    """A run whose tokens are words and parts of words, not bytes."""
    folder = tmp_path_factory.mktemp("run")
    tokenizer = train([SONNETS], vocab_size=500)
    tokenizer.save(folder / "tokenizer.json")
    torch.manual_seed(0)
    model = Transformer(tokenizer.vocab_size, BLOCK, **OPTIONS).eval()
    with torch.no_grad():  # far from uniform: tokens differ in how likely they are
        model.tokens.weight.mul_(20)
    config = {"model": {"name": "transformer", **OPTIONS}, "training": {"block_size": BLOCK}}
    with CheckpointManager(folder / "checkpoints") as manager:
        manager.save(1, model=model, config=config, digests={"tokenizer": tokenizer.digest})
    return folder, model, tokenizer


def by_torch(model: Transformer, tokenizer: Tokenizer, texts: list[str]) -> dict[str, float]:
    """One text at a time, nothing batched or padded: exp of the mean over all tokens."""
    losses, hits = [], []
    for text in texts:
        ids = torch.tensor(tokenizer.encode(text))
        with torch.no_grad():
            logits = model(ids[None, :-1])[0].double()
        losses.append(cross_entropy(logits, ids[1:], reduction="none"))
        hits.append((logits.argmax(-1) == ids[1:]).double())
    return {
        "perplexity": math.exp(torch.cat(losses).mean().item()),
        "token-accuracy": torch.cat(hits).mean().item(),
    }


def test_per_token_it_equals_torch_s_cross_entropy(
    saved: tuple[Path, Transformer, Tokenizer], tmp_path: Path
) -> None:
    folder, model, tokenizer = saved
    lines = [line for line in SONNETS.read_text().splitlines() if len(line) > 12]
    texts = [line[: 12 + 3 * n] for n, line in enumerate(lines[:12])]
    assert len({len(tokenizer.encode(text)) for text in texts}) > 3
    data = tmp_path / "data.jsonl"
    data.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    fixed = ("--checkpoint", folder, "--data", data, "--out", tmp_path / "out")
    metrics = ("--metric", "perplexity", "--metric", "token-accuracy")
    assert run(command, [*map(str, fixed), *metrics]) == 0
    results: dict[str, Any] = json.loads((tmp_path / "out/results.json").read_text())
    found = {one["name"]: one["value"] for one in results["metrics"]}
    expected = by_torch(model, tokenizer, texts)
    assert found == pytest.approx(expected, rel=1e-5)
    assert abs(math.log(expected["perplexity"] / tokenizer.vocab_size)) > 0.1
