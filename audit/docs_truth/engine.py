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
            elif isinstance(verdict, Unknown):
                skipped[verdict.reason] += 1
            elif isinstance(verdict, Wrong) and _is_past(world, kind, claim):
                skipped["a sentence about what is gone"] += 1
            else:
                checked[kind.id] += 1
                if isinstance(verdict, Wrong):
                    findings[_finding(kind, claim, verdict)] = None
    ordered = sorted(_once(findings), key=lambda one: (one.path, one.line, one.kind, one.claim))
    return Report(
        SCHEMA_VERSION, TOOL, len(world.pages), dict(sorted(checked.items())),
        dict(sorted(skipped.items())), suppressed, tuple(ordered),
    )  # fmt: skip


def misnamed(world: World) -> tuple[Finding, ...]:
    """Return what pages are wrong about in the code: the part of every audit that facts decide.

    The text of files is read only for a claim that fails.
    """
    return tuple(
        dict.fromkeys(
            _finding(kind, claim, verdict)
            for kind in kinds.of("references", "symbols", "paths", "python_blocks", "commands")
            for claim, verdict in kind.check(world)
            if isinstance(verdict, Wrong)
            and not _is_example(world, claim)
            and not _is_past(world, kind, claim)
        )
    )


def _finding(kind: kinds.Kind, claim: Claim, wrong: Wrong) -> Finding:
    text = " ".join(claim.text.split())[:200]
    return Finding(kind.id, claim.path, claim.line, text, wrong.truth, wrong.nearest)


def _once(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Leave out that a thing is undocumented where a page names it wrongly, and a symbol that is
    a reference as well: one drift."""
    rows = list(findings)
    referred = {(one.path, one.line, one.claim) for one in rows if one.kind == "cross-reference"}
    rows = [
        one
        for one in rows
        if one.kind != "symbol" or (one.path, one.line, one.claim) not in referred
    ]
    meant = {one.nearest.rpartition(".")[2] for one in rows} - {""}
    for one in rows:
        if not one.kind.startswith("undocumented-") or meant.isdisjoint(one.claim.split()):
            yield one


def _is_past(world: World, kind: kinds.Kind, claim: Claim) -> bool:
    page = world.page(claim.path)
    said = kind.id in ("flag", "symbol", "path", "environment", "default", "exit-code")
    return said and page is not None and page.past(claim.line, claim.text)


def _is_example(world: World, claim: Claim) -> bool:
    page = world.page(claim.path)
    return page is not None and any(
        one.first <= claim.line <= one.last for one in page.facts.examples
    )
