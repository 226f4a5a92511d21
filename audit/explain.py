"""Why a capability or a practice scores what it does, down to lines of evidence."""

from collections.abc import Iterator

import msgspec

from audit.config import nearest
from audit.errors import AuditError
from audit.model import CapabilityResult, Evidence, Gap, Outcome, PracticeResult, Term
from audit.practices.catalogue import Catalogue
from audit.practices.registry import Practice
from audit.screen import wrap


class Explanation(msgspec.Struct, frozen=True):
    """What is said about one capability or practice."""

    id: str
    capability: CapabilityResult
    practices: tuple[PracticeResult, ...]
    actions: tuple[Gap, ...]
    """What would raise the score, the largest gain first."""


def explain(outcome: Outcome, catalogue: Catalogue, name: str) -> Explanation:
    """Return the explanation of a capability or a practice.

    Raises:
        AuditError: there is neither of that name; the nearest is named.
    """
    for capability in outcome.matrix.capabilities:
        if capability.id == name:
            actions = tuple(one for one in outcome.gaps if one.capability == name)
            return Explanation(name, capability, capability.practices, actions)
        for practice in capability.practices:
            if practice.id == name:
                actions = tuple(one for one in outcome.gaps if one.practice == name)
                return Explanation(name, capability, (practice,), actions)
    hint = nearest(name, catalogue.ids | catalogue.capabilities)
    raise AuditError(
        f"{name!r} is no capability or practice{hint or ': see codex-audit practices'}"
    )


def text(found: Explanation, practices: dict[str, Practice]) -> str:
    """Return an explanation as lines of a terminal."""
    lines = [*_capability(found.capability)]
    for one in found.practices:
        lines += ["", *_practice(one, practices[one.id])]
    if found.actions:
        lines += ["", "what would raise the score"]
        lines += [row for gap in found.actions[:8] for row in _action(gap)]
    return "\n".join(lines) + "\n"


def _capability(one: CapabilityResult) -> Iterator[str]:
    yield f"{one.id}: {one.status}, score {one.score:.3f}"
    if one.interval[1] > one.interval[0]:
        low, high = one.interval
        yield f"  between {low:.3f} and {high:.3f}: some practices are unknown"
    if one.reason:
        yield from wrap(f"  {one.reason}", 2)
    for term in one.arithmetic:
        yield from wrap(f"  {_term(term)}", 17)
    if one.arithmetic:
        yield f"  sum {one.score:.6f}"


def _term(term: Term) -> str:
    counted = min(term.value, term.cap)
    capped = f" (capped from {term.value:.3f})" if counted < term.value else ""
    product = f"{counted:.6f} × {term.weight:.2f} = {counted * term.weight:.6f}"
    return f"{term.component:<14} {product}{capped}  {term.because}"


def _practice(one: PracticeResult, practice: Practice) -> Iterator[str]:
    yield f"{one.id} ({one.role}): {one.status.replace('_', ' ')}, rung {one.rung}"
    yield from wrap(f"  counts when: {practice.present_if}", 6)
    for evidence in one.evidence:
        whole = [evidence.path]
        yield from wrap(f"  {evidence.path}:{evidence.line}  {evidence.says}", 6, whole)
        yield from wrap(f"    {_reached(evidence)}", 6, whole)
    if one.status != "present":
        yield from wrap(f"  looked for: {one.looked_for}", 6)
        yield from wrap(f"  fix: {' '.join(practice.prose.fix.split())}", 6)
    if one.rung == "declared":
        yield "  nothing public or runnable reaches it: dead code does not count"


def _reached(one: Evidence) -> str:
    docs = "named by docs" if one.documented else "not named by docs"
    docs = f"named wrongly by {one.misnamed}" if one.misnamed else docs
    if not one.code:
        return f"{one.symbol}: {docs}"
    tests = "reached from tests" if one.tested else "no test reaches it"
    return f"in {one.symbol}: rung {one.rung}, {tests}, {docs}"


def _action(gap: Gap) -> Iterator[str]:
    yield from wrap(f"  +{gap.gain:.3f} {gap.practice or gap.capability}: {gap.action}", 9)
    if gap.where:
        yield from wrap(f"         where: {gap.where}", 11)
    if gap.drop_in:
        yield from wrap(f"         drop-in: {gap.drop_in}", 11)
