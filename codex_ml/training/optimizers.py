"""AdamW over a model's parameters."""

from typing import Any

import torch
from torch import nn

from codex_ml.training.config import Optimizer


def adamw(model: nn.Module, config: Optimizer) -> torch.optim.AdamW:
    """Return fused AdamW; parameters of two or more dimensions decay, the others do not."""
    parameters = [weight for weight in model.parameters() if weight.requires_grad]
    matrices = [weight for weight in parameters if weight.dim() >= 2]
    vectors = [weight for weight in parameters if weight.dim() < 2]
    groups: list[dict[str, Any]] = [
        {"params": matrices},
        {"params": vectors, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(
        groups,
        lr=config.lr,
        betas=config.betas,
        eps=config.eps,
        weight_decay=config.weight_decay,
        fused=all(weight.is_floating_point() for weight in parameters),
    )
