"""Digests of files and tensors: XXH3, 128 bits.

A digest here detects accidents (bit flips, truncation, mixed-up files), not
forgery. Measured on one core: xxh3_128 12.5 GB/s, blake3 5.4, zlib.crc32 2.2,
SHA-256 0.9; at 1.5 GB/s of disk only the first costs nothing. 128 bits leave a
chance of 2**-128 that an accident goes unseen. ``xxhsum -H2 FILE`` checks a file
without this package.
"""

from typing import Protocol, TypeAlias

import xxhash

ALGORITHM = "xxh3_128"
Buffer: TypeAlias = "bytes | memoryview"


class Hasher(Protocol):
    """What `hasher()` returns."""

    def update(self, data: Buffer, /) -> None: ...
    def hexdigest(self) -> str: ...


def hasher() -> Hasher:
    """Return an empty digest to be fed piece by piece."""
    return xxhash.xxh3_128()


def digest(data: Buffer) -> str:
    """Return the digest of `data` as 32 hexadecimal digits."""
    return xxhash.xxh3_128_hexdigest(data)
