"""``metrics.ndjson``: one JSON object a line, one line a record."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from codex_ml import files
from codex_ml.tracking.base import Record

FILE = "metrics.ndjson"


class Ndjson:
    """Appends records to ``metrics.ndjson``, each whole as soon as it is logged."""

    def __init__(self, run: Path, config: Mapping[str, Any], step: int) -> None:  # noqa: ARG002
        """Open the file; records after `step`, which will come again, are dropped."""
        path = run / FILE
        kept = [record for record in read(path) if record["step"] <= step]
        files.write(path, b"".join(_line(record) for record in kept))
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)

    def log(self, step: int, record: Record) -> None:
        """Append one line."""
        os.write(self._descriptor, _line({"step": step, **record}))

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


def read(path: Path) -> list[dict[str, Any]]:
    """Return the records of a metrics file, if there is one; a torn last line is left out."""
    if not path.exists():
        return []
    lines = path.read_bytes().split(b"\n")[:-1]
    return [msgspec.json.decode(line, type=dict[str, Any]) for line in lines]


def _line(record: Mapping[str, Any]) -> bytes:
    return msgspec.json.encode(record) + b"\n"
