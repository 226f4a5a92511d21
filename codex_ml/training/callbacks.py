"""Callbacks: code of the user's that is told what happens in a run."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from codex_ml.training.loop import Loop


class Callback:
    """Override what you need. A plugin in the group ``callbacks`` is called without arguments.

    What `state_dict` returns is saved in every checkpoint and given back on
    resume: keep counters there, and the run stays exact.
    """

    def on_start(self, loop: "Loop") -> None:
        """The loop is about to go on from ``loop.progress.step``."""

    def on_step(self, loop: "Loop", loss: float) -> None:
        """A step was made; ``loop.stop("why")`` ends the run after it."""

    def on_evaluation(self, loop: "Loop", loss: float) -> None:
        """The held-out loss was measured."""

    def on_end(self, loop: "Loop") -> None:
        """The last step was made and saved."""

    def state_dict(self) -> dict[str, Any]:
        """Return what must survive an interruption."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what `state_dict` returned."""


class Callbacks(Callback):
    """Several as one, told in their order."""

    def __init__(self, callbacks: Sequence[Callback]) -> None:
        """Keep them."""
        self._callbacks = callbacks

    def on_start(self, loop: "Loop") -> None:
        """Pass it on."""
        for callback in self._callbacks:
            callback.on_start(loop)

    def on_step(self, loop: "Loop", loss: float) -> None:
        """Pass it on."""
        for callback in self._callbacks:
            callback.on_step(loop, loss)

    def on_evaluation(self, loop: "Loop", loss: float) -> None:
        """Pass it on."""
        for callback in self._callbacks:
            callback.on_evaluation(loop, loss)

    def on_end(self, loop: "Loop") -> None:
        """Pass it on."""
        for callback in self._callbacks:
            callback.on_end(loop)

    def state_dict(self) -> dict[str, Any]:
        """Return each one's state, by its place."""
        return {str(place): each.state_dict() for place, each in enumerate(self._callbacks)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Give each its state; one that is new starts afresh."""
        for place, callback in enumerate(self._callbacks):
            if str(place) in state:
                callback.load_state_dict(state[str(place)])
