"""Writing one safetensors file, digesting the bytes on their way to the disk."""

import json
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

from codex_ml.checkpointing.digest import digest, hasher
from codex_ml.checkpointing.dtypes import DTYPES
from codex_ml.checkpointing.files import Files
from codex_ml.checkpointing.manifest import Chunk, FileEntry
from codex_ml.checkpointing.tensors import Block, as_bytes

PIECE = 1 << 20  # bytes; digested twice and written while it is in the cache


def write(
    files: Files, path: Path, blocks: tuple[Block, ...]
) -> tuple[FileEntry, tuple[Chunk, ...]]:
    """Write `blocks` durably to the new file `path`; return its entry and one chunk per block."""
    order = sorted(blocks, key=lambda block: -DTYPES[block.dtype].itemsize)  # keeps them aligned
    sizes = [block.tensor.numel() * DTYPES[block.dtype].itemsize for block in order]
    ends = list(accumulate(sizes))
    header = _header(order, sizes, ends)
    whole = hasher()
    size = len(header) + sum(sizes)
    file = files.create(path, size)
    try:
        whole.update(header)
        file.write(header)
        chunks = {}
        for block, length, end in zip(order, sizes, ends, strict=True):
            part = hasher()
            for piece in _pieces(as_bytes(block.tensor)):
                part.update(piece)
                whole.update(piece)
                file.write(piece)
            start = len(header) + end - length
            chunks[block.key] = _chunk(path.name, block, start, length, part.hexdigest())
        file.sync()
    finally:
        file.close()
    entry = FileEntry(path.name, size, whole.hexdigest(), len(header), digest(header))
    return entry, tuple(chunks[block.key] for block in blocks)


def _chunk(file: str, block: Block, start: int, size: int, digest: str) -> Chunk:
    shape = None if block.offsets is None else tuple(block.tensor.shape)
    return Chunk(file, block.key, start, size, digest, block.offsets, shape)


def _header(order: list[Block], sizes: list[int], ends: list[int]) -> bytes:
    """Return the 8-byte length and the JSON, padded with spaces to a multiple of 8 bytes."""
    entries = {}
    for block, size, end in zip(order, sizes, ends, strict=True):
        code, _, trailing = DTYPES[block.dtype]
        shape = [*block.tensor.shape, *trailing]
        entries[block.key] = {"dtype": code, "shape": shape, "data_offsets": [end - size, end]}
    text = json.dumps(entries, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def _pieces(data: memoryview) -> Iterator[memoryview]:
    for start in range(0, data.nbytes, PIECE):
        yield data[start : start + PIECE]
