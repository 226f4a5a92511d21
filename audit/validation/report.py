"""Verdicts → text, JSON, JUnit."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from xml.etree import ElementTree as ET

import msgspec

from audit.model import TOOL
from audit.validation.model import SCHEMA_VERSION, Report, Verdict
from audit.visible import visible


def report(verdicts: tuple[Verdict, ...], *, executed: bool, sandbox: bool) -> Report:
    """Return the report of a validation."""
    count = [one.status for one in verdicts].count
    return Report(
        SCHEMA_VERSION, TOOL, executed, sandbox, count("held"), count("broken"), verdicts
    )  # fmt: skip


def text(found: Report) -> str:
    """Return a report for people."""
    lines: list[str] = []
    for file, rows in groupby(found.contracts, lambda one: one.file):
        lines += [file, *(line for one in rows for line in _row(one)), ""]
    total = len(found.contracts)
    if found.executed:
        lines.append(f"{found.held} of {total} contracts held, {found.broken} broken")
    else:
        says = f", {found.broken} of them cannot be run" if found.broken else ""
        lines.append(f"{total} contracts{says}; nothing was run: --execute runs them")
    return visible("\n".join(lines), keep="\n") + "\n"


def _row(one: Verdict) -> Iterator[str]:
    took = f"  ({one.seconds:.1f} s)" if one.seconds is not None else ""
    first, *more = one.command.splitlines() or [""]
    yield f"  {one.status:<7}  {one.id:<8}  {first}{' …' if more else ''}{took}"
    if one.free:
        yield f"{'':21}by its exit code: {one.expected}"
    elif one.status == "planned" and one.expected:
        yield f"{'':21}{' / '.join(one.expected.splitlines())[:100]}"
    for reason in one.reasons:
        yield f"{'':21}line {one.line}: {reason}"
    yield from (f"{'':21}{row}".rstrip() for row in _written(one))


def _written(one: Verdict) -> Iterator[str]:
    """Yield the end of what a broken command wrote, each stream under its name."""
    for name, rows in (("stdout", one.stdout), ("stderr", one.stderr)):
        if rows:
            yield f"{name}:"
            yield from (f"  {row}" for row in rows)


def json(found: Report) -> str:
    """Return a report as JSON."""
    return msgspec.json.format(msgspec.json.encode(found), indent=2).decode() + "\n"


def junit(found: Report) -> str:
    """Return a report as JUnit XML: a suite per document, a case per contract."""
    root = ET.Element("testsuites", name="codex-audit validate")
    for file, rows in groupby(found.contracts, lambda one: one.file):
        cases = list(rows)
        suite = ET.SubElement(root, "testsuite", {"name": visible(file), **_counts(cases)})
        for one in cases:
            _case(suite, one)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _case(suite: ET.Element, one: Verdict) -> None:
    case = ET.SubElement(
        suite, "testcase", classname=visible(one.file), name=visible(f"{one.id} {one.command}"),
        file=visible(one.file), line=str(one.line), time=f"{one.seconds or 0:.3f}",
    )  # fmt: skip
    if one.status == "broken":
        message = visible(one.reasons[0])
        says = "\n".join((*one.reasons, *_written(one)))
        ET.SubElement(case, "failure", message=message).text = visible(says, keep="\n")
    elif one.status == "planned":
        ET.SubElement(case, "skipped", message="not executed")


def _counts(cases: Iterable[Verdict]) -> dict[str, str]:
    states = [one.status for one in cases]
    return {
        "tests": str(len(states)), "failures": str(states.count("broken")), "errors": "0",
        "skipped": str(states.count("planned")),
    }  # fmt: skip


FORMATS = {"text": text, "json": json, "junit": junit}
