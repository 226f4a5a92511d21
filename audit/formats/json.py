"""JSON: the contract that other tools read, schema in ``docs/schemas``."""

import msgspec

from audit.model import Report


def render(report: Report) -> str:
    """Return the matrix as indented JSON, keys in declared order."""
    return msgspec.json.format(msgspec.json.encode(report.outcome.matrix), indent=2).decode() + "\n"
