"""Seeds and deterministic kernels."""

import os
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from codex_ml.training import seed_everything, train, use_deterministic_kernels
from tests.training.runs import tiny


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    monkeypatch.setattr(torch.utils.deterministic, "fill_uninitialized_memory", True)
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", False)
    yield
    torch.use_deterministic_algorithms(False)


def drawn() -> tuple[float, float, float]:
    return random.random(), float(np.random.rand()), float(torch.rand(()))


def test_a_seed_seeds_every_generator() -> None:
    seed_everything(3)
    first = drawn()
    second = drawn()
    seed_everything(3)
    assert drawn() == first
    assert all(a != b for a, b in zip(first, second, strict=True))


def test_a_seed_may_be_larger_than_numpy_takes() -> None:
    seed_everything(2**40)


def test_an_operation_without_a_deterministic_kernel_is_an_error() -> None:
    use_deterministic_kernels()
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    with pytest.raises(RuntimeError, match="does not have a deterministic implementation"):
        torch.zeros(4).put_(torch.tensor([0]), torch.ones(1), accumulate=False)


def test_a_workspace_that_the_user_chose_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":16:8")
    use_deterministic_kernels()
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":16:8"


@pytest.mark.parametrize("deterministic", [False, True])
def test_the_configuration_switches_kernels(tmp_path: Path, deterministic: bool) -> None:
    train(tiny(tmp_path / "run", f"training.deterministic={str(deterministic).lower()}"))
    assert torch.are_deterministic_algorithms_enabled() is deterministic
