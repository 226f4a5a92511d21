"""The same work on several cores: forked processes that answer through pipes."""

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeVar

import msgspec

Task = TypeVar("Task")

MAX_TASKS: Final = 4096
"""Their numbers must fit into a pipe at once: POSIX grants 4 KB, all systems give 16."""
_NUMBER: Final = 2
"""Bytes of one task's number."""


def spread(work: Callable[[Task], bytes], tasks: Sequence[Task], processes: int) -> list[bytes]:
    """Return ``work(task)`` of every task, in order.

    Each of the processes, this one among them, takes the next task when it is free. What a
    process that dies had taken is done here. Without ``fork`` all is done here.
    """
    count = min(processes, len(tasks))
    if count < 2 or len(tasks) > MAX_TASKS or not hasattr(os, "fork"):
        return [work(task) for task in tasks]
    queue = _queue(len(tasks))
    workers = [_start(work, tasks, queue) for _ in range(count - 1)]
    try:
        found = dict(_taken(work, tasks, queue))
    finally:
        os.read(queue, _NUMBER * MAX_TASKS)  # where this process failed nobody need go on
        os.close(queue)
        answers = [_answer(process, pipe) for process, pipe in workers]
    for answer in answers:
        found |= answer
    return [found[at] if at in found else work(task) for at, task in enumerate(tasks)]


def _queue(count: int) -> int:
    """Return a pipe that gives each number below `count` to whoever reads first."""
    reading, writing = os.pipe()
    os.write(writing, b"".join(at.to_bytes(_NUMBER, "big") for at in range(count)))
    os.close(writing)
    return reading


def _taken(
    work: Callable[[Task], bytes], tasks: Sequence[Task], queue: int
) -> Iterator[tuple[int, bytes]]:
    """Yield the results of the tasks that this process gets, with their numbers."""
    while number := os.read(queue, _NUMBER):
        at = int.from_bytes(number, "big")
        yield at, work(tasks[at])


def _start(work: Callable[[Task], bytes], tasks: Sequence[Task], queue: int) -> tuple[int, int]:
    """Fork a process that works on tasks; return its id and the pipe that it writes to."""
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        code = 1
        try:
            os.close(reading)
            with os.fdopen(writing, "wb") as stream:
                stream.write(msgspec.msgpack.encode(dict(_taken(work, tasks, queue))))
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    return process, reading


def _answer(process: int, pipe: int) -> dict[int, bytes]:
    """Return what a process found by task number, nothing if it died."""
    with os.fdopen(pipe, "rb") as stream:
        payload = stream.read()
    _, status = os.waitpid(process, 0)
    return msgspec.msgpack.decode(payload, type=dict[int, bytes]) if status == 0 else {}
