"""FSDP2: apart from `codex_ml.distributed.group`, because importing it takes a second."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import nn


def shard_parameters(
    model: nn.Module, device: str, world_size: int, blocks: tuple[type[nn.Module], ...]
) -> nn.Module:
    """Shard `model` in place over all ranks, its `blocks` first, and return it."""
    mesh = init_device_mesh(device, (world_size,))
    for module in [found for found in model.modules() if isinstance(found, blocks)]:
        fully_shard(module, mesh=mesh)
    fully_shard(model, mesh=mesh)
    return model


@contextmanager
def gradient_sync(model: nn.Module, enabled: bool) -> Iterator[None]:
    """Within, backward reduces gradients only if `enabled`; a plain module is left alone."""
    if not isinstance(model, FSDPModule):
        yield
        return
    model.set_requires_gradient_sync(enabled)
    try:
        yield
    finally:
        model.set_requires_gradient_sync(True)
