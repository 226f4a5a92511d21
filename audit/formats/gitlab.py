"""GitLab code quality: the JSON that a merge request's widget reads."""

from typing import Final

import msgspec

from audit.formats import Report
from audit.formats.findings import findings
from audit.visible import visible

_SEVERITY: Final = {"error": "major", "warning": "minor", "note": "info"}


def render(report: Report) -> str:
    """Return the findings that no waiver accepts as a JSON array."""
    rows = [
        {
            "description": visible(one.says),
            "check_name": one.rule,
            "fingerprint": one.fingerprint,
            "severity": _SEVERITY[one.level],
            "location": {"path": visible(one.path), "lines": {"begin": max(one.line, 1)}},
        }
        for one in findings(report)
        if not one.waiver
    ]
    return msgspec.json.format(msgspec.json.encode(rows), indent=2).decode() + "\n"
