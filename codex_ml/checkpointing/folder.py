"""What is in a checkpoint folder: which checkpoints, which damage, which litter."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from codex_ml.checkpointing.errors import CheckpointError
from codex_ml.checkpointing.layout import MANIFEST, parse_step
from codex_ml.checkpointing.manifest import Manifest, Selection
from codex_ml.checkpointing.reader import read_manifest


@dataclass(frozen=True, slots=True)
class Stored:
    """A checkpoint whose manifest is valid."""

    path: Path
    manifest: Manifest

    @property
    def step(self) -> int:
        """The training step."""
        return self.manifest.step

    def value(self, metric: str) -> float | None:
        """The metric if it is a finite number: NaN and infinities are never best."""
        value = self.manifest.metrics.get(metric)
        finite = isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))
        return value if finite else None


@dataclass(frozen=True, slots=True)
class Scan:
    """A folder's checkpoints, most recently saved first, and the manifests not to be trusted."""

    stored: tuple[Stored, ...]
    damaged: tuple[tuple[Path, CheckpointError], ...]

    def at_step(self, step: int) -> tuple[Stored, ...]:
        """The checkpoints of one step, newest first; several only while one replaces another."""
        return tuple(item for item in self.stored if item.step == step)

    def ranked(self, selection: Selection) -> tuple[Stored, ...]:
        """Those with a finite value of the metric, best first; of equals, the earliest."""
        sign = 1 if selection.mode == "min" else -1
        values = [(item.value(selection.metric), item) for item in self.stored]
        return tuple(
            item
            for value, item in sorted(
                ((value, item) for value, item in values if value is not None),
                key=lambda pair: (sign * pair[0], pair[1].manifest.sequence),
            )
        )

    def best(self, selection: Selection | None = None) -> tuple[Stored, ...]:
        """Ranked by `selection`, or else as the newest checkpoint that has one says."""
        if selection is None:
            known = (item.manifest.selection for item in self.stored)
            selection = next((choice for choice in known if choice is not None), None)
        return () if selection is None else self.ranked(selection)

    @property
    def next_sequence(self) -> int:
        """The sequence number for the next checkpoint."""
        return 1 + max((item.manifest.sequence for item in self.stored), default=0)


def scan(folder: Path) -> Scan:
    """Look at every checkpoint directory of `folder`; a missing folder is empty."""
    stored, damaged = [], []
    paths = sorted(folder.iterdir()) if folder.is_dir() else []
    for path in paths:
        if parse_step(path.name) is None or not (path / MANIFEST).is_file():
            continue
        try:
            stored.append(Stored(path, read_manifest(path)))
        except CheckpointError as error:
            damaged.append((path, error))
    return Scan(newest_first(stored), tuple(damaged))


def elsewhere(folder: Path) -> str:
    """Return the advice for who names a run's directory instead of its folder of checkpoints."""
    inner = folder / "checkpoints"
    return f": name {inner}" if inner.is_dir() else ""


def newest_first(stored: Iterable[Stored]) -> tuple[Stored, ...]:
    """In the order in which they were saved, which need not be that of their steps."""
    return tuple(sorted(stored, key=lambda item: (item.manifest.sequence, item.step), reverse=True))
