"""One command as a process: bounded in time and output, without input, ended as a whole."""

import contextlib
import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from audit.validation.model import Ending, Run

LIMIT = 4_000_000
"""Bytes that a command may write to each of its streams."""
GRACE = 0.2
"""Seconds that a stream may stay open without a word after the command has ended."""


class Processes:
    """The commands that run now; `stop` ends them, whichever thread waits for them."""

    def __init__(self) -> None:
        self._alive: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self._stopped = False

    def run(
        self, script: str, cwd: Path, env: Mapping[str, str], timeout: float, *, merge: bool
    ) -> Run:
        """Run a shell script and return what it did; `merge` sends stderr to stdout."""
        start = time.monotonic()
        try:
            process = self._start(script, cwd, env, merge)
        except OSError as error:
            return Run("not started", -1, "", error.strerror or str(error), 0.0)
        try:
            ending, held = _collect(process, start + timeout)
        finally:
            _kill(process)
            with self._lock:
                self._alive.discard(process)
            process.wait()
            for stream in filter(None, (process.stdout, process.stderr)):
                stream.close()
        out, err = (held.get(stream, b"").decode(errors="replace") for stream in ("out", "err"))
        return Run(ending, process.returncode, out, err, time.monotonic() - start)

    def _start(
        self, script: str, cwd: Path, env: Mapping[str, str], merge: bool
    ) -> subprocess.Popen[bytes]:
        # As nohup does: standard input cannot be read, so a command that needs it fails at
        # once instead of taking nothing for an answer.
        with self._lock, open(os.devnull, "wb") as unreadable:  # noqa: PTH123 (a device)
            if self._stopped:
                raise OSError("stopped")
            process = subprocess.Popen(
                ["sh", "-c", script],
                cwd=cwd,
                env=dict(env),
                stdin=unreadable,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT if merge else subprocess.PIPE,
                start_new_session=True,
            )
            self._alive.add(process)
            return process

    def stop(self) -> None:
        """End all commands, and start no other."""
        with self._lock:
            self._stopped = True
            for process in self._alive:
                _kill(process)


def _collect(
    process: subprocess.Popen[bytes], deadline: float
) -> tuple[Ending, dict[str, bytearray]]:
    """Read both streams until they end, the time is over or one floods."""
    held = {"out": bytearray(), "err": bytearray()}
    with selectors.DefaultSelector() as selector:
        for name, stream in (("out", process.stdout), ("err", process.stderr)):
            if stream is not None:
                selector.register(stream, selectors.EVENT_READ, held[name])
        while selector.get_map():
            ready = selector.select(min(GRACE, max(deadline - time.monotonic(), 0)))
            for key, _ in ready:
                if not (chunk := os.read(key.fd, 1 << 16)):
                    selector.unregister(key.fileobj)
                key.data.extend(chunk)
                if len(key.data) > LIMIT:
                    return "flooded", held
            if time.monotonic() > deadline:
                return "timed out", held
            if not ready and process.poll() is not None:
                break  # what it left behind holds the stream
    try:
        process.wait(max(deadline - time.monotonic(), 0))
    except subprocess.TimeoutExpired:
        return "timed out", held
    return "exited", held


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a command with everything that it started and that stayed in its process group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
