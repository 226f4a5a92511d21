"""`manifest.json`: everything about a checkpoint except the tensors' bytes."""

import re
from typing import Any, Literal, TypeAlias

import msgspec

from codex_ml.checkpointing import consistency
from codex_ml.checkpointing.digest import ALGORITHM, digest
from codex_ml.checkpointing.errors import DamagedCheckpointError, SchemaVersionError

FORMAT = "codex-ml-checkpoint"
SCHEMA_VERSION = 1

Json: TypeAlias = Any  # what JSON holds; `tree` gives it meaning


class Chunk(msgspec.Struct, frozen=True, omit_defaults=True):
    """A block of a tensor: bytes `start` to `start + size` of `file`.

    Row-major, little-endian. `offsets` and `shape` place the block in the
    tensor; both are None where the block is the whole tensor.
    """

    file: str
    key: str
    start: int
    size: int
    digest: str
    offsets: tuple[int, ...] | None = None
    shape: tuple[int, ...] | None = None


class TensorEntry(msgspec.Struct, frozen=True):
    """One tensor, whole or in blocks written by several ranks."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    chunks: tuple[Chunk, ...]

    @property
    def component(self) -> str:
        """The component that the tensor belongs to, such as ``model``."""
        return self.name.partition("/")[0]

    @property
    def nbytes(self) -> int:
        """Stored size in bytes."""
        return sum(chunk.size for chunk in self.chunks)


class FileEntry(msgspec.Struct, frozen=True):
    """One file beside the manifest; `header` is the digest of its first `data_start` bytes."""

    path: str
    size: int
    digest: str
    data_start: int
    header: str


class Selection(msgspec.Struct, frozen=True):
    """How the best checkpoint is chosen."""

    metric: str
    mode: Literal["min", "max"] = "min"


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The content of `manifest.json`, without its own digest."""

    format: Literal["codex-ml-checkpoint"] = "codex-ml-checkpoint"
    schema_version: int = SCHEMA_VERSION
    algorithm: Literal["xxh3_128"] = "xxh3_128"
    step: int
    sequence: int
    saved_at: str
    world_size: int = 1
    metrics: dict[str, Json] = {}
    selection: Selection | None = None
    versions: dict[str, str] = {}
    config: Json = None
    digests: dict[str, str] = {}
    files: tuple[FileEntry, ...] = ()
    tensors: tuple[TensorEntry, ...] = ()
    state: dict[str, Json] = {}


class _Header(msgspec.Struct):
    format: str
    schema_version: int


# the last bytes of the file: the digest of all bytes before them
_TRAILER = re.compile(rb',"digest":"' + ALGORITHM.encode() + rb':([0-9a-f]{32})"}\n')
_TRAILER_SIZE = len(b',"digest":"' + ALGORITHM.encode() + b':"}\n') + 32


def encode(manifest: Manifest) -> bytes:
    """Return the bytes of `manifest.json`, sealed with their own digest."""
    body = msgspec.json.encode(manifest)[:-1]
    return body + f',"digest":"{ALGORITHM}:{digest(body)}"}}\n'.encode()


def decode(data: bytes, where: str) -> Manifest:
    """Parse `manifest.json`, having verified every byte of it and that it holds together.

    Raises `DamagedCheckpointError` where a byte is not as written and
    `SchemaVersionError` for a version that this package cannot read, or a
    manifest that it never writes.
    """
    body, trailer = data[:-_TRAILER_SIZE], _TRAILER.fullmatch(data[-_TRAILER_SIZE:])
    if trailer is None or digest(body).encode() != trailer[1]:
        raise DamagedCheckpointError(f"{where}: manifest.json is damaged", ("manifest.json",))
    content = body + b"}"
    try:
        header = msgspec.json.decode(content, type=_Header)
        if header.format != FORMAT or header.schema_version != SCHEMA_VERSION:
            raise SchemaVersionError(_other_version(header, where))
        manifest = msgspec.json.decode(content, type=Manifest)
    except (ValueError, RecursionError) as error:  # msgspec's own errors are ValueErrors
        raise SchemaVersionError(f"{where}: not a checkpoint manifest: {error}") from None
    consistency.check(manifest, where)
    return manifest


def _other_version(header: _Header, where: str) -> str:
    if header.format != FORMAT:
        return f"{where}: format {header.format!r} is not {FORMAT!r}"
    if header.schema_version > SCHEMA_VERSION:
        return (
            f"{where}: schema version {header.schema_version} is newer than {SCHEMA_VERSION}, "
            "the newest this codex-ml reads: upgrade codex-ml"
        )
    return f"{where}: schema version {header.schema_version} was never released: no migration"
