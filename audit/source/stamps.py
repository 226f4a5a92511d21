"""Blob ids of files that have not changed since they were hashed, by what `lstat` says.

Git's index knows the files it last looked at. It knows nothing of a fresh copy, a
plain folder or a file that is only touched: those would be hashed on every run.
"""

import os
import time
from hashlib import sha256
from pathlib import Path
from typing import Final, TypeAlias

import msgspec

from audit.store import NoStore, Store

_RACY_NS: Final = 2_000_000_000
"""A file changed less than two seconds before it was hashed may change again within the same
time stamp (the coarsest one, FAT's): it is hashed again. Git calls such entries racy."""

Stamp: TypeAlias = tuple[int, int, int, int, str]
"""Size in bytes, times of change in nanoseconds (content, inode), inode, blob id."""
_TYPE: Final = dict[bytes, Stamp]


class Stamps:
    """What is known of the files below one root."""

    def __init__(self, root: Path, store: Store | NoStore) -> None:
        self._store = store
        self._key = "stamps:" + sha256(os.fsencode(os.path.realpath(root))).hexdigest()
        self._known: dict[bytes, Stamp] | None = None
        self._fresh: dict[bytes, Stamp] = {}

    def blob(self, name: bytes, state: os.stat_result) -> str:
        """Return the blob id of a file that is as it was when it was hashed, else nothing."""
        if self._known is None:
            payload = self._store.get([self._key]).get(self._key)
            self._known = msgspec.msgpack.decode(payload, type=_TYPE) if payload else {}
        known = self._known.get(name)
        return known[4] if known is not None and known[:4] == _stamp(state) else ""

    def note(self, name: bytes, state: os.stat_result, blob: str) -> None:
        """Remember what a file hashed to; `state` was taken before its bytes were read."""
        if time.time_ns() - max(state.st_mtime_ns, state.st_ctime_ns) > _RACY_NS:
            self._fresh[name] = (*_stamp(state), blob)

    def save(self) -> None:
        """Keep what was noted for the next run."""
        if self._fresh:
            payload = msgspec.msgpack.encode({**(self._known or {}), **self._fresh})
            self._store.put({self._key: payload})


def _stamp(state: os.stat_result) -> tuple[int, int, int, int]:
    return state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino
