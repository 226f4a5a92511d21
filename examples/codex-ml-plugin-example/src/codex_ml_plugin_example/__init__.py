"""One metric and one tracker, plugged into codex-ml by the entry points in pyproject.toml."""

import csv
from collections.abc import Mapping
from pathlib import Path

from codex_ml.evaluation.metric import Metric

CODEX_ML_API = 1

LENGTH_RATIO = Metric(
    reads=("prediction", "references"),
    statistics=lambda record: (len(record["prediction"]), len(record["references"][0])),
    value=lambda sums: sums[0] / sums[1],
)
"""Characters predicted per character of the first reference; 1 is ideal."""


class CsvTracker:
    """Appends one line of `step,name,value` per value to a file."""

    def __init__(self, path: str = "metrics.csv") -> None:
        """Write to `path`, which is created when the first value comes."""
        self.path = Path(path)

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Append every value of one step."""
        with self.path.open("a", newline="", encoding="utf-8") as stream:
            csv.writer(stream).writerows((step, name, value) for name, value in values.items())

    def close(self) -> None:
        """Nothing is held open."""
