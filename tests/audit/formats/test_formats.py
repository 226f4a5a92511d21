"""What each format says, from one run or under a gate."""

import json
from xml.etree import ElementTree as ET

import msgspec
import pytest

from audit.formats import FORMATS, md, render, text
from audit.formats.findings import findings
from audit.model import Broken, Decision
from tests.audit.formats.reports import report


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_is_a_function_of_its_report(name: str) -> None:
    assert render(name, report()) == render(name, report()) != ""


def test_findings_are_ordered_and_named_by_level() -> None:
    found = [(one.level, one.rule) for one in findings(report(gated=True))]
    assert found == [
        ("error", "checkpoint-load"),
        ("error", "gate"),
        ("warning", "checkpoint-atomic"),
        ("warning", "checkpoint-async"),
        ("warning", "file-not-audited"),
        ("warning", "audit-warning"),
        ("note", "docs-site"),
    ]


def test_a_finding_keeps_its_fingerprint_when_its_lines_move() -> None:
    before, after = findings(report(line=3)), findings(report(line=300))
    assert [one.fingerprint for one in before] == [one.fingerprint for one in after]
    assert [one.line for one in before] != [one.line for one in after]
    assert len({one.fingerprint for one in before}) == len(before)


def test_sarif_marks_a_waived_finding_as_accepted() -> None:
    (run,) = json.loads(render("sarif", report(gated=True)))["runs"]
    suppressed = [one for one in run["results"] if "suppressions" in one]
    assert [one["ruleId"] for one in suppressed] == ["checkpoint-atomic"]
    rules = run["tool"]["driver"]["rules"]
    assert all(rules[one["ruleIndex"]]["id"] == one["ruleId"] for one in run["results"])
    assert all(one["partialFingerprints"]["codexAudit/v1"] for one in run["results"])


def test_a_waived_finding_is_no_annotation() -> None:
    assert "checkpoint-atomic" in render("github", report())
    assert "checkpoint-atomic" not in render("github", report(gated=True))
    rows = json.loads(render("gitlab", report(gated=True)))
    assert "checkpoint-atomic" not in {one["check_name"] for one in rows}


def suites(gated: bool) -> dict[str, dict[str, str]]:
    root = ET.fromstring(render("junit", report(gated=gated)))  # noqa: S314 - our own
    return {one.get("name", ""): dict(one.attrib) for one in root}


def test_without_a_gate_an_absent_practice_is_a_failure_in_junit() -> None:
    found = suites(gated=False)["checkpointing"]
    counts = {key: found[key] for key in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": "5", "failures": "2", "errors": "1", "skipped": "1"}


def test_under_a_gate_only_what_breaks_it_is_a_failure_in_junit() -> None:
    found = suites(gated=True)
    assert (found["gate"]["failures"], found["gate"]["skipped"]) == ("2", "1")
    assert {one["failures"] for name, one in found.items() if name != "gate"} == {"0"}


def test_json_under_a_gate_is_its_decision() -> None:
    assert set(json.loads(render("json", report(gated=True)))) >= {"broken", "waived"}
    assert json.loads(render("json", report()))["mean"] == 0.25


def test_the_badge_tells_the_mean_and_a_broken_gate() -> None:
    assert "capabilities: 0.25</title>" in render("badge", report())
    assert "0.25, gate broken</title>" in render("badge", report(gated=True))


def test_markdown_stays_below_its_bound_and_keeps_the_matrix() -> None:
    for words in ("x", "long " * 400, "é" * 80_000):
        found = render("md", report(words, gated=True))
        assert len(found.encode()) <= md.MAX_BYTES
        assert "checkpointing" in found
    rules = tuple(Broken("required", f"rule {n} " * 30, "é" * 300) for n in range(200))
    whole = msgspec.structs.replace(report(), decision=Decision(rules, ()))
    found = render("md", whole)
    assert len(found.encode()) <= md.MAX_BYTES
    assert "Template `hash`" in found
    assert found.endswith("… cut here: the whole report is in the HTML and JSON formats.\n")


def test_colour_changes_nothing_else() -> None:
    import re

    coloured = text.render(report(), colour=True)
    assert "\x1b[" in coloured
    assert re.sub("\x1b\\[[0-9]+m", "", coloured) == text.render(report())
