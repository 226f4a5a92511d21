"""The parts that several ranks wrote, merged into one checkpoint."""

from collections.abc import Sequence
from itertools import groupby
from math import prod

import msgspec

from codex_ml.checkpointing.errors import MismatchError
from codex_ml.checkpointing.manifest import FileEntry, Json, TensorEntry

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
    if len(parts) == 1:
        return parts[0]
    return Part(
        files=tuple(entry for part in parts for entry in part.files),
        tensors=_tensors([entry for part in parts for entry in part.tensors]),
        state={name: _state(name, parts) for name in parts[0].state},
        ranks=len(parts),
    )


def _state(name: str, parts: Sequence[Part]) -> Json:
    trees = [part.state.get(name) for part in parts]
    if name in RANK_LOCAL:
        return {"$ranks": trees}
    for rank, tree in enumerate(trees):
        if tree != trees[0]:
            raise MismatchError(f"ranks 0 and {rank} disagree about the structure of {name!r}")
    return trees[0]


def _tensors(entries: list[TensorEntry]) -> tuple[TensorEntry, ...]:
    ordered = sorted(entries, key=lambda entry: entry.name)
    return tuple(
        _whole(name, list(blocks)) for name, blocks in groupby(ordered, lambda entry: entry.name)
    )


def _whole(name: str, blocks: list[TensorEntry]) -> TensorEntry:
    first = blocks[0]
    chunks = tuple(chunk for block in blocks for chunk in block.chunks)
    alike = all((block.dtype, block.shape) == (first.dtype, first.shape) for block in blocks)
    covered = sum(prod(first.shape if chunk.shape is None else chunk.shape) for chunk in chunks)
    if not alike or covered != prod(first.shape):
        raise MismatchError(f"the ranks' blocks do not make up the tensor {name!r}")
    return TensorEntry(name, first.dtype, first.shape, chunks)
