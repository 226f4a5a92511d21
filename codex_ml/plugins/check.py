"""Import plugins, each in a process of its own with a time limit.

Whatever a plugin does while it is imported (print, write to file descriptor 1,
raise, hang, kill its process) ends up in its `Check`.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from threading import Thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import IO

    from codex_ml.plugins.metadata import Entry

OUTPUT_LIMIT = 10_000
"""Characters of a plugin's output, and of its error, that are kept."""

CHILD = (
    "import json, sys; job = json.load(sys.stdin); sys.path[:] = job['path']; "
    "from codex_ml.plugins.probe import probe; probe(job)"
)


class Check(namedtuple("_Check", "outcome error seconds output")):
    """What importing one plugin showed."""

    __slots__ = ()
    outcome: str
    """One of ok, broken, incompatible, timeout."""
    error: str | None
    seconds: float | None
    """Wall time of the import; None if it did not finish."""
    output: str
    """What it wrote to stdout and stderr; should be empty."""


def check(entries: Iterable[Entry], timeout: float) -> list[Check]:
    """Import every entry, as many at a time as there are processors; `timeout` in seconds."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(partial(_check, timeout=timeout), entries))


def _check(entry: Entry, timeout: float) -> Check:
    reader, writer = os.pipe()
    job = {"path": sys.path, "entry": entry, "result": writer}
    with (
        os.fdopen(reader, "rb") as result,
        subprocess.Popen(
            [sys.executable, "-c", CHILD],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=(writer,),
            start_new_session=True,
        ) as child,
    ):
        os.close(writer)
        output = _Drain(child.stdout)
        finished = _finish(child, json.dumps(job).encode(), timeout)
        report = result.read() if finished else b""
    if report:
        outcome, error, seconds = json.loads(report)
        return Check(outcome, error, seconds, output.text())
    if finished:
        return Check("broken", _death(child.returncode), None, output.text())
    return Check("timeout", f"not imported after {timeout:g} s", None, output.text())


def _finish(child: subprocess.Popen[bytes], job: bytes, timeout: float) -> bool:
    """Hand the job over and wait; whatever the child started is ended too."""
    assert child.stdin is not None  # stdin=PIPE, for the type checker
    try:
        with suppress(BrokenPipeError), child.stdin:
            child.stdin.write(job)
        child.wait(timeout)
    except subprocess.TimeoutExpired:
        return False
    finally:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
    return True


class _Drain:
    """Reads a stream to its end and keeps its first part: a flood costs no memory."""

    def __init__(self, stream: IO[bytes] | None) -> None:
        self._stream = stream
        self._kept = b""
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while self._stream and (chunk := self._stream.read1(65536)):  # type: ignore[attr-defined]
            self._kept += chunk[: max(0, 4 * OUTPUT_LIMIT - len(self._kept))]

    def text(self) -> str:
        self._thread.join()
        return self._kept.decode(errors="replace")[:OUTPUT_LIMIT]


def _death(status: int) -> str:
    if status < 0:
        return f"ended its process by {signal.Signals(-status).name}"
    return f"ended its process with status {status}"
