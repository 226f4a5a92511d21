"""The parts that several ranks wrote, merged into one checkpoint."""

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING

import msgspec

from codex_ml.checkpointing.consistency import tiles
from codex_ml.checkpointing.errors import MismatchError
from codex_ml.checkpointing.group import Group
from codex_ml.checkpointing.manifest import FileEntry, Json, TensorEntry

if TYPE_CHECKING:
    from codex_ml.checkpointing.tensors import Block, Component

RANK_LOCAL = ("rng", "data")  # components that each rank has its own of


class Part(msgspec.Struct, frozen=True):
    """What one rank wrote, or all of them."""

    files: tuple[FileEntry, ...]
    tensors: tuple[TensorEntry, ...]
    state: dict[str, Json]
    ranks: int = 1


def merge(parts: Sequence[Part]) -> Part:
    """Merge the ranks' parts.

    Raises `MismatchError` where ranks disagree about a component's structure or
    their blocks do not make up a whole tensor.
    """
    for rank, part in enumerate(parts):
        if part.state.keys() != parts[0].state.keys():
            raise MismatchError(f"ranks 0 and {rank} save different components")
    return Part(
        files=tuple(entry for part in parts for entry in part.files),
        tensors=_tensors([entry for part in parts for entry in part.tensors]),
        state={name: _state(name, parts) for name in parts[0].state},
        ranks=len(parts),
    )


def _state(name: str, parts: Sequence[Part]) -> Json:
    trees = [part.state[name] for part in parts]
    if name in RANK_LOCAL and len(parts) > 1:
        return {"$ranks": trees}
    for rank, tree in enumerate(trees):
        if tree != trees[0]:
            raise MismatchError(f"ranks 0 and {rank} disagree about the structure of {name!r}")
    return trees[0]


def _tensors(entries: list[TensorEntry]) -> tuple[TensorEntry, ...]:
    blocks: dict[str, list[TensorEntry]] = {}
    for entry in entries:
        blocks.setdefault(entry.name, []).append(entry)
    return tuple(_whole(name, of_name) for name, of_name in blocks.items())


def _whole(name: str, blocks: list[TensorEntry]) -> TensorEntry:
    first = blocks[0]
    chunks = tuple(chunk for block in blocks for chunk in block.chunks)
    alike = all((block.dtype, block.shape) == (first.dtype, first.shape) for block in blocks)
    whole = TensorEntry(name, first.dtype, first.shape, chunks)
    if not alike or not tiles(whole):
        raise MismatchError(f"the ranks' blocks do not make up the tensor {name!r}")
    return whole


def share(component: "Component", group: Group) -> "tuple[Block, ...]":
    """Return the blocks that this rank writes.

    Of a tensor that every rank has, one rank writes all: the one that has the
    fewest bytes so far. Every rank works that out alike, without asking.
    """
    if component.name in RANK_LOCAL or group.size == 1:
        return component.blocks
    bytes_of = [0] * group.size
    mine = []
    for block in component.blocks:
        if block.offsets is None:
            rank = bytes_of.index(min(bytes_of))
            bytes_of[rank] += block.tensor.nbytes
            if rank == group.rank:
                mine.append(block)
        elif block.writes and (block.tensor.numel() or (group.rank == 0 and not prod(block.shape))):
            mine.append(block)
    return tuple(mine)
