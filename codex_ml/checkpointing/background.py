"""Saving while training goes on: a copy in memory that is reused, and one thread."""

from collections.abc import Callable
from concurrent import futures
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

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
        self._job: Future[None] | None = None
        self._staging = Staging()

    def run(self, draft: "Draft", write: Callable[["Draft"], None]) -> None:
        """Copy `draft`, having waited for the one before, and start to write the copy."""
        self.wait()
        staged = replace(draft, components=self._staging.copy(draft.components))
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="checkpoint")
        self._job = self._thread.submit(write, staged)

    def wait(self) -> None:
        """Return when nothing is being written; raises what the last write raised, once."""
        if self._job is None:
            return
        futures.wait([self._job])  # interrupted here, the job is still to be waited for
        job, self._job = self._job, None
        job.result()

    def close(self) -> None:
        """Wait, then end the thread; the next save starts another."""
        try:
            self.wait()
        finally:
            thread, self._thread = self._thread, None
            if thread is not None:
                thread.shutdown()


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
