"""JSON: the contract that other tools read, schema in ``docs/schemas``."""

import msgspec

from audit.model import Outcome


def render(report: Outcome) -> str:
    """Return the matrix as indented JSON, keys in declared order."""
    return msgspec.json.format(msgspec.json.encode(report.matrix), indent=2).decode() + "\n"
