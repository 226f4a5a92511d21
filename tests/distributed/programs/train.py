"""A loop that resumes: hooks, accumulation, checkpoints, and a rank that may die.

train.py FOLDER STRATEGY,... STEPS [VICTIM AT HOW]
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

import torch
from torch import nn

from codex_ml import distributed
from codex_ml.cli import guard

GLOBAL_BATCH, MICRO = 16, 2
folder, strategies, steps = Path(sys.argv[1]), sys.argv[2].split(","), int(sys.argv[3])
victim, at, how = (
    (int(sys.argv[4]), int(sys.argv[5]), sys.argv[6]) if sys.argv[4:] else (-1, -1, "")
)


class Layer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.up, self.down = nn.Linear(8, 32), nn.Linear(32, 8)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = x + self.down(torch.tanh(self.up(x)))
        return out


def batch(step: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The global batch of a step: a function of the step alone."""
    generator = torch.Generator().manual_seed(step)
    x = torch.randn(GLOBAL_BATCH, 8, generator=generator)
    return x, x.flip(1)


def fail(step: int) -> None:
    if step == at and distributed.rank() == victim:
        match how:
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "hang":
                time.sleep(600)
            case "freeze":
                os.kill(os.getpid(), signal.SIGSTOP)
            case "raise":
                raise ValueError("bad batch")


def step_once(model: nn.Module, step: int) -> float:
    """One SGD step, by hand: torch.optim imports the compiler, which takes longer than the test."""
    x, y = batch(step)
    mine = torch.tensor(list(distributed.shard(GLOBAL_BATCH)))
    losses = []
    for micro, rows in enumerate(mine.chunk(MICRO)):
        with distributed.gradient_sync(model, enabled=micro == MICRO - 1):
            loss = nn.functional.mse_loss(model(x[rows]), y[rows]) / MICRO
            if micro == 0:
                fail(step)
            torch.autograd.backward(loss)
        losses.append(loss.item())
    with torch.no_grad():
        for parameter in model.parameters():
            assert parameter.grad is not None
            parameter.sub_(parameter.grad, alpha=0.05)
            parameter.grad = None
    return distributed.all_reduce_mean(sum(losses))


def train(strategy: str, folder: Path) -> None:
    torch.manual_seed(0)
    plain = nn.Sequential(Layer(), Layer())
    saved = folder / f"{strategy}.pt"
    start = 0
    if saved.exists():
        state = torch.load(saved)
        plain.load_state_dict(state["model"])
        start = state["step"]
    model = distributed.wrap(plain, strategy, blocks=(Layer,))
    for step in range(start, steps):
        loss = step_once(model, step)
        if distributed.is_main():
            with (folder / f"{strategy}.ndjson").open("a") as stream:
                stream.write(json.dumps([step, loss]) + "\n")
            if strategy == "ddp":
                inner = distributed.unwrap(model).state_dict()
                torch.save({"model": inner, "step": step + 1}, folder / "new.pt")
                (folder / "new.pt").replace(saved)


def main() -> None:
    with distributed.session():
        for strategy in strategies:
            train(strategy, folder)


sys.exit(guard(main))
