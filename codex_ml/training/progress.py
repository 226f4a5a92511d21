"""How far a run has come: the part of its state that is not in model, optimizer or data."""

import math
from dataclasses import asdict, dataclass
from typing import Any

from codex_ml.training.errors import TrainingError


@dataclass(slots=True)
class Progress:
    """Saved in every checkpoint."""

    global_batch: int
    """Samples in a step, over all micro-batches and ranks."""
    step: int = 0
    """Steps made."""
    skipped: int = 0
    """Steps that were not applied because they were not finite."""
    best: float = math.inf
    """Smallest held-out loss."""
    stale: int = 0
    """Evaluations since then."""

    def evaluated(self, loss: float) -> None:
        """Take an evaluation's loss; only a strictly smaller one is better, NaN never is."""
        better = loss < self.best
        self.best = loss if better else self.best
        self.stale = 0 if better else self.stale + 1

    def state_dict(self) -> dict[str, Any]:
        """Return all of it."""
        return asdict(self)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take it back.

        Raises:
            TrainingError: a step had another number of samples.

        """
        if state["global_batch"] != self.global_batch:
            raise TrainingError(
                f"a step of the saved run has {state['global_batch']} samples, here it has "
                f"{self.global_batch}: keep batch_size x accumulation x ranks"
            )
        for key, value in state.items():
            setattr(self, key, value)
