"""Environment-gated hooks for training over several processes.

Unless ``CODEX_DDP=1``, every hook is a null object: `torch.distributed` is not
imported, no socket is opened, no seed is touched::

    from codex_ml import distributed

    with distributed.session():
        model = distributed.wrap(model)
        for step, batch in enumerate(batches):
            with distributed.gradient_sync(model, enabled=(step + 1) % 4 == 0):
                loss(model, batch).backward()
        if distributed.is_main():
            save(model)

Launch with ``CODEX_DDP=1 torchrun --nproc-per-node 2 train.py``.
"""

from __future__ import annotations

import os
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from codex_ml.distributed.environment import SWITCH, enabled, read_launch
from codex_ml.distributed.errors import DistributedError, RankLostError
from codex_ml.distributed.single import Single

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from torch import Tensor, nn

    from codex_ml.distributed.group import Group

__all__ = [
    "DistributedError",
    "RankLostError",
    "all_reduce_mean",
    "barrier",
    "broadcast_object",
    "enabled",
    "gather_objects",
    "gradient_sync",
    "is_main",
    "local_rank",
    "main_first",
    "rank",
    "session",
    "shard",
    "unwrap",
    "world_size",
    "wrap",
]

T = TypeVar("T")
Number = TypeVar("Number", "float", "Tensor")

_current: Single | Group = Single()


@contextmanager
def session(device: str = "cpu") -> Iterator[Single | Group]:
    """Join the other ranks for the body if ``CODEX_DDP`` is on; do nothing otherwise.

    Inside, the hooks of this module speak for all ranks. The body ends on every
    rank or on none: if a rank dies or raises, the others stop too and say which.

    Args:
        device: ``cpu`` (gloo) or ``cuda`` (nccl, one device per local rank).

    Raises:
        DistributedError: the environment contradicts itself, or the ranks did not
            meet within ``CODEX_DDP_TIMEOUT`` seconds.
        RankLostError: another rank died or failed.

    """
    global _current
    if not enabled():
        _warn_if_launched()
        yield _current
        return
    launch = read_launch(device)
    if not isinstance(_current, Single):
        raise DistributedError("a session is open already: open one around the whole program")
    from codex_ml.distributed.joining import open_group

    with open_group(launch) as group:
        _current = group
        try:
            yield group
        finally:
            _current = Single()


def _warn_if_launched() -> None:
    size = os.environ.get("WORLD_SIZE", "1")
    if SWITCH not in os.environ and size not in ("", "1"):
        warnings.warn(
            f"WORLD_SIZE={size} but {SWITCH} is not set: every process runs alone; "
            f"set {SWITCH}=1 to join them or {SWITCH}=0 to say that this is meant",
            RuntimeWarning,
            stacklevel=4,
        )


def rank() -> int:
    """Return this process's number among all."""
    return _current.rank


def world_size() -> int:
    """Return the number of processes."""
    return _current.world_size


def local_rank() -> int:
    """Return this process's number on its machine."""
    return _current.local_rank


def is_main() -> bool:
    """Tell whether this is rank 0: the one that logs and writes."""
    return _current.rank == 0


def barrier() -> None:
    """Return when every rank has come here."""
    _current.barrier()


def all_reduce_mean(value: Number) -> Number:
    """Return the mean of a number or tensor over the ranks; the argument is not changed."""
    return _current.all_reduce_mean(value)


def broadcast_object(value: T, source: int = 0) -> T:
    """Return rank `source`'s value on every rank."""
    return _current.broadcast_object(value, source)


def gather_objects(value: T) -> list[T]:
    """Return every rank's value, in rank order, on every rank."""
    return _current.gather_objects(value)


def wrap(
    model: nn.Module, strategy: str = "ddp", blocks: tuple[type[nn.Module], ...] = ()
) -> nn.Module:
    """Return `model`, made to train over the ranks by ``ddp`` or ``fsdp`` (FSDP2).

    `blocks` are the classes of submodules that ``fsdp`` gathers one at a time,
    such as the transformer's layer.
    """
    return _current.wrap(model, strategy, blocks)


def unwrap(model: nn.Module) -> nn.Module:
    """Return the model inside `wrap`'s result: the one whose state to save."""
    return getattr(model, "module", model) if world_size() > 1 else model


def gradient_sync(model: nn.Module, enabled: bool) -> AbstractContextManager[None]:
    """Within, backward exchanges gradients only if `enabled`.

    Pass whether this micro-batch is the last before the optimizer's step: the
    exchanges of the others would be thrown away.
    """
    return _current.gradient_sync(model, enabled)


@contextmanager
def main_first() -> Iterator[None]:
    """Run the body on rank 0 first, then on the others: to download or build once."""
    if not is_main():
        barrier()
    yield
    if is_main():
        barrier()


def shard(count: int) -> range:
    """Return this rank's indices of `count` items: every rank-th, each item on one rank.

    Sizes differ by one at most. For training, where every rank must take the same
    number of steps, cut `count` to a multiple of `world_size()` first.
    """
    return range(rank(), count, world_size())
