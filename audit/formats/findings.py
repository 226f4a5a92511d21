"""What a report asks somebody to look at, as flat findings: for formats that list places."""

import re
from collections.abc import Iterator
from hashlib import sha256
from typing import Literal, TypeAlias

import msgspec

from audit.compare import blame
from audit.formats import Report
from audit.model import Broken, CapabilityResult, Index, PracticeResult

Level: TypeAlias = Literal["error", "warning", "note"]

GATE = "gate"
UNREAD = "file-not-audited"
WARNED = "audit-warning"


class Finding(msgspec.Struct, frozen=True):
    """One thing to look at."""

    rule: str
    """The practice, `GATE` for a rule about scores, `UNREAD` or `WARNED`."""
    level: Level
    """``error``: the gate is broken by it. ``warning``: a safeguard is missing where the
    capability is there, or something could not be decided. ``note``: anything else."""
    says: str
    path: str
    line: int
    fingerprint: str
    """Names the finding across revisions; no line number is in it."""
    waiver: str = ""
    """Why it is accepted for now."""


def findings(report: Report) -> tuple[Finding, ...]:
    """Return the findings, the worst first."""
    found = [*_broken(report), *_practices(report), *_unread(report), *_warnings(report)]
    order = ("error", "warning", "note")
    return tuple(sorted(found, key=lambda one: order.index(one.level)))


def _broken(report: Report) -> Iterator[Finding]:
    index = report.outcome.index
    known = {one.path for one in index.files}
    beside = {
        row.id: _place(capability)
        for capability in report.outcome.matrix.capabilities
        for row in capability.practices
    }
    for one in report.decision.broken if report.decision is not None else ():
        path, line = next(
            ((e.path, e.line) for e in one.evidence if e.path in known),
            beside.get(one.practice) or (fallback(index), 1),
        )
        by = "".join(f", by {row}" for row in blame(one.blame))
        says = f"{one.says}{by} ({one.rule}); smallest change: {one.cure}"
        yield Finding(one.practice or GATE, "error", says, path, line, _named(one))


def _named(one: Broken) -> str:
    return _digest(GATE, one.rule, one.practice or re.sub(r"\d[\d.]*", "#", one.says))


def _practices(report: Report) -> Iterator[Finding]:
    broken, waived = _decided(report)
    index = report.outcome.index
    for capability in report.outcome.matrix.capabilities:
        path, line = _place(capability) or (fallback(index), 1)
        for row in capability.practices:
            if row.status in ("absent", "unknown") and row.id not in broken:
                yield Finding(
                    row.id, _level(capability, row), f"{row.status}: {row.looked_for}", path, line,
                    _digest(row.id, capability.id), waived.get(row.id, ""),
                )  # fmt: skip


def _decided(report: Report) -> tuple[frozenset[str], dict[str, str]]:
    if report.decision is None:
        return frozenset(), {}
    waivers = {
        one.waiver.practice: f"{one.waiver.reason} (until {one.waiver.expires}, {one.waiver.owner})"
        for one in report.decision.waived
    }
    return frozenset(one.practice for one in report.decision.broken), waivers


def _level(capability: CapabilityResult, row: PracticeResult) -> Level:
    if row.status == "unknown":
        return "warning"
    return "warning" if capability.status == "present" and row.role == "safeguard" else "note"


def _place(capability: CapabilityResult) -> tuple[str, int] | None:
    """Return where a capability shows first: the fix goes beside it."""
    places = [e for row in capability.practices for e in row.evidence]
    best = next((e for e in places if e.code), places[0] if places else None)
    return (best.path, best.line) if best is not None else None


def fallback(index: Index) -> str:
    """Return the file that stands for the whole repository."""
    paths = [one.path for one in index.files if not one.problem]
    named = [one for one in paths if re.fullmatch(r"pyproject\.toml|README\.\w+", one)]
    return (named or paths or ["."])[0]


def _unread(report: Report) -> Iterator[Finding]:
    for one in report.outcome.matrix.problems:
        says = f"not audited: {one.reason}"
        yield Finding(UNREAD, "warning", says, one.path, 1, _digest(UNREAD, one.path))


def _warnings(report: Report) -> Iterator[Finding]:
    path = fallback(report.outcome.index)
    for one in report.outcome.matrix.warnings:
        yield Finding(WARNED, "warning", one, path, 1, _digest(WARNED, one))


def _digest(*parts: str) -> str:
    return sha256("\0".join(parts).encode("utf-8", "backslashreplace")).hexdigest()
