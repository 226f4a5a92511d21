"""The same work on several cores: forked processes that answer through pipes."""

import os
from collections.abc import Callable, Sequence
from typing import TypeVar

Share = TypeVar("Share")


def spread(work: Callable[[Share], bytes], shares: Sequence[Share]) -> list[bytes]:
    """Return ``work(share)`` of every share, in order; the first is done in this process.

    A process that dies is replaced by this one. Without ``fork`` all is done here.
    """
    if not hasattr(os, "fork"):
        return [work(share) for share in shares]
    workers = [_start(work, share) for share in shares[1:]]
    found = [work(share) for share in shares[:1]]
    for share, (process, pipe) in zip(shares[1:], workers, strict=True):
        answer = _answer(process, pipe)
        found.append(work(share) if answer is None else answer)
    return found


def _start(work: Callable[[Share], bytes], share: Share) -> tuple[int, int]:
    """Fork a process for a share; return its id and the pipe that it writes to."""
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        code = 1
        try:
            os.close(reading)
            with os.fdopen(writing, "wb") as stream:
                stream.write(work(share))
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    return process, reading


def _answer(process: int, pipe: int) -> bytes | None:
    """Return what a worker wrote, None if it died."""
    with os.fdopen(pipe, "rb") as stream:
        payload = stream.read()
    _, status = os.waitpid(process, 0)
    return payload if status == 0 else None
