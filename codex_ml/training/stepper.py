"""One optimizer step: micro-batches forward and backward, clip, update."""

import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from codex_ml import distributed
from codex_ml.training.config import Config

Precision = Callable[[], AbstractContextManager[Any]]


class Step(NamedTuple):
    """What a step showed."""

    losses: list[float]
    """Mean loss of each micro-batch in nats, over the ranks."""
    norm: float | None
    """Norm of the whole gradient before clipping; None where it is not clipped."""
    applied: bool
    """Whether the parameters were updated: not if something was not finite."""

    @property
    def loss(self) -> float:
        """Mean over the micro-batches."""
        return sum(self.losses) / len(self.losses)


class Stepper:
    """Makes steps with a model that returns its loss."""

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        config: Config,
        device: torch.device,
    ) -> None:
        """Prepare; `model` maps (inputs, targets) to a scalar and may be wrapped or compiled."""
        self._wrapped = model
        self._model: Any = torch.compile(model) if config.training.compile else model
        self._optimizer = optimizer
        self._parameters = [weight for weight in model.parameters() if weight.requires_grad]
        self._clip = config.optimizer.clip
        self._accumulation = config.training.accumulation
        self._device = device
        self.precision = precision(config.training.precision, device)

    def step(self, batches: Iterator[tuple[Tensor, Tensor]], rate: float) -> Step:
        """Take a step's micro-batches from `batches` and make it at a learning rate.

        Where a loss or the gradient's norm is not finite, nothing is changed.
        """
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        last = self._accumulation - 1
        losses = [self._backward(*next(batches), last=number == last) for number in range(last + 1)]
        values = self._values(losses)
        norm = None
        if self._clip:
            norm = nn.utils.clip_grad_norm_(self._parameters, self._clip, foreach=True).item()
        applied = all(map(math.isfinite, values)) and (norm is None or math.isfinite(norm))
        if applied:
            self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        return Step(values, norm, applied)

    def loss(self, inputs: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of a batch."""
        with self.precision():
            loss: Tensor = self._model(
                inputs.to(self._device, non_blocking=True),
                targets.to(self._device, non_blocking=True),
            )
        return loss

    def _backward(self, inputs: Tensor, targets: Tensor, *, last: bool) -> Tensor:
        with distributed.gradient_sync(self._wrapped, enabled=last):
            loss = self.loss(inputs, targets)
            torch.autograd.backward(loss / self._accumulation if self._accumulation > 1 else loss)
        return loss.detach()

    def _values(self, losses: list[Tensor]) -> list[float]:
        """Wait for the device once a step, and agree with the other ranks."""
        if len(losses) == 1:
            return [distributed.all_reduce_mean(losses[0].float()).item()]
        values: list[float] = distributed.all_reduce_mean(torch.stack(losses).float()).tolist()
        return values


def precision(name: str, device: torch.device) -> Precision:
    """Return what makes the context to compute in."""
    if name == "float32":
        return nullcontext
    return lambda: torch.autocast(device.type, getattr(torch, name))
