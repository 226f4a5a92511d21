"""Time `codex_ml.evaluation` against lm-evaluation-harness: same model, task and processor.

python benchmarks/evaluation.py [ROUNDS]: a GPT-2 of 4 layers and 128 wide with random
weights, as Hugging Face's library runs it; 300 items of multiple choice with 4 choices.
In one process, interleaved: seconds that the items take in the harness's own model class
(batch size 64) and here, and the two accuracies. Needs `pip install "lm_eval[hf]"`.
"""

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ |= {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}

import lm_eval  # type: ignore[import-untyped]
import torch
from lm_eval.models.huggingface import HFLM  # type: ignore[import-untyped]
from lm_eval.tasks import TaskManager  # type: ignore[import-untyped]
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

from codex_ml import tokenization
from codex_ml.evaluation.answer import answer
from codex_ml.evaluation.items import CHOICE
from codex_ml.evaluation.opening import find_plugin
from codex_ml.evaluation.reading import read_dataset

BLOCK, ITEMS, END = 128, 300, "<|endoftext|>"
SONNETS = Path(__file__).parents[1] / "codex_ml/data/sonnets.txt"


def prepare(folder: Path) -> None:
    """Write model, tokenizer and task into `folder`."""
    tokenizer = tokenization.train([SONNETS], vocab_size=1024, special_tokens=[END])
    tokenizer.save(folder / "tokenizer.json")
    PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_file=str(folder / "tokenizer.json"), eos_token=END
    ).save_pretrained(folder / "hf")
    torch.manual_seed(0)
    GPT2LMHeadModel(
        GPT2Config(
            vocab_size=tokenizer.vocab_size, n_positions=BLOCK, n_embd=128, n_layer=4, n_head=4
        )
    ).save_pretrained(folder / "hf")
    words = SONNETS.read_text().split()
    rows = [
        {
            "prompt": " ".join(words[n * 13 : n * 13 + 10 + n % 40]),
            "choices": [" ".join(words[n * 7 + k : n * 7 + k + 4]) for k in range(4)],
            "answer": n % 4,
        }
        for n in range(ITEMS)
    ]
    (folder / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def harness(folder: Path) -> Callable[[], float]:
    """Return a run of the harness's own model on the task, which gives its accuracy."""
    model = HFLM(
        pretrained=str(folder / "hf"),
        device="cpu",
        batch_size=64,
        max_length=BLOCK,
        dtype="float32",
    )
    task: dict[str, Any] = {
        "task": "local",
        "dataset_path": "json",
        "dataset_kwargs": {
            "data_files": {"test": str(folder / "data.jsonl")},
            "cache_dir": str(folder / "cache"),
        },
        "test_split": "test",
        "output_type": "multiple_choice",
        "doc_to_text": "{{prompt}}",
        "doc_to_choice": "{{choices}}",
        "doc_to_target": "{{answer}}",
        "metric_list": [{"metric": "acc"}],
    }
    manager = TaskManager(include_defaults=False)

    def once() -> float:
        found = lm_eval.simple_evaluate(
            model=model, tasks=[task], task_manager=manager, bootstrap_iters=0
        )
        accuracy: float = found["results"]["local"]["acc,none"]
        return accuracy

    return once


def ours(folder: Path) -> Callable[[], float]:
    """Return the same with `codex_ml.evaluation`, from reading the file to the accuracy."""
    options = {"path": str(folder / "hf"), "pretrained": True}
    source = find_plugin("huggingface", options, BLOCK, folder / "tokenizer.json")
    model = source.open(stride=None, batch_tokens=4096, device="cpu")

    def once() -> float:
        items = read_dataset(str(folder / "data.jsonl")).items
        records = answer(model, items, frozenset(CHOICE), 0, ())
        best = [max(range(4), key=r["log_likelihoods"].__getitem__) for r in records]
        hits = [bool(b == r["label"]) for b, r in zip(best, records, strict=True)]
        return sum(hits) / len(hits)

    return once


def main() -> None:
    """Run the rounds and print the table."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder)
        runs = {"lm-evaluation-harness": harness(folder), "codex_ml.evaluation": ours(folder)}
        times: dict[str, list[float]] = {name: [] for name in runs}
        accuracies = {}
        for _ in range(rounds):
            for label, once in runs.items():
                start = time.perf_counter()
                accuracies[label] = once()
                times[label].append(time.perf_counter() - start)
    for label, values in times.items():
        print(
            f"{label:22} median {statistics.median(values):6.2f} s   min {min(values):6.2f} s   "
            f"{ITEMS / statistics.median(values):6.1f} items/s   accuracy {accuracies[label]:.4f}"
        )


if __name__ == "__main__":
    main()
