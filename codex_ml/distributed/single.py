"""One process: what the hooks are while nothing is distributed."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from torch import Tensor, nn

T = TypeVar("T")
Number = TypeVar("Number", "float", "Tensor")


class Single:
    """Null object: rank 0 of 1, on which every exchange is the identity."""

    rank = 0
    world_size = 1
    local_rank = 0

    def barrier(self) -> None:
        """Wait for nobody."""

    def all_reduce_mean(self, value: Number) -> Number:
        """Return `value`."""
        return value

    def broadcast_object(self, value: T, source: int = 0) -> T:  # noqa: ARG002
        """Return `value`."""
        return value

    def gather_objects(self, value: T) -> list[T]:
        """Return the one value there is."""
        return [value]

    def wrap(
        self,
        model: nn.Module,
        strategy: str = "ddp",  # noqa: ARG002
        blocks: tuple[type[nn.Module], ...] = (),  # noqa: ARG002
    ) -> nn.Module:
        """Return `model` itself."""
        return model

    def gradient_sync(
        self,
        model: nn.Module,  # noqa: ARG002
        enabled: bool,  # noqa: ARG002
    ) -> AbstractContextManager[None]:
        """Return a context that does nothing."""
        return nullcontext()
