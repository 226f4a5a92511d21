"""Time `codex_ml.training` against a loop written by hand, interleaved, in one process.

python benchmarks/training.py [ROUNDS] [STEPS]

The loop by hand is of nanoGPT's style (random windows of a memory-mapped file, AdamW as it is by
default on a CPU, clipping, cosine rate, loss logged every 10 steps, nothing saved) on its small CPU
configuration: 4 layers, 4 heads, 128 wide, block 64, batch 12. Here AdamW is fused, with logging
every 10 steps and a checkpoint every 100 and at the end of each round. The ratio is the median over
the rounds.
"""

import math
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from codex_ml.checkpointing import CheckpointManager
from codex_ml.data import open_tokens
from codex_ml.tokenization import ByteTokenizer
from codex_ml.tracking.ndjson import Ndjson
from codex_ml.training import Config
from codex_ml.training.assembly import Parts, assemble
from codex_ml.training.config import Checkpoints, Evaluation, Logging, Optimizer, Training
from codex_ml.training.demo import SONNETS
from codex_ml.training.loop import Loop

Round = Callable[[int], float]
SMALL = {"name": "transformer", "layers": 4, "heads": 4, "width": 128}
BATCH = 12
FOREVER = 10**6


def parts_of(run: Path, model: dict[str, Any], block: int, every: int) -> Parts:
    """Build a run's parts, a checkpoint every so many steps."""
    config = Config(
        run=str(run),
        model=model,
        data={"name": "text", "path": str(SONNETS)},
        training=Training(steps=FOREVER, batch_size=BATCH, block_size=block, device="cpu"),
        optimizer=Optimizer(),
        evaluation=Evaluation(every=0),
        checkpoints=Checkpoints(every=every),
        logging=Logging(every=10),
    )
    return assemble(config, ByteTokenizer(), run)


def ours(parts: Parts) -> Round:
    """Return the loop of this project; it gives the seconds of `steps` more steps."""
    manager = CheckpointManager(parts.run / "checkpoints", keep_last=2)
    loop = Loop(parts, manager, [Ndjson(parts.run, parts.plain_config, 0)])

    def once(steps: int) -> float:
        start = time.perf_counter()
        loop.run(parts.progress.step + steps)
        return time.perf_counter() - start

    return once


def nanogpt_style(parts: Parts, data: Path) -> Round:
    """Return the loop that is written by hand for a small language model."""
    model, block = parts.loss_model, parts.config.training.block_size
    parameters = list(model.parameters())
    groups = [
        {"params": [p for p in parameters if p.dim() >= 2], "weight_decay": 0.1},
        {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.99))  # fused on CUDA only

    def windows() -> tuple[torch.Tensor, torch.Tensor]:
        tokens = open_tokens(data).ids
        starts = torch.randint(len(tokens) - block, (BATCH,)).tolist()
        cut = [torch.from_numpy(tokens[i : i + block + 1].astype(np.int64)) for i in starts]
        batch = torch.stack(cut)
        return batch[:, :-1].contiguous(), batch[:, 1:].contiguous()

    def once(steps: int) -> float:
        start = time.perf_counter()
        inputs, targets = windows()
        for step in range(steps):
            for group in optimizer.param_groups:
                group["lr"] = 1e-4 + 0.45e-3 * (1 + math.cos(math.pi * step / FOREVER))
            loss = model(inputs, targets)
            inputs, targets = windows()
            loss.backward()
            nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            if step % 10 == 0:
                print(f"{step} {loss.item():.4f}", file=sys.stderr)
        return time.perf_counter() - start

    return once


def interleave(mine: Round, other: Round, rounds: int, steps: int) -> list[tuple[float, float]]:
    """Return seconds of both per round, after one to warm up; who goes first alternates."""
    mine(20), other(20)
    pairs = []
    for number in range(rounds):
        if number % 2:
            second = other(steps)
            pairs.append((mine(steps), second))
        else:
            first = mine(steps)
            pairs.append((first, other(steps)))
    return pairs


def main() -> None:
    """Compare and print a line."""
    rounds, steps = (int(given) for given in (sys.argv[1:] + ["7", "100"][len(sys.argv) - 1 :]))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        small = [parts_of(folder / side, SMALL, 64, 100) for side in ("a", "b")]
        data = next((small[1].run / "tokens").glob("*.npy"))
        pairs = interleave(ours(small[0]), nanogpt_style(small[1], data), rounds, steps)
        ratio = statistics.median(theirs / mine for mine, theirs in pairs)
        speed = [BATCH * 64 * steps / statistics.median(side) for side in zip(*pairs, strict=True)]
        print(
            f"throughput: codex_ml {speed[0]:,.0f} tokens/s, nanoGPT-style {speed[1]:,.0f}: "
            f"{ratio:.3f} x"
        )


if __name__ == "__main__":
    main()
