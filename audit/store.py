"""The cache: facts by blob hash, results by run key. Losing it costs time, never truth.

One SQLite file in the user's cache directory; several runs may share it. Every
value carries its digest, so a damaged one is a miss; a damaged file is made anew.
"""

import contextlib
import os
import sqlite3
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Final, Protocol, TypeAlias

_DIGEST: Final = 8
_CHUNK: Final = 900  # SQLite's oldest limit on the variables of one statement is 999
_MAX_BYTES: Final = 1 << 30

Rows: TypeAlias = Mapping[str, bytes]


def default_path() -> Path:
    """Return where the cache lies (XDG Base Directory Specification)."""
    base = os.environ.get("XDG_CACHE_HOME") or ""
    root = Path(base) if base.startswith("/") else Path.home() / ".cache"
    return root / "codex-audit" / "cache.sqlite"


class Cache(Protocol):
    """What a stage asks of a cache."""

    def get(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Return the values of the keys that are known."""

    def put(self, rows: Rows) -> None:
        """Keep values, or do not."""


class Store:
    """A persistent map from keys to bytes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = self._open()

    def _open(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        for attempt in (1, 2):
            connection = sqlite3.connect(self._path, timeout=10, isolation_level=None)
            try:
                connection.execute("PRAGMA journal_mode=WAL")
                connection.execute("PRAGMA synchronous=OFF")
                connection.execute("CREATE TABLE IF NOT EXISTS cache (key TEXT UNIQUE, value BLOB)")
                self._bound(connection)
                return connection
            except sqlite3.DatabaseError:
                connection.close()
                if attempt == 2:
                    raise
                self._remove()
        raise AssertionError("unreachable")

    def _remove(self) -> None:
        for suffix in ("", "-wal", "-shm"):
            self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)

    def _bound(self, connection: sqlite3.Connection) -> None:
        if self._path.stat().st_size > _MAX_BYTES:
            connection.execute(
                "DELETE FROM cache WHERE rowid <= (SELECT max(rowid) / 2 FROM cache)"
            )
            connection.execute("VACUUM")

    def get(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Return the values of the keys that are there and undamaged."""
        wanted = list(keys)
        found: dict[str, bytes] = {}
        with contextlib.suppress(sqlite3.DatabaseError):
            for start in range(0, len(wanted), _CHUNK):
                part = wanted[start : start + _CHUNK]
                marks = ",".join("?" * len(part))
                query = f"SELECT key, value FROM cache WHERE key IN ({marks})"  # noqa: S608 - only marks
                for key, value in self._connection.execute(query, part):
                    if value[:_DIGEST] == _digest(value[_DIGEST:]):
                        found[key] = value[_DIGEST:]
        return found

    def put(self, rows: Rows) -> None:
        """Keep values; a cache that cannot be written is left as it is."""
        with contextlib.suppress(sqlite3.DatabaseError):
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany(
                "INSERT OR REPLACE INTO cache VALUES (?, ?)",
                ((key, _digest(value) + value) for key, value in rows.items()),
            )
            self._connection.execute("COMMIT")

    def again(self) -> "Store | NoStore":
        """Open the file once more: a forked process must not share the connection."""
        return open_store(self._path)

    def close(self) -> None:
        """Release the file."""
        self._connection.close()


class NoStore:
    """A cache that keeps nothing: ``--no-cache``, or nowhere to write."""

    def get(self, keys: Iterable[str]) -> dict[str, bytes]:  # noqa: ARG002
        """Return nothing."""
        return {}

    def put(self, rows: Rows) -> None:
        """Keep nothing."""

    def again(self) -> "NoStore":
        """Return itself."""
        return self

    def close(self) -> None:
        """Do nothing."""


class Memory:
    """A cache in front of another one that remembers what passes."""

    def __init__(self, behind: Store | NoStore) -> None:
        self._behind = behind
        self._rows: dict[str, bytes] = {}

    def get(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Return the values of the keys that are known."""
        wanted = list(keys)
        self._rows.update(self._behind.get(key for key in wanted if key not in self._rows))
        return {key: self._rows[key] for key in wanted if key in self._rows}

    def put(self, rows: Rows) -> None:
        """Keep values, here and behind."""
        self._rows.update(rows)
        self._behind.put(rows)


def open_store(path: Path) -> Store | NoStore:
    """Open the cache, or do without where it cannot be had."""
    try:
        return Store(path)
    except (OSError, sqlite3.DatabaseError):
        return NoStore()


def _digest(value: bytes) -> bytes:
    return blake2b(value, digest_size=_DIGEST).digest()
