"""What a metric is: statistics of each record, and a value of their sums."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Record = Mapping[str, Any]
"""One evaluated item, as in ``records.ndjson``."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure about a set of records.

    Its value depends on the records only through the sums of their statistics:
    so standard errors, bootstrap intervals, paired tests, several ranks and
    re-scoring work for every metric alike.
    """

    reads: tuple[str, ...]
    """Keys that a record must have."""
    statistics: Callable[[Record], Sequence[float]]
    """The record's contribution; always of the same length."""
    value: Callable[[Sequence[float]], float]
    """The figure, from the sums of the statistics over the records."""
    higher_is_better: bool = True


def mean(score: Callable[[Record], float], reads: tuple[str, ...]) -> Metric:
    """Return the metric that averages a score per record."""
    return Metric(reads, lambda record: (score(record), 1.0), lambda sums: sums[0] / sums[1])
