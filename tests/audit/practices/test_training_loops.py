"""Whose training loop it is."""

import pytest

from tests.audit.build import decided

HITS = [
    pytest.param(
        """
import torch
class Stepper:
    def step(self, batches):
        for batch in batches:
            self._backward(batch)
        self._optimizer.step()
    def _backward(self, batch):
        torch.autograd.backward(self.loss(batch))
""",
        id="a class that makes steps, in a method of that name",
    ),
    pytest.param(
        """
def step(model, optimizer, batch):
    model(batch).backward()
    optimizer.step()
""",
        id="a function named step",
    ),
    pytest.param(
        """
class Trainer:
    def fit(self, batches):
        for batch in batches:
            self.model(batch).backward()
            self.optimizer.step()
""",
        id="a trainer's method",
    ),
]
NEAR_MISSES = [
    pytest.param(
        """
import torch
class Wrapped(torch.optim.Optimizer):
    def step(self, closure=None):
        self.inner_optimizer.step()
class Accelerator:
    def gradients(self, loss, wrapped):
        loss.backward()
        return Wrapped(wrapped)
""",
        id="an optimizer that wraps another",
    ),
    pytest.param(
        """
class ScaledOptimizer:
    def step(self):
        self.optimizer.step()
    def gradients(self, loss):
        loss.backward()
""",
        id="a class named after what it wraps",
    ),
    pytest.param(
        """
class Engine:
    def backward(self, loss):
        self.scaler.scale(loss).backward()
""",
        id="gradients without a step",
    ),
]


@pytest.mark.parametrize("text", HITS)
def test_the_loop_is_its_own(text: str) -> None:
    assert decided("train-loop", text).status == "present"


@pytest.mark.parametrize("text", NEAR_MISSES)
def test_what_wraps_an_optimizer_or_lacks_a_step_is_no_loop(text: str) -> None:
    assert decided("train-loop", text).status == "absent"
