"""What a manifest has to hold to before anything relies on it.

Its digest says that it is as it was written, not that this package wrote it:
a checkpoint may come from anywhere. Nothing outside its own directory is ever
named by one that passes, and nothing beside the bytes of its own tensors read.
"""

from collections.abc import Sequence
from itertools import takewhile
from math import prod
from typing import TYPE_CHECKING

from codex_ml.checkpointing.dtypes import DTYPES
from codex_ml.checkpointing.errors import SchemaVersionError
from codex_ml.checkpointing.layout import is_tensors_file

if TYPE_CHECKING:
    from codex_ml.checkpointing.manifest import FileEntry, Manifest, TensorEntry

LENGTH = 8  # bytes of a safetensors file before its header
Box = tuple[tuple[int, ...], tuple[int, ...]]  # offsets, shape


def check(manifest: "Manifest", where: str) -> None:
    """Raise `SchemaVersionError` for a manifest that this package never writes."""
    files = {entry.path: entry for entry in manifest.files}
    for entry in manifest.files:
        if not is_tensors_file(entry.path):
            raise SchemaVersionError(f"{where}: manifest names a file outside: {entry.path!r}")
        if not LENGTH <= entry.data_start <= entry.size:
            raise _contradiction(where, entry.path)
    if manifest.step < 0 or len(files) != len(manifest.files):
        raise _contradiction(where, "step or files")
    for tensor in manifest.tensors:
        if not _holds(tensor, files):
            raise _contradiction(where, tensor.name)


def _contradiction(where: str, what: str) -> SchemaVersionError:
    return SchemaVersionError(f"{where}: manifest contradicts itself: {what}")


def _holds(tensor: "TensorEntry", files: "dict[str, FileEntry]") -> bool:
    if tensor.dtype not in DTYPES or not tiles(tensor):
        return False
    for chunk in tensor.chunks:
        shape = tensor.shape if chunk.shape is None else chunk.shape
        file = files.get(chunk.file)
        if file is None or chunk.size != prod(shape) * DTYPES[tensor.dtype].itemsize:
            return False
        if not file.data_start <= chunk.start <= file.size - chunk.size:
            return False
    return True


def tiles(tensor: "TensorEntry") -> bool:
    """Whether the chunks cover every element of the tensor exactly once."""
    shape = tensor.shape
    boxes = [(chunk.offsets or (0,) * len(shape), chunk.shape or shape) for chunk in tensor.chunks]
    return (
        min(shape, default=0) >= 0
        and all(_inside(box, shape) for box in boxes)
        and sum(prod(lengths) for _, lengths in boxes) == prod(shape)
        and len(boxes) >= 1
        and _apart(boxes)
    )


def _inside(box: Box, shape: tuple[int, ...]) -> bool:
    offsets, lengths = box
    return len(offsets) == len(lengths) == len(shape) and all(
        offset >= 0 and length >= 0 and offset + length <= whole
        for offset, length, whole in zip(offsets, lengths, shape, strict=True)
    )


def _apart(boxes: Sequence[Box]) -> bool:
    """Whether no two boxes meet; sorted along the axis that tells most of them apart."""
    if len(boxes) == 1:
        return True
    axes = range(len(boxes[0][0]))
    axis = max(axes, key=lambda axis: len({box[0][axis] for box in boxes}), default=None)
    if axis is None:
        return False
    ordered = sorted(boxes, key=lambda box: box[0][axis])
    for place, (offsets, lengths) in enumerate(ordered, 1):
        end = offsets[axis] + lengths[axis]
        near = takewhile(lambda box: box[0][axis] < end, ordered[place:])  # noqa: B023
        if any(_meet((offsets, lengths), box) for box in near):
            return False
    return True


def _meet(one: Box, other: Box) -> bool:
    return all(
        max(starts) < min(start + length for start, length in zip(starts, lengths, strict=True))
        for starts, lengths in zip(
            zip(one[0], other[0], strict=True), zip(one[1], other[1], strict=True), strict=True
        )
    )
