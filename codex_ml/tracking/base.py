"""The one interface of every tracker."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

Record = Mapping[str, float]


class Tracker(Protocol):
    """Receives metrics.

    A plugin in the group ``trackers`` is called with the run's directory, its
    configuration as plain values, and the step that training goes on from.
    """

    def log(self, step: int, record: Record) -> None:
        """Take the metrics of a step."""

    def close(self) -> None:
        """Write what is left and let go."""


class TrackerFactory(Protocol):
    """What a plugin of the group ``trackers`` is."""

    def __call__(self, run: Path, config: Mapping[str, Any], step: int) -> Tracker: ...
