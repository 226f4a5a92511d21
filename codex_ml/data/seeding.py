"""Random numbers that depend on the place in the data and on nothing else."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


@contextmanager
def seeded(*key: int) -> Iterator[None]:
    """Within, the CPU generators of python, numpy and torch start from `key`; then as before."""
    first, second, third = np.random.SeedSequence(key).generate_state(3).tolist()
    python, numpy = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(devices=[]):
        random.seed(first)
        np.random.seed(second)
        torch.default_generator.manual_seed(third)
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)
