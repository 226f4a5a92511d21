"""``results.json``: what was measured, on what (``docs/schemas/results.schema.json``)."""

from __future__ import annotations

import hashlib
import json
import platform
import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from codex_ml import __version__, files
from codex_ml.evaluation.errors import EvaluationError, MetricError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from codex_ml.evaluation.metric import Metric, Record

RESULTS = "results.json"
SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class Subject:
    """What was evaluated; every field is written into the results."""

    model: Mapping[str, Any] | None
    dataset: Mapping[str, Any] | None
    config: Mapping[str, Any]

    @property
    def run(self) -> str:
        """Digest that names the evaluation: equal ones give the same records."""
        text = json.dumps(asdict(self), sort_keys=True, default=dict)
        return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def measure(
    metrics: Mapping[str, Metric], records: Sequence[Record], seed: int
) -> list[dict[str, Any]]:
    """Return every metric's estimate as it is written."""
    return [_measured(name, metric, records, seed) for name, metric in metrics.items()]


def _measured(name: str, metric: Metric, records: Sequence[Record], seed: int) -> dict[str, Any]:
    from codex_ml.evaluation.statistics import CONFIDENCE, estimate, matrix  # imports numpy

    check_readable(name, metric, records)
    found = estimate(name, metric, matrix(name, metric, records), seed)
    return {
        "name": name,
        "value": found.value,
        "stderr": found.stderr,
        "interval": found.interval,
        "confidence": CONFIDENCE,
        "n": found.n,
        "higher_is_better": metric.higher_is_better,
    }


def check_readable(name: str, metric: Metric, records: Sequence[Record]) -> None:
    """Refuse records that lack what a metric reads."""
    for record in records:
        if missing := [key for key in metric.reads if key not in record]:
            raise MetricError(
                f"metric {name} reads {', '.join(missing)}, which record {record['id']!r} lacks: "
                "evaluate with this metric, or leave it out"
            )


def document(
    subject: Subject, seed: int, measured: Sequence[Mapping[str, Any]], records: bytes
) -> dict[str, Any]:
    """Return the results as they are written and printed."""
    return {
        "schema_version": SCHEMA_VERSION,
        "run": subject.run,
        "model": subject.model,
        "dataset": subject.dataset,
        "config": subject.config,
        "seed": seed,
        "metrics": list(measured),
        "records": f"sha256:{hashlib.sha256(records).hexdigest()}",
        "versions": versions(),
    }


def versions() -> dict[str, str]:
    """Return the versions of what has a part in the figures, as far as it is in use."""
    from importlib.metadata import PackageNotFoundError, version

    found = {"codex_ml": __version__, "python": platform.python_version()}
    packages = {"numpy": "numpy", "torch": "torch", "sacrebleu": "sacrebleu"}
    packages["rouge_score"] = "rouge-score"
    for module, package in packages.items():
        if module in sys.modules:
            try:
                found[package] = version(package)
            except PackageNotFoundError:
                continue
    return found


def write_results(folder: Path, results: Mapping[str, Any]) -> None:
    """Write ``results.json``, whole or not at all: the last file of an evaluation."""
    text = json.dumps(results, indent=2, allow_nan=False) + "\n"
    files.write(folder / RESULTS, text.encode())


def read_results(path: Path) -> dict[str, Any]:
    """Return what a ``results.json`` holds.

    Raises:
        EvaluationError: missing, damaged, or of a newer version.

    """
    try:
        found = json.loads(path.read_bytes())
    except OSError as error:
        raise EvaluationError(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise EvaluationError(f"{path}: not JSON: {error}") from None
    match found:
        case {"schema_version": 1, "run": str(), "metrics": list(), "records": str()}:
            return dict(found)
        case {"schema_version": newer}:
            raise EvaluationError(
                f"{path}: schema version {newer!r} or damaged: this reads version {SCHEMA_VERSION}"
            )
    raise EvaluationError(f"{path}: no results of an evaluation")
