"""JUnit XML holds what readers of it know: the elements and attributes of the common schemas.

The schemas in use (Jenkins', Surefire's, pytest's own) differ at the edges; this is what all of
them allow, written as facts: element -> attributes that must and may be there, and children.
"""

import xml.etree.ElementTree as ET

import pytest

from audit.formats import render
from tests.audit.formats.reports import HOSTILE, report

COUNTS = frozenset({"errors", "failures", "tests"})
SCHEMA: dict[str, tuple[frozenset[str], frozenset[str], frozenset[str]]] = {
    "testsuites": (frozenset(), COUNTS | {"name", "time"}, frozenset({"testsuite"})),
    "testsuite": (COUNTS | {"name"}, frozenset({"skipped", "time"}), frozenset({"testcase"})),
    "testcase": (
        frozenset({"classname", "name"}),
        frozenset({"time"}),
        frozenset({"error", "failure", "skipped", "system-err", "system-out"}),
    ),
    "error": (frozenset(), frozenset({"message", "type"}), frozenset()),
    "failure": (frozenset(), frozenset({"message", "type"}), frozenset()),
    "skipped": (frozenset(), frozenset({"message"}), frozenset()),
    "system-out": (frozenset(), frozenset(), frozenset()),
}


def faults(element: ET.Element) -> list[str]:
    """Return what a document has that the schema does not allow, or lacks."""
    needed, allowed, children = SCHEMA[element.tag]
    have = frozenset(element.attrib)
    found = [f"{element.tag} lacks {name}" for name in needed - have]
    found += [f"{element.tag} has {name}" for name in have - needed - allowed]
    found += [f"{element.tag} holds {one.tag}" for one in element if one.tag not in children]
    for name in have & (COUNTS | {"skipped"}):
        tag = "testcase" if name == "tests" else name.removesuffix("s")
        tag = "skipped" if name == "skipped" else tag
        if int(element.attrib[name]) != len(list(element.iter(tag))):
            found.append(f"{element.tag} counts {name} wrong")
    return [*found, *(row for one in element if one.tag in children for row in faults(one))]


@pytest.mark.parametrize("gated", [False, True])
@pytest.mark.parametrize("words", ["src/a.py", *HOSTILE.values()], ids=["plain", *HOSTILE])
def test_a_report_is_what_the_schemas_allow(words: str, gated: bool) -> None:
    root = ET.fromstring(render("junit", report(words, gated=gated)))  # noqa: S314 - our own
    assert root.tag == "testsuites"
    assert faults(root) == []


def test_the_check_finds_what_is_wrong() -> None:
    text = '<testsuites skipped="1"><testsuite name="a" tests="2" failures="0"><x/></testsuite></testsuites>'
    assert faults(ET.fromstring(text)) == [  # noqa: S314 - our own
        "testsuites has skipped", "testsuites counts skipped wrong", "testsuite lacks errors",
        "testsuite holds x", "testsuite counts tests wrong",
    ]  # fmt: skip
