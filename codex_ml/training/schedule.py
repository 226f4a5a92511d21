"""The learning rate as a function of the step, so that there is no state to save."""

import math

from codex_ml.training.config import Optimizer


def learning_rate(step: int, steps: int, config: Optimizer) -> float:
    """Return the rate of step `step` (from 0) of `steps`.

    Linear warm-up, then a cosine down to ``min_lr`` (Loshchilov and Hutter 2017).
    """
    if step < config.warmup:
        return config.lr * (step + 1) / (config.warmup + 1)
    progress = min(1.0, (step - config.warmup) / max(1, steps - 1 - config.warmup))
    return config.min_lr + 0.5 * (config.lr - config.min_lr) * (1 + math.cos(math.pi * progress))
