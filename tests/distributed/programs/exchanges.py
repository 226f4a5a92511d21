"""Count the gradient exchanges of accumulated steps; each rank prints one JSON line.

{strategy: {"last": exchanges if only the last micro-batch is to exchange, "each": if all are}}
"""

import json
import sys
from collections.abc import Callable

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from codex_ml import distributed

STEPS, MICRO = 3, 4
GRADIENTS = ("allreduce_", "_reduce_scatter_base_", "reduce_scatter_")


class Exchanges(TorchDispatchMode):
    """Sees every collective at torch's dispatcher, those of DDP's reducer in C++ too."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.count = 0

    def __torch_dispatch__(  # type: ignore[no-untyped-def]
        self, operation, types, arguments=(), options=None
    ):
        schema = operation._schema.name
        self.count += schema in {f"c10d::{name}" for name in GRADIENTS}
        return operation(*arguments, **(options or {}))


def exchanges(strategy: str, exchanging: Callable[[int], bool]) -> int:
    plain = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 8))
    model = distributed.wrap(plain, strategy, blocks=(nn.Linear,))
    seen = Exchanges()
    with seen:
        for _ in range(STEPS):
            for micro in range(MICRO):
                with distributed.gradient_sync(model, enabled=exchanging(micro)):
                    torch.autograd.backward(model(torch.ones(2, 8)).sum())
            model.zero_grad()
    return seen.count


with distributed.session():
    found = {
        strategy: {
            "last": exchanges(strategy, lambda micro: micro == MICRO - 1),
            "each": exchanges(strategy, lambda _: True),
        }
        for strategy in ("ddp", "fsdp")
    }
sys.stdout.write(json.dumps(found) + "\n")
