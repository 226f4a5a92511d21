"""Several processes: the hooks over `torch.distributed`."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from codex_ml.distributed.errors import DistributedError

if TYPE_CHECKING:
    from torch.distributed.distributed_c10d import Store

    from codex_ml.distributed.environment import Launch

T = TypeVar("T")
Number = TypeVar("Number", float, Tensor)


class Group:
    """The default process group of `torch.distributed`, opened and closed here."""

    def __init__(self, launch: Launch, store: Store) -> None:
        """Join the ranks; returns when all are there.

        Raises:
            DistributedError: there are fewer devices than local ranks.

        """
        self.rank = launch.rank
        self.world_size = launch.world_size
        self.local_rank = launch.local_rank
        self.device = _device(launch)
        dist.init_process_group(
            launch.backend,
            store=store,
            rank=launch.rank,
            world_size=launch.world_size,
            timeout=timedelta(seconds=launch.timeout),
        )

    def close(self) -> None:
        """Leave the group."""
        dist.destroy_process_group()

    def barrier(self) -> None:
        """Return when every rank has come here."""
        dist.barrier()

    def all_reduce_mean(self, value: Number) -> Number:
        """Return the mean over the ranks; a tensor is not changed in place.

        Integers are averaged in float64, everything else in its own type.
        """
        if not isinstance(value, Tensor):
            total = torch.tensor(value, dtype=torch.float64, device=self.device)
            dist.all_reduce(total)
            return total.item() / self.world_size
        total = value.detach().clone() if value.is_floating_point() else value.double()
        dist.all_reduce(total)
        return total / self.world_size

    def broadcast_object(self, value: T, source: int = 0) -> T:
        """Return rank `source`'s value on every rank (pickled: between own processes only)."""
        box = [value]
        dist.broadcast_object_list(box, source, device=self.device)
        return box[0]

    def gather_objects(self, value: T) -> list[T]:
        """Return every rank's value, in rank order, on every rank."""
        found: list[Any] = [None] * self.world_size
        dist.all_gather_object(found, value)
        return found

    def wrap(
        self,
        model: nn.Module,
        strategy: str = "ddp",
        blocks: tuple[type[nn.Module], ...] = (),
    ) -> nn.Module:
        """Return `model`, made to train over the ranks.

        Args:
            model: on this rank's device, the same on every rank.
            strategy: ``ddp`` (each rank holds all parameters, gradients are
                averaged) or ``fsdp`` (FSDP2: parameters, gradients and
                optimizer state are sharded).
            blocks: for ``fsdp``, the classes of submodules to gather one at a
                time, such as the transformer's layer.

        """
        match strategy:
            case "ddp":
                cuda = self.device.type == "cuda"
                return DistributedDataParallel(model, device_ids=[self.device] if cuda else None)
            case "fsdp":
                from codex_ml.distributed.sharded import shard_parameters

                return shard_parameters(model, self.device.type, self.world_size, blocks)
        raise DistributedError(f"no strategy {strategy!r}: use ddp or fsdp")

    def gradient_sync(self, model: nn.Module, enabled: bool) -> AbstractContextManager[None]:
        """Within, backward exchanges gradients only if `enabled`: the last micro-batch's."""
        if isinstance(model, DistributedDataParallel):
            return nullcontext() if enabled else model.no_sync()
        from codex_ml.distributed.sharded import gradient_sync

        return gradient_sync(model, enabled)


def _device(launch: Launch) -> torch.device:
    if launch.device == "cpu":
        return torch.device("cpu")
    count = torch.cuda.device_count()
    if launch.local_rank >= count:
        raise DistributedError(
            f"LOCAL_RANK={launch.local_rank} but this machine has {count} CUDA devices: "
            "start no more processes per node than it has"
        )
    torch.cuda.set_device(launch.local_rank)
    return torch.device("cuda", launch.local_rank)
