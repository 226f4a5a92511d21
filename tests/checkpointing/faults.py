"""A file layer that calls a hook at every boundary: to fail, die or be slow there."""

import errno
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from codex_ml.checkpointing.files import LOCAL, Files, OutputFile

Hook = Callable[[str, Path], None]


@dataclass
class HookedFile:
    """Calls the hook before, in the middle of, and after each write."""

    inner: OutputFile
    path: Path
    hook: Hook

    def write(self, data: bytes | memoryview) -> None:
        view = memoryview(data)
        self.hook("write", self.path)
        self.inner.write(view[: len(view) // 2])
        self.hook("half-written", self.path)
        self.inner.write(view[len(view) // 2 :])

    def sync(self) -> None:
        self.hook("sync", self.path)
        self.inner.sync()
        self.hook("synced", self.path)

    def close(self) -> None:
        self.inner.close()


@dataclass
class HookedFiles:
    """`LocalFiles` with a hook before every operation and after every rename."""

    hook: Hook
    inner: Files = LOCAL

    def create(self, path: Path, size: int) -> OutputFile:
        self.hook("create", path)
        return HookedFile(self.inner.create(path, size), path, self.hook)

    def make_directory(self, path: Path) -> None:
        self.hook("make_directory", path)
        self.inner.make_directory(path)

    def make_link(self, target: str, path: Path) -> None:
        self.hook("make_link", path)
        self.inner.make_link(target, path)

    def rename(self, source: Path, target: Path) -> None:
        self.hook("rename", source)
        self.inner.rename(source, target)
        self.hook("renamed", target)

    def remove(self, path: Path) -> None:
        self.hook("remove", path)
        self.inner.remove(path)

    def remove_directory(self, path: Path) -> None:
        self.hook("remove_directory", path)
        self.inner.remove_directory(path)

    def sync_directory(self, path: Path) -> None:
        self.hook("sync_directory", path)
        self.inner.sync_directory(path)


class Count:
    """A hook that only counts."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, operation: str, path: Path) -> None:  # noqa: ARG002
        self.calls += 1


class Fail(Count):
    """Raises an OSError from boundary number `at` on, `times` times."""

    def __init__(self, at: int, code: int = errno.ENOSPC, times: int = 1) -> None:
        super().__init__()
        self.at, self.code, self.times = at, code, times

    def __call__(self, operation: str, path: Path) -> None:
        super().__call__(operation, path)
        if self.at <= self.calls < self.at + self.times:
            raise OSError(self.code, os.strerror(self.code), str(path))


class Die(Count):
    """Kills this process at boundary number `at`."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.at = at

    def __call__(self, operation: str, path: Path) -> None:
        super().__call__(operation, path)
        if self.calls == self.at:
            os.kill(os.getpid(), signal.SIGKILL)
