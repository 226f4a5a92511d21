"""A copy of a checkpoint folder wherever fsspec reaches: object stores, other disks.

A checkpoint is uploaded file by file, its manifest last: without the manifest
it does not exist. Nothing here ever changes the local folder but for adding a
downloaded checkpoint that verified.
"""

import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from codex_ml.checkpointing.errors import (
    CheckpointError,
    CheckpointNotFoundError,
    CheckpointWarning,
    StorageError,
)
from codex_ml.checkpointing.files import LOCAL, Files, locked
from codex_ml.checkpointing.folder import Scan, Stored, newest_first, scan
from codex_ml.checkpointing.layout import MANIFEST, parse_step
from codex_ml.checkpointing.manifest import Manifest, decode, encode
from codex_ml.checkpointing.publishing import publish, staging
from codex_ml.checkpointing.reader import Checkpoint
from codex_ml.checkpointing.retention import Retention
from codex_ml.extras import cure

PIECE = 8 << 20  # bytes read at a time
PAUSES = (0.5, 2.0)  # seconds before the second and third attempt
T = TypeVar("T")

# what backends raise beside OSError when the other side fails
_FAILURES = {
    "aiohttp": ("ClientError",),
    "azure.core.exceptions": ("AzureError",),
    "botocore.exceptions": ("BotoCoreError", "ClientError"),
    "fsspec.exceptions": ("FSTimeoutError",),
    "gcsfs.retry": ("HttpError",),
}


class Remote:
    """The remote folder at `url`, such as ``s3://bucket/run`` or ``memory://run``."""

    def __init__(self, url: str, files: Files = LOCAL) -> None:
        self.url = url
        self._files = files
        try:
            import fsspec  # type: ignore[import-untyped]

            self._system, root = fsspec.core.url_to_fs(url)
        except (ValueError, ImportError) as error:
            raise StorageError(f"remote {url!r} cannot be used: {cure(error) or error}") from error
        self._root = PurePosixPath(root)
        self._known: dict[str, Manifest] = {}

    def push(self, folder: Path, retention: Retention) -> None:
        """Upload what is not there yet, oldest first, then delete what is not to be kept.

        Raises `StorageError` when that failed three times; the next call starts
        where it stopped.
        """
        self._patiently("upload to", lambda: self._push(folder, retention))

    def fetch(self, which: str | int | Path, folder: Path, retention: Retention) -> None:
        """Download ``latest``, ``best`` or a step into the local folder, once verified.

        Raises `CheckpointNotFoundError` where nothing there verifies, `StorageError`.
        """
        self._patiently("download from", lambda: self._fetch(which, folder, retention))

    def newest(self) -> int:
        """Return the greatest sequence number there; 0 where it cannot be told."""
        with suppress(*_failures()):
            return self.scan().next_sequence - 1
        return 0

    def scan(self) -> Scan:
        """Read the manifests of the remote folder."""
        self._system.invalidate_cache()
        stored, damaged = [], []
        for name in self._names():
            path = Path(name)
            try:
                data = self._system.cat_file(self._at(name, MANIFEST))
                stored.append(Stored(path, decode(data, f"{self.url}/{name}")))
            except FileNotFoundError:
                continue
            except CheckpointError as error:
                damaged.append((path, error))
        return Scan(newest_first(stored), tuple(damaged))

    def _names(self) -> list[str]:
        try:
            listed = self._system.ls(str(self._root), detail=False)
        except FileNotFoundError:
            return []
        names = (PurePosixPath(path).name for path in listed)
        return sorted(name for name in names if parse_step(name) is not None)

    def _push(self, folder: Path, retention: Retention) -> None:
        if not self._known:
            self._known = {item.path.name: item.manifest for item in self.scan().stored}
        for item in scan(folder).stored[::-1]:
            if self._known.get(item.path.name) != item.manifest:
                self._upload(item)
                self._known[item.path.name] = item.manifest
        here = newest_first(Stored(Path(name), known) for name, known in self._known.items())
        for item in retention.superfluous(Scan(here, ())):
            self._delete(item)
            del self._known[item.path.name]

    def _upload(self, item: Stored) -> None:
        name = item.path.name
        with suppress(FileNotFoundError):
            self._system.rm_file(self._at(name, MANIFEST))
        self._system.makedirs(self._at(name), exist_ok=True)
        for entry in item.manifest.files:
            self._system.put_file(str(item.path / entry.path), self._at(name, entry.path))
            if self._system.info(self._at(name, entry.path))["size"] != entry.size:
                raise OSError(f"{name}/{entry.path} did not arrive whole")
        self._system.pipe_file(self._at(name, MANIFEST), encode(item.manifest))

    def _delete(self, item: Stored) -> None:
        for path in (MANIFEST, *(entry.path for entry in item.manifest.files)):
            with suppress(FileNotFoundError):
                self._system.rm_file(self._at(item.path.name, path))
        with suppress(OSError):  # object stores have no directories; others keep foreign files
            self._system.rmdir(self._at(item.path.name))

    def _fetch(self, which: str | int | Path, folder: Path, retention: Retention) -> None:
        for item in self._candidates(which, retention):
            damage = self._download(item, folder)
            if not damage:
                return
            message = f"{self.url}/{item.path}: damaged: {', '.join(damage)}"
            warnings.warn(CheckpointWarning(message), stacklevel=6)
        raise CheckpointNotFoundError(f"neither {folder} nor {self.url} has a checkpoint: {which}")

    def _candidates(self, which: str | int | Path, retention: Retention) -> Iterator[Stored]:
        found = self.scan()
        match which:
            case "latest":
                yield from found.stored
            case "best":
                yield from found.best(retention.selection)[:1]
            case int():
                yield from found.at_step(which)

    def _download(self, item: Stored, folder: Path) -> tuple[str, ...]:
        """Download a checkpoint; return its damage, or none and it is in the folder."""
        with staging(self._files, folder, item.step) as hidden:
            for entry in item.manifest.files:
                self._get(self._at(item.path.name, entry.path), hidden / entry.path, entry.size)
            if damage := Checkpoint(hidden, item.manifest).damage():
                return damage
            with locked(folder):
                here = scan(folder).at_step(item.step)
                publish(self._files, folder, hidden, item.manifest, here)
        return ()

    def _get(self, source: str, target: Path, size: int) -> None:
        file = self._files.create(target, size)
        try:
            with self._system.open(source, "rb") as stream:
                while data := stream.read(PIECE):
                    file.write(data)
            file.sync()
        finally:
            file.close()

    def _at(self, *parts: str) -> str:
        return str(self._root.joinpath(*parts))

    def _patiently(self, doing: str, work: Callable[[], T]) -> T:
        for pause in (*PAUSES, None):
            try:
                return work()
            except CheckpointError:
                raise
            except _failures() as error:
                if pause is None:
                    reason = (str(error).splitlines() or [type(error).__name__])[0]
                    raise StorageError(f"cannot {doing} {self.url}: {reason}") from error
                time.sleep(pause)
        raise AssertionError("unreachable")


def _failures() -> tuple[type[Exception], ...]:
    """The errors of the backends that are loaded."""
    found: list[Any] = [OSError]
    for module, names in _FAILURES.items():
        if module in sys.modules:
            found += [getattr(sys.modules[module], name) for name in names]
    return tuple(found)
