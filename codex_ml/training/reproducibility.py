"""The same seed gives the same run: generators and kernels."""

import os
import random

import numpy as np
import torch


def seed_everything(seed: int) -> None:
    """Seed the generators of python, numpy and torch."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def use_deterministic_kernels() -> None:
    """Have torch use kernels that give the same bits every time, in this whole process.

    An operation that has no such kernel raises `RuntimeError` when it runs. Call it
    before the first CUDA operation: cuBLAS reads its workspace's size once
    (https://docs.pytorch.org/docs/stable/notes/randomness.html).
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.benchmark = False
    # It fills what nothing reads, and takes time.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
