"""JSON: the contract that other tools read, schema in ``docs/schemas``."""

import msgspec

from audit.formats import Report


def render(report: Report) -> str:
    """Return the matrix, or under a gate its decision, as indented JSON."""
    value = report.outcome.matrix if report.decision is None else report.decision
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n"
