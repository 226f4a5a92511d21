"""Every change that checkpoints make to a disk goes through `Files`.

Seven operations, so that a test can count them, fail any of them, stop the
process at any of them, and play back what a power loss would leave.
"""

import errno
import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

WRITE_BEHIND = 16 << 20  # bytes
CANNOT_RESERVE = (errno.EINVAL, errno.EOPNOTSUPP)  # the file system has no such operation


class OutputFile(Protocol):
    """A file being written once, from its first byte to its last."""

    def write(self, data: bytes | memoryview) -> None:
        """Append all of `data`."""

    def sync(self) -> None:
        """Return when every byte written is durable."""

    def close(self) -> None:
        """Close; without `sync`, nothing is promised."""


class Files(Protocol):
    """The operations that change a disk. All raise `OSError`."""

    def create(self, path: Path, size: int) -> OutputFile:
        """Open a file that must not exist, with room for `size` bytes."""

    def make_directory(self, path: Path) -> None:
        """Make a directory that must not exist."""

    def make_link(self, target: str, path: Path) -> None:
        """Make a symbolic link that must not exist."""

    def rename(self, source: Path, target: Path) -> None:
        """Move atomically; replaces a file or link, never a directory with content."""

    def remove(self, path: Path) -> None:
        """Remove a file or link."""

    def remove_directory(self, path: Path) -> None:
        """Remove an empty directory."""

    def sync_directory(self, path: Path) -> None:
        """Return when the directory's entries are durable."""


class _LocalFile:
    """Has the disk start on what is written while the rest is still to come."""

    def __init__(self, path: Path, size: int) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        self._size = size
        self._written = self._started = 0
        if size and sys.platform == "linux":
            # a full disk says so now; and the writes take a quarter less time
            try:
                os.posix_fallocate(self._descriptor, 0, size)
            except OSError as error:
                if error.errno not in CANNOT_RESERVE:
                    os.close(self._descriptor)
                    raise OSError(error.errno, error.strerror, str(path)) from None

    def write(self, data: bytes | memoryview) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]
        self._written += len(data)
        ahead = self._written - self._started
        if sys.platform == "linux" and (ahead >= WRITE_BEHIND or self._written == self._size):
            # Linux starts to write dirty pages that it is told are not needed; they stay in memory
            os.posix_fadvise(self._descriptor, self._started, ahead, os.POSIX_FADV_DONTNEED)
            self._started = self._written

    def sync(self) -> None:
        os.fsync(self._descriptor)

    def close(self) -> None:
        os.close(self._descriptor)


class LocalFiles:
    """`Files` on the operating system's file system."""

    def create(self, path: Path, size: int) -> OutputFile:
        """Open a file that must not exist, with room for `size` bytes."""
        return _LocalFile(path, size)

    def make_directory(self, path: Path) -> None:
        """Make a directory that must not exist."""
        path.mkdir()

    def make_link(self, target: str, path: Path) -> None:
        """Make a symbolic link that must not exist."""
        path.symlink_to(target)

    def rename(self, source: Path, target: Path) -> None:
        """Move atomically."""
        source.rename(target)

    def remove(self, path: Path) -> None:
        """Remove a file or link."""
        path.unlink()

    def remove_directory(self, path: Path) -> None:
        """Remove an empty directory."""
        path.rmdir()

    def sync_directory(self, path: Path) -> None:
        """Return when the directory's entries are durable."""
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


LOCAL = LocalFiles()


def write_file(files: Files, path: Path, data: bytes) -> None:
    """Create `path` with `data`, durably."""
    file = files.create(path, len(data))
    try:
        file.write(data)
        file.sync()
    finally:
        file.close()


def make_directories(files: Files, path: Path) -> None:
    """Make `path` and its missing parents, durably."""
    if path.is_dir():
        return
    make_directories(files, path.parent)
    with suppress(FileExistsError):
        files.make_directory(path)
    files.sync_directory(path.parent)


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Hold the exclusive lock on a directory; the kernel drops it when the holder dies."""
    with _opened(directory) as descriptor:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield


@contextmanager
def try_lock(directory: Path) -> Iterator[bool]:
    """Like `locked`, but yield False at once where another holds the lock."""
    with _opened(directory) as descriptor:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


@contextmanager
def _opened(directory: Path) -> Iterator[int]:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
