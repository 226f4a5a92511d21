"""Encoding speed of a trained byte-level BPE against tiktoken and the trainer's own encoder.

    python benchmarks/tokenization.py [TEXT] [--vocab-size 4096] [--rounds 7]

Rounds are interleaved; the figures are medians, and medians of the rounds' ratios.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import tiktoken
import tokenizers

from codex_ml.tokenization import train
from codex_ml.tokenization.bpe import encoding

SONNETS = Path(__file__).parents[1] / "codex_ml" / "data" / "sonnets.txt"
MEGABYTE = 1 << 20


def seconds(action: Callable[[], object]) -> float:
    """Return how long `action` takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("text", nargs="?", type=Path, default=SONNETS)
    parser.add_argument("--vocab-size", type=int, default=4096)
    parser.add_argument("--rounds", type=int, default=7)
    args = parser.parse_args()

    tokenizer = train([args.text], "bpe", vocab_size=args.vocab_size)
    library = tokenizers.Tokenizer.from_buffer(tokenizer.to_bytes())
    fast = encoding(json.loads(tokenizer.to_bytes()))
    assert isinstance(fast, tiktoken.Encoding)
    text = args.text.read_text()
    text *= max(1, 2 * MEGABYTE // len(text))
    assert tokenizer.encode(text) == fast.encode_ordinary(text)
    assert tokenizer.encode(text) == library.encode(text, add_special_tokens=False).ids

    runs: dict[str, Callable[[], object]] = {
        "codex_ml": lambda: tokenizer.encode(text),
        "tiktoken": lambda: fast.encode_ordinary(text),
        "tokenizers": lambda: library.encode(text, add_special_tokens=False).ids,
    }
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(args.rounds):
        for name, run in runs.items():
            times[name].append(seconds(run))
    size = len(text.encode()) / 1e6
    ratios = {
        f"speed / {name}'s": round(
            statistics.median(
                other / own for other, own in zip(times[name], times["codex_ml"], strict=True)
            ),
            3,
        )
        for name in ("tiktoken", "tokenizers")
    }
    speeds = {
        f"{name} MB/s": round(size / statistics.median(spent), 1) for name, spent in times.items()
    }
    print(json.dumps(speeds | ratios, indent=2))


if __name__ == "__main__":
    main()
