"""Compare an evaluation with an earlier one of the same items."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from codex_ml.evaluation.errors import MismatchError, RecordsError
from codex_ml.evaluation.records import RECORDS, read_records
from codex_ml.evaluation.results import check_readable, read_results

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from codex_ml.evaluation.metric import Metric, Record

ALPHA = 0.05


@dataclass(frozen=True, slots=True)
class Comparison:
    """One metric, now and then."""

    name: str
    value: float
    baseline: float
    p_value: float
    """Of a paired, two-sided randomisation test, adjusted for several metrics (Holm)."""
    regression: bool
    """Worse than the baseline, and not by chance at `ALPHA`."""


def read_baseline(path: Path, metrics: Mapping[str, Metric], items: Sequence[str]) -> list[Record]:
    """Return the records beside a ``results.json``, in the order of the ids `items`.

    Raises:
        EvaluationError: the results are missing, damaged, or of a newer version.
        RecordsError: the records are not those of the results.
        MetricError: they lack what a metric reads.
        MismatchError: they are about other items, or there is one: no test can tell
            chance from a difference.

    """
    results = read_results(path)
    beside = path.parent / RECORDS
    records = read_records(beside)
    digest = f"sha256:{hashlib.sha256(beside.read_bytes()).hexdigest()}"
    if digest != results["records"]:
        raise RecordsError(f"{beside}: is not what {path} was computed from")
    by_id: dict[str, Record] = {record["id"]: record for record in records}
    if by_id.keys() != set(items):
        raise MismatchError(
            f"{path}: is about {len(by_id)} items, this evaluation about {len(items)}, and they "
            "are not the same: use the same dataset and --limit"
        )
    if len(items) < 2:
        raise MismatchError("one record cannot be compared: give a dataset of several items")
    for name, metric in metrics.items():
        check_readable(name, metric, records)
    return [by_id[item] for item in items]


def compare(
    metrics: Mapping[str, Metric], ours: Sequence[Record], theirs: Sequence[Record], seed: int
) -> list[Comparison]:
    """Test every metric for a difference between two sets of records of the same items."""
    from codex_ml.evaluation.statistics import holm, matrix, paired_p_value  # imports numpy

    pairs = {
        name: (matrix(name, metric, ours), matrix(name, metric, theirs))
        for name, metric in metrics.items()
    }
    raw = [paired_p_value(metrics[name], *pair, seed) for name, pair in pairs.items()]
    found = []
    for (name, (our_rows, their_rows)), p_value in zip(pairs.items(), holm(raw), strict=True):
        metric = metrics[name]
        value = float(metric.value(our_rows.sum(axis=0).tolist()))
        other = float(metric.value(their_rows.sum(axis=0).tolist()))
        worse = value < other if metric.higher_is_better else value > other
        found.append(Comparison(name, value, other, p_value, worse and p_value < ALPHA))
    return found
