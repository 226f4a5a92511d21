"""Saving while training goes on: a copy in memory that is reused, and one thread."""

import sys
from collections.abc import Callable
from concurrent import futures
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol
from weakref import finalize

if TYPE_CHECKING:
    from torch import Tensor

    from codex_ml.checkpointing.tensors import Component
    from codex_ml.checkpointing.writer import Draft

ALIGNMENT = 64  # bytes


class Saver(Protocol):
    """When a draft is written."""

    def run(self, draft: "Draft", write: Callable[["Draft"], None]) -> None:
        """Write `draft`, now or later."""

    def wait(self) -> None:
        """Return when nothing is being written; raises what the last write raised, once."""

    def close(self) -> None:
        """Wait, then give everything back."""


class Foreground:
    """Writes before it returns."""

    def run(self, draft: "Draft", write: Callable[["Draft"], None]) -> None:
        """Write `draft`."""
        write(draft)

    def wait(self) -> None:
        """Nothing is ever left to wait for."""

    def close(self) -> None:
        """Nothing to give back."""


class Background:
    """Returns when the tensors are copied; one thread writes the copy."""

    def __init__(self) -> None:
        self._thread: ThreadPoolExecutor | None = None
        self._jobs: list[Future[None]] = []  # the one that nobody has waited for
        self._staging = Staging()
        finalize(self, _report, self._jobs)

    def run(self, draft: "Draft", write: Callable[["Draft"], None]) -> None:
        """Copy `draft`, having waited for the one before, and start to write the copy."""
        self.wait()
        staged = replace(draft, components=self._staging.copy(draft.components))
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="checkpoint")
        self._jobs.append(self._thread.submit(write, staged))

    def wait(self) -> None:
        """Return when nothing is being written; raises what the last write raised, once."""
        if self._jobs:
            futures.wait(self._jobs)  # interrupted here, the job is still to be waited for
            self._jobs.pop().result()

    def close(self) -> None:
        """Wait, then end the thread; the next save starts another."""
        try:
            self.wait()
        finally:
            thread, self._thread = self._thread, None
            if thread is not None:
                thread.shutdown()


def _report(jobs: list[Future[None]]) -> None:
    """Say what went wrong where no later call can: the manager is gone, or the program ends."""
    for job in jobs:
        job.add_done_callback(_say_failure)


def _say_failure(job: Future[None]) -> None:
    if error := job.exception():
        print(f"error: a checkpoint was not saved, and nobody waited: {error}", file=sys.stderr)


class Staging:
    """A buffer for a copy of a checkpoint's tensors. It grows, and is reused.

    Fresh memory costs several times the copy itself: the kernel has to clear it.
    """

    def __init__(self) -> None:
        self._buffer: Tensor | None = None

    def copy(self, components: "tuple[Component, ...]") -> "tuple[Component, ...]":
        """Copy all tensors; valid until the next call."""
        slots = iter(self._slots([block.tensor for part in components for block in part.blocks]))
        return tuple(
            replace(
                part,
                blocks=tuple(
                    replace(block, tensor=next(slots).copy_(block.tensor)) for block in part.blocks
                ),
            )
            for part in components
        )

    def _slots(self, tensors: "list[Tensor]") -> "list[Tensor]":
        import torch

        sizes = [-(-tensor.nbytes // ALIGNMENT) * ALIGNMENT for tensor in tensors]
        if self._buffer is None or self._buffer.numel() < sum(sizes):
            self._buffer = torch.empty(sum(sizes), dtype=torch.uint8)
        return [
            slot[: tensor.nbytes].view(tensor.dtype).view(tensor.shape)
            for slot, tensor in zip(
                torch.split(self._buffer[: sum(sizes)], sizes), tensors, strict=True
            )
        ]
