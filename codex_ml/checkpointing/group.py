"""Processes that save one checkpoint together."""

from collections.abc import Callable
from typing import Protocol

import msgspec

from codex_ml.checkpointing.errors import CheckpointError, StorageError
from codex_ml.errors import CodexError


class Group(Protocol):
    """Ranks 0 to `size - 1`; every rank makes the same calls in the same order."""

    @property
    def rank(self) -> int:
        """This process."""

    @property
    def size(self) -> int:
        """How many processes."""

    def gather(self, message: bytes) -> tuple[bytes, ...]:
        """Return every rank's message, by rank; returns when all have sent theirs."""


class Solo:
    """One process alone."""

    rank = 0
    size = 1

    def gather(self, message: bytes) -> tuple[bytes, ...]:
        """Return the message."""
        return (message,)


SOLO = Solo()


class _Answer(msgspec.Struct):
    result: bytes = b""
    error: str | None = None


def agree(group: Group, work: Callable[[], bytes]) -> tuple[bytes, ...]:
    """Do `work` on every rank and return all results; where one fails, all raise.

    A rank that fails raises its own error, the others `CheckpointError`: none
    is left waiting for one that has given up.
    """
    failure: CodexError | None = None
    try:
        answer = _Answer(work())
    except CodexError as error:
        failure, answer = error, _Answer(error=str(error))
    except OSError as error:
        failure = storage_error(error)
        answer = _Answer(error=str(failure))
    answers = [
        msgspec.msgpack.decode(message, type=_Answer)
        for message in group.gather(msgspec.msgpack.encode(answer))
    ]
    if failure is not None:
        raise failure
    for rank, other in enumerate(answers):
        if other.error is not None:
            raise CheckpointError(f"rank {rank} failed: {other.error}")
    return tuple(other.result for other in answers)


def storage_error(error: OSError) -> StorageError:
    """Say in one line what the file system refused."""
    where = f" at {error.filename}" if error.filename else ""
    wrapped = StorageError(f"cannot save{where}: {error.strerror}; what was saved before is intact")
    wrapped.__cause__ = error
    return wrapped
