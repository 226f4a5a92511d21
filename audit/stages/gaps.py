"""S5: scores → what to do next, ranked by the exact gain in score."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import msgspec

from audit.config import Config
from audit.model import CapabilityResult, Evidence, Gap, PracticeResult
from audit.stages.scoring import Shares, normalised, score

if TYPE_CHECKING:
    from audit.practices.registry import Practice

RAISE = {
    "tests": "test the evidence that no test reaches",
    "documentation": "name the evidence in the docs",
    "consistency": "merge the duplicated code of the evidence",
}


def rank(
    capabilities: Iterable[CapabilityResult],
    practices: "Mapping[str, Practice]",
    config: Config,
    duplicated: Shares,
) -> tuple[Gap, ...]:
    """Return every gap, the largest gain first.

    The gain of a practice is the difference to the score that the same arithmetic
    gives when the practice is present, tested and documented, all else unchanged;
    the gain of a component is what full marks in it would add.
    """
    every = [one for one in capabilities if one.status != "not_applicable"]
    gaps: list[Gap] = []
    for capability in every:
        gaps += _missing(capability, practices, config, duplicated, len(every))
        gaps += _components(capability, len(every))
    return tuple(
        sorted(gaps, key=lambda gap: (-gap.gain, gap.capability, gap.practice, gap.action))
    )


def _missing(
    capability: CapabilityResult,
    practices: "Mapping[str, Practice]",
    config: Config,
    duplicated: Shares,
    count: int,
) -> Iterator[Gap]:
    weights, _ = normalised(config.weights)
    for one in capability.practices:
        if one.status != "absent":
            continue
        better = tuple(
            msgspec.structs.replace(row, status="present", evidence=()) if row is one else row
            for row in capability.practices
        )
        gain = (
            score(capability.id, better, weights, config.caps, duplicated).score - capability.score
        )
        practice = practices[one.id]
        yield Gap(
            one.id, capability.id, f"add: {practice.prose.title}", round(gain, 6),
            round(gain / count, 6), _where(capability, one, practice), one.page,
            practice.prose.drop_in,
        )  # fmt: skip


def _where(capability: CapabilityResult, missing: PracticeResult, practice: "Practice") -> str:
    """Name the file where the fix goes: beside the capability's evidence, or the file
    that the practice's good example shows."""
    good = practice.prose.good
    if not practice.code and good.startswith("# file: "):
        return good.partition("\n")[0].removeprefix("# file: ").strip()
    for one in capability.practices:
        for evidence in one.evidence:
            if evidence.code and one.role == "functionality" and one.id != missing.id:
                return f"{evidence.path} ({evidence.symbol})"
    return "product code"


def _components(capability: CapabilityResult, count: int) -> Iterator[Gap]:
    for term in capability.arithmetic:
        gain = term.weight * (term.cap - min(term.value, term.cap))
        if term.component in RAISE and gain > 0 and "takes the weighted mean" not in term.because:
            places = _weak(capability, term.component)
            yield Gap(
                "", capability.id, RAISE[term.component], round(gain, 6),
                round(gain / count, 6), places, "", "",
            )  # fmt: skip


def _weak(capability: CapabilityResult, component: str) -> str:
    """Name the first pieces of evidence that keep a component down, or the claims to correct."""
    lacking = {
        _named(evidence, component): None
        for one in capability.practices
        if one.status == "present"
        for evidence in one.evidence
        if (component == "tests" and evidence.code and not evidence.tested)
        or (component == "documentation" and not evidence.documented)
        or (component == "consistency" and evidence.code)
    }
    return ", ".join(list(lacking)[:3])


def _named(one: Evidence, component: str) -> str:
    name = one.symbol or one.path
    if component == "documentation" and one.misnamed:
        return f"{name} (named wrongly at {one.misnamed.partition(': ')[0]})"
    return name
