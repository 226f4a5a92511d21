"""S4: decisions + weights → components and scores, with the arithmetic."""

from collections.abc import Iterable, Mapping, Sequence

from audit.config import Config
from audit.model import (
    COMPONENTS,
    CapabilityResult,
    Components,
    Evidence,
    PracticeResult,
    Term,
)

Shares = Mapping[str, float]
"""Duplicated share of the code of a symbol, 0 to 1."""


def normalised(weights: Mapping[str, float]) -> tuple[dict[str, float], tuple[str, ...]]:
    """Return weights that sum to 1, and a warning where they had to be made to."""
    full = {name: weights.get(name, 0.0) for name in COMPONENTS}
    total = sum(full.values())
    if abs(total - 1) < 1e-9:
        return full, ()
    scaled = {name: value / total for name, value in full.items()}
    return scaled, (f"weights sum to {total:g}, not 1: they were divided by it",)


def score_all(
    decided: Sequence[tuple[str, tuple[PracticeResult, ...]]],
    config: Config,
    duplicated: Shares,
) -> tuple[CapabilityResult, ...]:
    """Return every capability with its score."""
    weights, _ = normalised(config.weights)
    return tuple(
        score(
            name, practices, weights, config.caps, duplicated, config.not_applicable.get(name, "")
        )
        for name, practices in decided
    )


def score(
    name: str,
    practices: tuple[PracticeResult, ...],
    weights: Mapping[str, float],
    caps: Mapping[str, float],
    duplicated: Shares,
    reason: str = "",
) -> CapabilityResult:
    """Return one capability: ``Σ weight · min(clamp(component), cap)``.

    `reason` is why the configuration says that it is not applicable.
    """
    zero = Components(0.0, 0.0, 0.0, 0.0, 0.0)
    if reason or all(one.status == "not_applicable" for one in practices):
        why = reason or "every practice is not applicable"
        return CapabilityResult(name, "not_applicable", 0.0, (0.0, 0.0), zero, practices, (), why)
    low, terms = _value(practices, weights, caps, duplicated, frozenset({"present"}))
    high, _ = _value(practices, weights, caps, duplicated, frozenset({"present", "unknown"}))
    functional = [one for one in practices if one.role == "functionality"]
    if not any(one.status == "present" for one in functional):
        why = "no functionality practice is present"
        return CapabilityResult(name, "absent", 0.0, (0.0, high), zero, practices, (), why)
    components = Components(**{term.component: term.value for term in terms})
    return CapabilityResult(
        name, "present", low, (low, max(low, high)), components, practices, terms
    )


def _value(
    practices: Sequence[PracticeResult],
    weights: Mapping[str, float],
    caps: Mapping[str, float],
    duplicated: Shares,
    counted: frozenset[str],
) -> tuple[float, tuple[Term, ...]]:
    found = [one for one in practices if one.status in counted]
    if not any(one.role == "functionality" for one in found):
        return 0.0, ()
    measured = {
        "functionality": _present(practices, "functionality", counted),
        "consistency": _consistency(found, duplicated),
        "tests": _tests(practices, counted),
        "safeguards": _present(practices, "safeguard", counted),
        "documentation": _documentation(practices, counted),
    }
    informed = [name for name in COMPONENTS if measured[name][0] is not None]
    total = sum(weights[name] for name in informed)
    neutral = (
        sum(weights[name] * (measured[name][0] or 0.0) for name in informed) / total
        if total
        else 0.0
    )
    terms = []
    for name in COMPONENTS:
        value, because = measured[name]
        if value is None:
            because = f"{because}: takes the weighted mean of the other components"
        rounded = round(neutral if value is None else min(max(value, 0.0), 1.0), 6)
        terms.append(Term(name, rounded, round(weights[name], 6), caps.get(name, 1.0), because))
    return round(sum(term.weight * min(term.value, term.cap) for term in terms), 6), tuple(terms)


Measured = tuple[float | None, str]


def _present(practices: Iterable[PracticeResult], role: str, counted: frozenset[str]) -> Measured:
    applicable = [one for one in practices if one.role == role and one.status != "not_applicable"]
    if not applicable:
        return None, f"no {role} practice applies"
    there = sum(one.status in counted for one in applicable)
    return there / len(applicable), f"{there} of {len(applicable)} {role} practices present"


def _tests(practices: Sequence[PracticeResult], counted: frozenset[str]) -> Measured:
    """Share of the code evidence that tests reach, averaged over the code practices.

    A missing practice counts as 0, as in `_documentation`: otherwise deleting an
    untested one would raise the score.
    """
    applicable = [one for one in practices if one.code and one.status != "not_applicable"]
    if not applicable:
        return None, "the evidence is no code"
    share = 0.0
    for one in applicable:
        if one.status in counted:
            code = [evidence for evidence in one.evidence if evidence.code]
            share += sum(evidence.tested for evidence in code) / len(code) if code else 1.0
    return share / len(applicable), f"tests reach the evidence of {share:.3g} of {len(applicable)}"


def _documentation(practices: Sequence[PracticeResult], counted: frozenset[str]) -> Measured:
    """Share of the evidence that docs name truthfully, averaged over the practices."""
    applicable = [one for one in practices if one.status != "not_applicable"]
    rows = [one.evidence for one in applicable if one.status in counted]
    share = sum(map(_documented, rows))
    wrong = sum(bool(one.misnamed) for row in rows for one in row)
    because = f"docs name the evidence of {share:.3g} of {len(applicable)}"
    because += f" and are wrong about {wrong} places" if wrong else ""
    return share / len(applicable), because


def _documented(evidence: Sequence[Evidence]) -> float:
    return sum(one.documented for one in evidence) / len(evidence) if evidence else 1.0


def _consistency(practices: Sequence[PracticeResult], duplicated: Shares) -> Measured:
    """One less the share of duplicated code in the evidence, averaged over its symbols."""
    symbols = {e.symbol for one in practices for e in one.evidence if e.code}
    if not symbols:
        return None, "the evidence is no code"
    share = sum(duplicated.get(one, 0.0) for one in sorted(symbols)) / len(symbols)
    return (
        1 - share,
        f"{share:.1%} of the code of {len(symbols)} definitions is duplicated elsewhere",
    )


def overall(capabilities: Iterable[CapabilityResult]) -> tuple[float, float]:
    """Return mean and minimum score over the capabilities that apply."""
    scores = [one.score for one in capabilities if one.status != "not_applicable"]
    if not scores:
        return 0.0, 0.0
    return round(sum(scores) / len(scores), 6), min(scores)
