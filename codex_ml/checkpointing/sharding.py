"""Tensors of which each rank holds a block: where the blocks lie, and cutting others."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from codex_ml.checkpointing import tree
from codex_ml.checkpointing.manifest import Chunk, TensorEntry


@dataclass(frozen=True, slots=True)
class Shard:
    """This rank's block of a larger tensor.

    `shape` is the whole tensor's; the block starts at `offsets` in it. Of
    ranks that hold the same block, one has `writes` set.
    """

    tensor: Tensor
    shape: tuple[int, ...]
    offsets: tuple[int, ...]
    writes: bool = True


def as_shard(value: object, path: tree.Path) -> Shard | None:
    """Return this rank's block of a `Shard` or a DTensor; None for anything else.

    Raises `UnsupportedStateError` for a DTensor whose blocks are interleaved
    or are still to be summed.
    """
    if isinstance(value, Shard):
        return value
    return _of_dtensor(value, path) if is_dtensor(value) else None


def is_dtensor(value: object) -> bool:
    """Whether `value` is a DTensor; imports nothing."""
    module = sys.modules.get("torch.distributed.tensor")
    return module is not None and isinstance(value, module.DTensor)


def _of_dtensor(value: Any, path: tree.Path) -> Shard:
    names = {type(placement).__name__ for placement in value.placements}
    if not names <= {"Shard", "Replicate"}:
        raise tree.refuse(path, f"DTensor placements {value.placements} have no exact form")
    (chunk,) = value.__create_chunk_list__()
    coordinate = value.device_mesh.get_coordinate() or ()
    first = all(
        place == 0
        for place, placement in zip(coordinate, value.placements, strict=True)
        if placement.is_replicate()
    )
    return Shard(value.to_local(), tuple(value.shape), tuple(chunk.offsets), writes=first)


def like(target: Any, block: Tensor) -> Any:
    """Return `block` as what `target` is: a `Shard` or a DTensor."""
    if isinstance(target, Shard):
        return replace(target, tensor=block)
    from torch.distributed.tensor import DTensor

    return DTensor.from_local(
        block.to(target.to_local().device),
        target.device_mesh,
        target.placements,
        shape=target.shape,
        stride=target.stride(),
    )


def cut(
    entry: TensorEntry,
    read: Callable[[Chunk], Tensor],
    offsets: tuple[int, ...],
    shape: tuple[int, ...],
) -> Tensor:
    """Return the block of a stored tensor at `offsets`, reading only the chunks that meet it."""
    block = torch.empty(shape, dtype=getattr(torch, entry.dtype))
    for chunk in entry.chunks:
        starts = chunk.offsets or (0,) * len(entry.shape)
        sizes = entry.shape if chunk.shape is None else chunk.shape
        lower = [max(pair) for pair in zip(offsets, starts, strict=True)]
        upper = [
            min(offset + length, start + size)
            for offset, length, start, size in zip(offsets, shape, starts, sizes, strict=True)
        ]
        if all(low < high for low, high in zip(lower, upper, strict=True)):
            source = _region(read(chunk), starts, lower, upper)
            _region(block, offsets, lower, upper).copy_(source)
    return block


def _region(tensor: Tensor, starts: tuple[int, ...], lower: list[int], upper: list[int]) -> Tensor:
    for axis, (start, low, high) in enumerate(zip(starts, lower, upper, strict=True)):
        tensor = tensor.narrow(axis, low - start, high - low)
    return tensor
