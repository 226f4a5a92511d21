"""Standard errors, intervals and paired tests of any `Metric`, from sums of statistics."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from codex_ml.evaluation.errors import MetricError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from codex_ml.evaluation.metric import Metric, Record

Matrix = np.ndarray[tuple[int, int], np.dtype[np.float64]]

RESAMPLES = 1000
PERMUTATIONS = 10_000
CONFIDENCE = 0.95
_BLOCK = 1 << 20
"""Numbers drawn at a time."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A metric's value on a sample of records, and how sure it is."""

    value: float
    stderr: float | None
    """Jackknife (Quenouille 1956); for a mean, the usual s / sqrt(n). None for one record."""
    interval: tuple[float, float] | None
    """95 % percentile bootstrap (Efron 1979) over records. None for one record."""
    n: int


def matrix(name: str, metric: Metric, records: Sequence[Record]) -> Matrix:
    """Return the statistics of every record, (records, statistics) float64.

    Raises:
        MetricError: a record's values are not of the kind that the metric reads.

    """
    return np.array([_statistics(name, metric, record) for record in records], np.float64)


def _statistics(name: str, metric: Metric, record: Record) -> list[float]:
    try:
        return [float(number) for number in metric.statistics(record)]
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise MetricError(
            f"metric {name} cannot read record {record.get('id')!r}: "
            f"{type(error).__name__}: {error}"
        ) from error


def estimate(name: str, metric: Metric, rows: Matrix, seed: int) -> Estimate:
    """Return the metric's value on `rows` with its standard error and interval.

    Raises:
        MetricError: it has no finite value on these records.

    """
    value = _value(name, metric, rows.sum(axis=0))
    if len(rows) == 1:
        return Estimate(value, None, None, 1)
    n = len(rows)
    left_out = _values(metric, rows.sum(axis=0) - rows)
    stderr = math.sqrt((n - 1) / n * float(np.sum((left_out - left_out.mean()) ** 2)))
    resampled = _values(metric, _resample(rows, seed))
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(resampled, [tail, 1 - tail])
    return Estimate(value, stderr, (float(low), float(high)), n)


def _resample(rows: Matrix, seed: int) -> Matrix:
    generator = np.random.default_rng(seed)
    n = len(rows)
    size = max(1, _BLOCK // n)
    blocks = [
        rows[generator.integers(0, n, (min(size, RESAMPLES - done), n))].sum(axis=1)
        for done in range(0, RESAMPLES, size)
    ]
    return np.concatenate(blocks)


def paired_p_value(
    metric: Metric, ours: Matrix, theirs: Matrix, seed: int, rounds: int = PERMUTATIONS
) -> float:
    """Return how likely a difference this large is if both systems are alike.

    Approximate randomisation (Noreen 1989): each record's statistics are swapped
    between the systems with probability 1/2, `rounds` times; two-sided.
    """
    total, difference = ours.sum(axis=0), theirs - ours
    other = theirs.sum(axis=0)
    observed = abs(float(metric.value(total)) - float(metric.value(other)))
    generator = np.random.default_rng(seed)
    n = len(ours)
    size = max(1, _BLOCK // n)
    extreme = 0
    for done in range(0, rounds, size):
        swaps = generator.integers(0, 2, (min(size, rounds - done), n)).astype(np.float64)
        moved = swaps @ difference
        found = np.abs(_values(metric, total + moved) - _values(metric, other - moved))
        # Equal up to rounding counts as equal: sums come in another order.
        extreme += int(np.sum(found >= observed - 1e-12 * max(1.0, observed)))
    return (extreme + 1) / (rounds + 1)


def _values(metric: Metric, sums: Matrix) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([metric.value(row) for row in sums.tolist()], np.float64)


def _value(name: str, metric: Metric, sums: np.ndarray[Any, Any]) -> float:
    try:
        value = float(metric.value(sums.tolist()))
    except (ArithmeticError, ValueError) as error:
        raise MetricError(f"metric {name} has no value on these records: {error}") from None
    if not math.isfinite(value):
        raise MetricError(f"metric {name} is {value} on these records: no finite number")
    return value


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values for being several (Holm 1979), in the given order."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for position, index in enumerate(order):
        largest = max(largest, min(1.0, p_values[index] * (len(p_values) - position)))
        adjusted[index] = largest
    return adjusted
