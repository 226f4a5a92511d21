"""Every claim of every page → findings, and counts of what was checked and what was not."""

from collections import Counter
from collections.abc import Iterable, Iterator

from audit.docs_truth import kinds
from audit.docs_truth.model import SCHEMA_VERSION, Claim, Finding, Report, Unknown, Wrong
from audit.docs_truth.world import World
from audit.model import TOOL


def check(world: World, *, execute: bool = False) -> Report:
    """Judge the documentation of a repository; `execute` also runs the examples it shows."""
    checked: Counter[str] = Counter()
    skipped: Counter[str] = Counter()
    suppressed = 0
    findings: dict[Finding, None] = {}
    for kind in kinds.every():
        if kind.executes and not execute:
            continue
        for claim, verdict in kind.check(world):
            if _is_example(world, claim):
                suppressed += 1
                continue
            match verdict:
                case Unknown(reason):
                    skipped[reason] += 1
                    continue
                case Wrong(truth, nearest):
                    text = " ".join(claim.text.split())[:200]
                    findings[Finding(kind.id, claim.path, claim.line, text, truth, nearest)] = None
            checked[kind.id] += 1
    ordered = sorted(_once(findings), key=lambda one: (one.path, one.line, one.kind, one.claim))
    return Report(
        SCHEMA_VERSION, TOOL, len(world.pages), dict(sorted(checked.items())),
        dict(sorted(skipped.items())), suppressed, tuple(ordered),
    )  # fmt: skip


def _once(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Leave out that a thing is undocumented where a page names it wrongly: one drift."""
    rows = list(findings)
    meant = {one.nearest.rpartition(".")[2] for one in rows} - {""}
    for one in rows:
        if not one.kind.startswith("undocumented-") or meant.isdisjoint(one.claim.split()):
            yield one


def _is_example(world: World, claim: Claim) -> bool:
    page = world.page(claim.path)
    return page is not None and any(
        one.first <= claim.line <= one.last for one in page.facts.examples
    )
