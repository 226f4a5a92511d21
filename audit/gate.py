"""The CI decision: rules from the configuration, each held or broken, with the reason."""

from collections.abc import Iterator
from datetime import date

from audit.compare import Comparison
from audit.config import Config
from audit.errors import ConfigError
from audit.model import Broken, Decision, Gap, Matrix, Waived, Waiver

TOLERANCE = 1e-6


def decide(
    matrix: Matrix,
    gaps: tuple[Gap, ...],
    config: Config,
    today: date,
    moved: Comparison | None = None,
) -> Decision:
    """Hold a matrix to the configuration, and to another matrix where one is given.

    Raises:
        ConfigError: a waiver's date is none, or the waiver has nothing to waive.
    """
    waivers = {one.practice: one for one in config.waivers if _valid(one, today)}
    broken, waived = [], []
    for practice, rule in _practice_rules(matrix, config, moved):
        if (waiver := waivers.get(practice)) is not None:
            waived.append(Waived(rule.says, waiver))
        else:
            broken.append(rule)
    _idle(config, matrix)
    broken += _score_rules(matrix, gaps, config, moved)
    return Decision(tuple(broken), tuple(waived))


def _valid(waiver: Waiver, today: date) -> bool:
    try:
        return today < date.fromisoformat(waiver.expires)
    except ValueError:
        raise ConfigError(
            f"waiver of {waiver.practice!r}: expires = {waiver.expires!r}: write YYYY-MM-DD"
        ) from None


def _idle(config: Config, matrix: Matrix) -> None:
    status = {row.id: row.status for one in matrix.capabilities for row in one.practices}
    for waiver in config.waivers:
        if status.get(waiver.practice) == "present":
            raise ConfigError(
                f"waiver of {waiver.practice!r} is idle: the practice is present: remove the waiver"
            )


def _practice_rules(
    matrix: Matrix, config: Config, moved: Comparison | None
) -> Iterator[tuple[str, Broken]]:
    rows = {row.id: row for one in matrix.capabilities for row in one.practices}
    for name in config.required:
        if rows[name].status != "present":
            says = f"required practice {name} is {rows[name].status.replace('_', ' ')}"
            yield name, Broken("required", says, f"codex-audit explain {name}", name)
    for change in moved.changes if moved is not None else ():
        if change.lost:
            gone = ", ".join(f"{e.path}:{e.line}" for e in change.evidence[:3])
            says = f"{change.practice} was present at {gone} and is {change.after}"
            cure = f"restore {gone} or an equal of it"
            yield (
                change.practice,
                Broken("no regression", says, cure, change.practice, change.evidence),
            )


def _score_rules(
    matrix: Matrix, gaps: tuple[Gap, ...], config: Config, moved: Comparison | None
) -> Iterator[Broken]:
    bars = config.thresholds
    if matrix.mean < bars.get("mean", 0.0) - TOLERANCE:
        says = f"mean {matrix.mean:.3f} is below {bars['mean']:.3f}"
        yield Broken("mean", says, _cure(gaps, None))
    for one in matrix.capabilities:
        bar = bars.get(one.id, bars.get("minimum", 0.0))
        if one.status != "not_applicable" and one.score < bar - TOLERANCE:
            says = f"{one.id} {one.score:.3f} is below {bar:.3f}"
            yield Broken("minimum", says, _cure(gaps, one.id))
    for move in moved.moves if moved is not None else ():
        if move.after < move.before - 0.005:
            says = f"{move.capability} fell from {move.before:.3f} to {move.after:.3f}"
            yield Broken("no regression", says, _cure(gaps, move.capability))


def _cure(gaps: tuple[Gap, ...], capability: str | None) -> str:
    for gap in gaps:
        if capability is None or gap.capability == capability:
            return f"{gap.practice or gap.capability}: {gap.action} (+{gap.gain:.3f})"
    return "codex-audit explain shows the arithmetic"


def text(decision: Decision) -> str:
    """Return a decision as plain text."""
    lines = [_waived(one) for one in decision.waived]
    for one in decision.broken:
        lines += [f"broken: {one.rule}: {one.says}", f"    smallest change: {one.cure}"]
    lines.append("gate holds" if decision.holds else f"gate broken by {len(decision.broken)} rules")
    return "\n".join(lines) + "\n"


def _waived(one: Waived) -> str:
    waiver = one.waiver
    return f"{one.says}: waived until {waiver.expires} by {waiver.owner}: {waiver.reason}"
