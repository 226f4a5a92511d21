"""SARIF 2.1.0 (OASIS, errata 01): for code scanning."""

from collections.abc import Mapping
from urllib.parse import quote

import msgspec

from audit.formats import Report
from audit.formats.findings import GATE, UNREAD, WARNED, Finding, findings
from audit.practices.registry import Practice
from audit.visible import visible

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
FINGERPRINT = "codexAudit/v1"

_OTHER = {
    GATE: "The gate's rules about scores hold",
    WARNED: "The audit could do all that it was asked",
    UNREAD: "The file can be read and parsed",
}


def render(report: Report) -> str:
    """Return the findings as a SARIF log."""
    matrix = report.outcome.matrix
    found = findings(report)
    practices = {one.id: one for one in report.catalogue.practices()}
    rules = sorted({one.rule for one in found})
    log = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": matrix.tool.name,
                        "version": matrix.tool.version,
                        "rules": [_rule(name, practices) for name in rules],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [_result(one, rules.index(one.rule)) for one in found],
                "properties": {
                    "mean": matrix.mean,
                    "minimum": matrix.minimum,
                    "tree": matrix.source.tree,
                    "templateHash": matrix.template_hash,
                },
            }
        ],
    }
    return msgspec.json.format(msgspec.json.encode(log), indent=2).decode() + "\n"


def _rule(name: str, practices: Mapping[str, Practice]) -> dict[str, object]:
    practice = practices.get(name)
    if practice is None:
        return {"id": name, "shortDescription": {"text": _OTHER.get(name, name)}}
    prose = practice.prose
    return {
        "id": name,
        "shortDescription": {"text": prose.title},
        "fullDescription": {"text": practice.present_if},
        "help": {
            "text": f"{prose.why}\n\n{prose.fix}",
            "markdown": f"**Why.** {prose.why}\n\n**Fix.** {prose.fix}",
        },
        "properties": {"tags": [practice.capability, practice.role]},
    }


def _result(one: Finding, index: int) -> dict[str, object]:
    place = {
        "artifactLocation": {"uri": quote(one.path.encode("utf-8", "backslashreplace"))},
        "region": {"startLine": max(one.line, 1)},
    }
    result: dict[str, object] = {
        "ruleId": one.rule,
        "ruleIndex": index,
        "level": one.level,
        "message": {"text": visible(one.says)},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {FINGERPRINT: one.fingerprint},
    }
    if one.waiver:
        accepted = {"kind": "external", "status": "accepted", "justification": visible(one.waiver)}
        result["suppressions"] = [accepted]
    return result
