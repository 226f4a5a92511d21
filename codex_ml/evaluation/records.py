"""Records on disk: parts while an evaluation runs, one file when it is whole.

``part-<rank>.ndjson`` begins with a line that names the evaluation; a later
start of the same evaluation, on any number of ranks, continues after the records
in all parts. ``records.ndjson`` is written at once from all of them.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, TextIO

from codex_ml import files
from codex_ml.evaluation.errors import RecordsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from codex_ml.evaluation.items import Item

RECORDS = "records.ndjson"
_PARTS = "part-*.ndjson"


class Part:
    """One rank's records so far: every line in it is whole once `write` returns."""

    def __init__(self, folder: Path, rank: int, run: str) -> None:
        """Begin or continue the part; `run` names the evaluation."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"part-{rank}.ndjson"
        _cut_torn_line(path)
        self._stream: TextIO = path.open("a", encoding="utf-8")
        if not self._stream.tell():
            self.write([{"run": run}])

    def write(self, records: Iterable[dict[str, Any]]) -> None:
        """Append records, durably."""
        self._stream.writelines(line(record) for record in records)
        self._stream.flush()
        os.fsync(self._stream.fileno())

    def close(self) -> None:
        """Close the file."""
        self._stream.close()


def line(record: dict[str, Any]) -> str:
    """Return a record as its line; floats are written so that they read back equal."""
    return json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n"


def _cut_torn_line(path: Path) -> None:
    """Drop what a killed process wrote after the last whole line."""
    if path.exists():
        data = path.read_bytes()
        os.truncate(path, data.rfind(b"\n") + 1)


def finished(folder: Path, run: str) -> dict[str, dict[str, Any]]:
    """Return the records of this evaluation that a folder holds already, by id.

    Raises:
        RecordsError: they are those of another evaluation, or damaged.

    """
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(folder.glob(_PARTS)):
        rows = iter(_read(path, torn=True))
        header = next(rows, None)
        if header is not None and header.get("run") != run:
            raise RecordsError(
                f"{path}: belongs to another evaluation (model, dataset or options differ): "
                "choose another --out, or remove the folder"
            )
        found |= {record["id"]: record for record in rows}
    return found


def merge(
    folder: Path, items: Sequence[Item], found: dict[str, dict[str, Any]]
) -> list[dict[str, Any]]:
    """Write ``records.ndjson`` in the dataset's order, and return its records."""
    records = [found[item.id] for item in items]
    files.write(folder / RECORDS, "".join(map(line, records)).encode())
    return records


def remove_parts(folder: Path) -> None:
    """Remove the parts, once the whole is written."""
    for path in folder.glob(_PARTS):
        path.unlink()


def read_records(path: Path) -> list[dict[str, Any]]:
    """Return the records of a ``records.ndjson``.

    Raises:
        RecordsError: missing, empty, damaged, or an id is missing, no text, or repeats.

    """
    records = list(_read(path, torn=False))
    if not records:
        raise RecordsError(f"{path}: holds no records")
    ids = {id_ for record in records if isinstance(id_ := record.get("id"), str)}
    if len(ids) < len(records):
        raise RecordsError(f"{path}: an id is missing, no text, or given twice")
    return records


def _read(path: Path, *, torn: bool) -> Iterator[dict[str, Any]]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RecordsError(f"{path}: cannot be read: {error.strerror}") from None
    if torn:
        data = data[: data.rfind(b"\n") + 1]
    for number, text in enumerate(data.splitlines(), 1):
        try:
            record = json.loads(text)
        except ValueError as error:
            raise RecordsError(f"{path}:{number}: damaged: {error}") from None
        if not isinstance(record, dict):
            raise RecordsError(f"{path}:{number}: is no JSON object")
        yield record
