"""One safetensors file: laid out, then written while its bytes are digested."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Self

from codex_ml.checkpointing.digest import digest, hasher
from codex_ml.checkpointing.dtypes import DTYPES
from codex_ml.checkpointing.files import OutputFile
from codex_ml.checkpointing.manifest import Chunk, FileEntry
from codex_ml.checkpointing.tensors import Block, as_bytes

PIECE = 1 << 20  # bytes; digested twice and written while it is in the cache


@dataclass(frozen=True, slots=True)
class Plan:
    """Where each tensor of a file goes: larger elements first, which keeps all aligned."""

    name: str
    blocks: tuple[Block, ...]
    order: tuple[Block, ...]
    ends: tuple[int, ...]
    header: bytes

    @classmethod
    def of(cls, name: str, blocks: tuple[Block, ...]) -> Self:
        """Lay out the file `name`."""
        order = sorted(blocks, key=lambda block: -DTYPES[block.dtype].itemsize)
        ends = list(accumulate(map(_nbytes, order)))
        return cls(name, blocks, tuple(order), tuple(ends), _header(order, ends))

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return len(self.header) + self.ends[-1]

    def write(self, file: OutputFile) -> tuple[FileEntry, tuple[Chunk, ...]]:
        """Write everything; return the file's entry and one chunk per block."""
        whole = hasher()
        whole.update(self.header)
        file.write(self.header)
        chunks = {}
        for block, end in zip(self.order, self.ends, strict=True):
            part = hasher()
            for piece in _pieces(as_bytes(block.tensor)):
                part.update(piece)
                whole.update(piece)
                file.write(piece)
            chunks[block.key] = self._chunk(block, end, part.hexdigest())
        header = digest(self.header)
        entry = FileEntry(self.name, self.size, whole.hexdigest(), len(self.header), header)
        return entry, tuple(chunks[block.key] for block in self.blocks)

    def _chunk(self, block: Block, end: int, digest: str) -> Chunk:
        size = _nbytes(block)
        start = len(self.header) + end - size
        shape = None if block.offsets is None else tuple(block.tensor.shape)
        return Chunk(self.name, block.key, start, size, digest, block.offsets, shape)


def _nbytes(block: Block) -> int:
    return block.tensor.numel() * DTYPES[block.dtype].itemsize


def _header(order: list[Block], ends: list[int]) -> bytes:
    """Return the 8-byte length and the JSON, padded with spaces to a multiple of 8 bytes."""
    entries = {}
    for block, end in zip(order, ends, strict=True):
        code, _, trailing = DTYPES[block.dtype]
        entries[block.key] = {
            "dtype": code,
            "shape": [*block.tensor.shape, *trailing],
            "data_offsets": [end - _nbytes(block), end],
        }
    text = json.dumps(entries, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def _pieces(data: memoryview) -> Iterator[memoryview]:
    for start in range(0, data.nbytes, PIECE):
        yield data[start : start + PIECE]
