"""Token files: one long array of ids, mapped into memory.

A ``.npy`` file (any program reads it with ``numpy.load(path, mmap_mode="r")``)
holds the ids in the smallest of uint8, uint16 and uint32; ``<name>.npy.json``
beside it names the tokenizer's digest. Headerless little-endian uint16 ``.bin``
files, as nanoGPT and llm.c prepare them, are read too.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from codex_ml import files
from codex_ml.data.errors import DataError

if TYPE_CHECKING:
    from codex_ml.tokenization.base import Tokenizer

Ids = np.ndarray[tuple[int], np.dtype[np.unsignedinteger[Any]]]


@dataclass(frozen=True, slots=True)
class Tokens:
    """Token ids in memory or mapped from a file."""

    ids: Ids
    """(length,) unsigned integers."""
    tokenizer: str | None = None
    """Digest of the tokenizer that made them, where the file says so."""

    def __len__(self) -> int:
        """Return the number of tokens."""
        return len(self.ids)


def smallest_dtype(vocab_size: int) -> "np.dtype[np.unsignedinteger[Any]]":
    """Return the smallest unsigned type that holds every id of a vocabulary."""
    return np.min_scalar_type(vocab_size - 1)


def write_tokens(
    path: str | Path,
    texts: Iterable[str],
    tokenizer: "Tokenizer",
    *,
    separator: int | None = None,
    overwrite: bool = False,
) -> int:
    """Encode texts into a token file, one after the other, and return the number of tokens.

    Args:
        path: the ``.npy`` file to write, whole or not at all.
        texts: read once; one of them at a time is in memory.
        tokenizer: what encodes them; its digest is written beside the file.
        separator: an id to put after every text.
        overwrite: replace the file if it exists.

    """
    path = Path(path)
    dtype = smallest_dtype(tokenizer.vocab_size)
    tail = [] if separator is None else [separator]
    with files.replacing(path, overwrite=overwrite) as stream:
        _write_header(stream, dtype, 0)
        start = stream.tell()
        for text in texts:
            np.asarray(tokenizer.encode(text) + tail, dtype).tofile(stream)
        count = (stream.tell() - start) // dtype.itemsize
        stream.seek(0)
        _write_header(stream, dtype, count)
        if stream.tell() != start:  # numpy pads headers so that counts grow in place
            raise DataError(f"{path}: {count} tokens do not fit into a .npy header")
        note = {"tokenizer": tokenizer.digest, "tokens": count}
        files.write(_note(path), json.dumps(note).encode())
    return count


def open_tokens(path: str | Path) -> Tokens:
    """Map a token file into memory; nothing of it is read yet.

    Raises:
        DataError: the file is missing or holds no one-dimensional unsigned integers.

    """
    path = Path(path)
    try:
        ids = _map(path)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path}: not a token file: {error}") from None
    if ids.ndim != 1 or ids.dtype.kind != "u":
        raise DataError(
            f"{path}: holds {ids.dtype} of shape {ids.shape}: "
            "token ids are one dimension of unsigned integers"
        )
    return Tokens(ids, _tokenizer_of(path))


def _map(path: Path) -> Any:
    if path.suffix == ".bin":
        return np.memmap(path, dtype="<u2", mode="r")
    return np.lib.format.open_memmap(path, mode="r")  # np.load would advise to allow pickles


def _tokenizer_of(path: Path) -> str | None:
    try:
        digest = json.loads(_note(path).read_bytes())["tokenizer"]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{_note(path)}: damaged ({error}): write the tokens again") from None
    return str(digest)


def _note(path: Path) -> Path:
    return path.with_name(path.name + ".json")


def _write_header(stream: BinaryIO, dtype: "np.dtype[Any]", count: int) -> None:
    header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False}
    np.lib.format.write_array_header_1_0(stream, header | {"shape": (count,)})
