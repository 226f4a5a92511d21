"""Facts for many blobs: from the cache where it knows them, on both cores where it does not."""

import gc
import sys
import warnings
from collections.abc import Sequence
from typing import Any, Final, TypeAlias

import msgspec

from audit import parallel
from audit.facts import extractors
from audit.facts.model import (
    DataFacts,
    Fact,
    Facts,
    FileKind,
    ProseFacts,
    PythonFacts,
    ScriptFacts,
    TextFacts,
)

EXTRACTOR_VERSION: Final = 41
PARALLEL_BYTES: Final = 1_000_000
"""Below about 1 MB of misses, starting a second process costs more than it saves."""

SHARES: Final = 8
"""Shares of the work for each process: the last ones even out what the others took."""
_RECURSION: Final = 20_000
_TYPES: Final[dict[FileKind, type[Fact]]] = {
    "python": PythonFacts, "markdown": ProseFacts, "rst": ProseFacts, "toml": DataFacts,
    "yaml": DataFacts, "json": DataFacts, "jsonc": DataFacts, "ini": DataFacts,
    "shell": ScriptFacts, "make": ScriptFacts, "docker": ScriptFacts, "text": TextFacts,
    "jenkins": ScriptFacts, "just": ScriptFacts,
}  # fmt: skip
_DECODERS: Final[dict[FileKind, msgspec.msgpack.Decoder[Any]]] = {
    kind: msgspec.msgpack.Decoder(type_) for kind, type_ in _TYPES.items()
}
_ENCODER: Final = msgspec.msgpack.Encoder()

Job: TypeAlias = tuple[str, FileKind, bytes]
"""Cache key, kind and content of a blob."""


def key(blob: str, kind: FileKind) -> str:
    """Return the cache key of a blob's facts."""
    python = f"{sys.version_info[0]}.{sys.version_info[1]}"  # what parses depends on the parser
    return f"{EXTRACTOR_VERSION}:{python}:{kind}:{blob}"


def encode(kind: FileKind, content: bytes) -> bytes:
    """Extract and encode the facts of a blob; a refusal is encoded as its reason."""
    try:
        return b"\x01" + _ENCODER.encode(extractors.extract(kind, content))
    except extractors.REFUSALS as error:
        return b"\x00" + reason(error).encode("utf-8", "replace")


def reason(error: Exception) -> str:
    """Say in one line why a parser refused its input."""
    match error:
        case SyntaxError(lineno=line, msg=message) if line is not None:
            return f"line {line}: {message}"
        case RecursionError() | MemoryError():
            return "nested beyond reason"
        case UnicodeDecodeError():
            return "not UTF-8"
    return (str(error).partition("\n")[0] or type(error).__name__)[:200]


def decode(kind: FileKind, payload: bytes) -> Facts | str:
    """Return the facts in a payload, or the reason why there are none."""
    if payload[:1] == b"\x00":
        return payload[1:].decode()
    found: Facts = _DECODERS[kind].decode(payload[1:])
    return found


def _encode_all(jobs: Sequence[Job]) -> list[tuple[str, bytes]]:
    collects = gc.isenabled()
    gc.disable()
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(_RECURSION)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes in the audited code
            return [(name, encode(kind, content)) for name, kind, content in jobs]
    finally:
        sys.setrecursionlimit(limit)
        if collects:
            gc.enable()


def extract_all(jobs: Sequence[Job], processes: int) -> dict[str, bytes]:
    """Return the encoded facts of every job by key, the same whatever `processes` is."""
    small = sum(len(job[2]) for job in jobs) < PARALLEL_BYTES
    for kind in {job[1] for job in jobs}:
        extractors.extractor(kind)  # a parser is loaded once, before processes part
    shares = [jobs] if small or processes < 2 else _shares(jobs, SHARES * processes)
    found: dict[str, bytes] = {}
    for payload in parallel.spread(
        lambda one: _ENCODER.encode(_encode_all(one)), shares, processes
    ):
        found |= dict(msgspec.msgpack.decode(payload))
    return found


def _shares(jobs: Sequence[Job], count: int) -> list[list[Job]]:
    """Deal jobs out into shares of about the same number of bytes."""
    shares: list[list[Job]] = [[] for _ in range(count)]
    filled = [0] * count
    for job in sorted(jobs, key=lambda one: -len(one[2])):
        least = filled.index(min(filled))
        shares[least].append(job)
        filled[least] += len(job[2]) + 200  # what a small file costs besides its bytes
    return shares
