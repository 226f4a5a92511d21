"""JUnit XML: a suite for each capability, a case for each practice, a suite for the gate.

Without a gate an absent practice is a failure. Under a gate only what breaks it is: the
file says what the exit code says.
"""

from collections.abc import Iterator
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from audit.compare import blame
from audit.formats import Report
from audit.formats.findings import GATE
from audit.model import Broken, CapabilityResult, Decision, PracticeResult
from audit.visible import visible


def render(report: Report) -> str:
    """Return the practices, and the gate's rules, as test cases."""
    matrix = report.outcome.matrix
    root = Element("testsuites", name=visible(f"{matrix.tool.name} {matrix.source.root_name}"))
    if report.decision is not None:
        root.append(_gate(report.decision))
    for capability in matrix.capabilities:
        root.append(_capability(capability, report.decision is not None))
    for suite in (root, *root):
        for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            if suite is not root or name != "skipped":  # the schemas know it on a suite only
                suite.set(name, str(len(list(suite.iter(tag)))))
        suite.set("tests", str(len(list(suite.iter("testcase")))))
        suite.set("time", "0")
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _gate(decision: Decision) -> Element:
    suite = Element("testsuite", name=GATE)
    for one in decision.broken:
        case = SubElement(suite, "testcase", classname=GATE, name=visible(one.says))
        _say(case, "failure", one.rule, one.says, _cure(one))
    for waived in decision.waived:
        case = SubElement(suite, "testcase", classname=GATE, name=visible(waived.says))
        _say(case, "skipped", "waived", waived.waiver.reason)
    if decision.holds:
        SubElement(suite, "testcase", classname=GATE, name="every other rule holds")
    return suite


def _cure(one: Broken) -> str:
    return "\n".join([*(f"by {row}" for row in blame(one.blame)), f"smallest change: {one.cure}"])


def _capability(capability: CapabilityResult, gated: bool) -> Element:
    suite = Element("testsuite", name=visible(capability.id))
    for row in capability.practices:
        case = SubElement(suite, "testcase", classname=visible(capability.id), name=visible(row.id))
        if row.status == "present":
            SubElement(case, "system-out").text = "\n".join(_evidence(row))
        elif row.status == "not_applicable" or gated or capability.status == "not_applicable":
            _say(case, "skipped", row.status, row.looked_for)
        else:
            tag = "failure" if row.status == "absent" else "error"
            _say(case, tag, row.status, row.looked_for)
    return suite


def _evidence(row: PracticeResult) -> Iterator[str]:
    return (visible(f"{one.path}:{one.line} {one.says}") for one in row.evidence)


def _say(case: Element, tag: str, kind: str, message: str, text: str = "") -> None:
    element = SubElement(case, tag, message=visible(message))
    if tag != "skipped":
        element.set("type", kind)
    element.text = visible(text, keep="\n") or None
