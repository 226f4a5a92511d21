"""Which checkpoints stay."""

from dataclasses import dataclass
from typing import Literal, Self

from codex_ml.checkpointing.errors import CheckpointError
from codex_ml.checkpointing.folder import Scan, Stored
from codex_ml.checkpointing.manifest import Selection


@dataclass(frozen=True, slots=True)
class Retention:
    """Keep the `last` most recently saved (None: all) and the `best` by `selection`."""

    last: int | None = None
    best: int = 0
    selection: Selection | None = None

    @classmethod
    def of(
        cls, last: int | None, best: int, metric: str | None, mode: Literal["min", "max"]
    ) -> Self:
        """Check a manager's arguments; raises `CheckpointError`."""
        if last is not None and last < 1:
            raise CheckpointError(f"keep_last is {last}: give 1 or more, or None to keep all")
        if best < 0 or (best and metric is None):
            raise CheckpointError(f"keep_best is {best}: give 0 or more, and the metric's name")
        if mode not in ("min", "max"):
            raise CheckpointError(f"mode is {mode!r}: give 'min' or 'max'")
        return cls(last, best, None if metric is None else Selection(metric, mode))

    def superfluous(self, scan: Scan, saved: int | None = None) -> tuple[Stored, ...]:
        """Return what may be deleted: never step `saved`, which was just saved."""
        if self.last is None:
            return ()
        kept = {item.path for item in scan.stored[: self.last]}
        if self.selection is not None:
            kept |= {item.path for item in scan.ranked(self.selection)[: self.best]}
        return tuple(item for item in scan.stored if item.path not in kept and item.step != saved)
