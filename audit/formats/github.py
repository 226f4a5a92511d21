"""GitHub annotations: workflow commands on stdout, which show up beside the code.

Escaping is that of the runner's own toolkit: ``%``, CR and LF in a message, also ``:``
and ``,`` in a property. Every other control character is made visible.
"""

from typing import Final

from audit.formats import Report
from audit.formats.findings import Finding, findings
from audit.visible import visible

_COMMANDS: Final = {"error": "error", "warning": "warning", "note": "notice"}


def render(report: Report) -> str:
    """Return one workflow command for each finding that no waiver accepts."""
    return "".join(_command(one) for one in findings(report) if not one.waiver)


def _command(one: Finding) -> str:
    place = f"file={_property(one.path)},line={max(one.line, 1)},title={_property(one.rule)}"
    return f"::{_COMMANDS[one.level]} {place}::{_message(one.says)}\n"


def _message(text: str) -> str:
    kept = visible(text, keep="\r\n")
    return kept.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
