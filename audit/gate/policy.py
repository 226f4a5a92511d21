"""The CI decision: rules from the configuration, each held or broken, with the reason."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Final

import msgspec

from audit.compare import Change, Comparison, Move, blame, loss
from audit.config import Config
from audit.errors import ConfigError
from audit.gate.cures import Capabilities, Cure
from audit.model import (
    MAX_EVIDENCE,
    Blame,
    Broken,
    CapabilityResult,
    Decision,
    Evidence,
    Outcome,
    PracticeResult,
    Waived,
    Waiver,
)
from audit.screen import wrap
from audit.stages.scoring import overall

if TYPE_CHECKING:
    from audit.practices.registry import Practice  # brings all of S3: a stored outcome needs none

TOLERANCE: Final = 1e-6
FALL: Final = 0.005
"""By how much a score may fall: less is the noise of new evidence."""
CLONES: Final = 0.02
"""By how much consistency may fall: less is where lines of a copy happen to start."""

Rule = tuple[Broken, frozenset[str]]
"""A broken rule and the practices whose waivers, all together, excuse it."""


def decide(
    outcome: Outcome,
    config: Config,
    practices: "Mapping[str, Practice]",
    today: date,
    moved: Comparison | None = None,
) -> Decision:
    """Hold an outcome to the configuration, and to another matrix where one is given.

    `today` ends waivers: a decision is made on a day, a matrix is not.

    Raises:
        ConfigError: a waiver has nothing to waive.
    """
    rows = {row.id: row for one in outcome.matrix.capabilities for row in one.practices}
    _refuse_idle(config, rows)
    valid = {one.practice: one for one in config.waivers if today < date.fromisoformat(one.expires)}
    cure = Cure(outcome.decisions, practices, config)
    rules = [*_required(config, rows, outcome), *(_regressions(moved) if moved else ())]
    broken, waived = [], []
    for rule, names in rules:
        if names and names <= valid.keys():
            waived += [Waived(rule.says, valid[name]) for name in sorted(names)]
        else:
            broken.append(_ended(rule, names, config, today))
    before = outcome.matrix.capabilities
    bars = dict(_bars(tuple(_excused(one, cure, valid) for one in before), config, cure))
    for name, rule in _bars(before, config, cure) if valid else ():
        if name not in bars:
            waived += [Waived(rule.says, one) for one in _of(valid, before, name)]
    return Decision((*broken, *bars.values()), tuple(waived))


def _refuse_idle(config: Config, rows: Mapping[str, PracticeResult]) -> None:
    for waiver in config.waivers:
        status = rows[waiver.practice].status
        if status in ("present", "not_applicable"):
            raise ConfigError(
                f"waiver of {waiver.practice!r} is idle: the practice is "
                f"{status.replace('_', ' ')}: remove the waiver"
            )


def _ended(rule: Broken, names: frozenset[str], config: Config, today: date) -> Broken:
    """Say of a broken rule that a waiver of it has ended."""
    ended = [
        w for w in config.waivers if w.practice in names and today >= date.fromisoformat(w.expires)
    ]
    words = "".join(f"; its waiver ended on {one.expires}" for one in ended)
    return msgspec.structs.replace(rule, says=rule.says + words)


# ------------------------------------------------------------------ practices
def _required(
    config: Config, rows: Mapping[str, PracticeResult], outcome: Outcome
) -> Iterator[Rule]:
    actions = {gap.practice: gap for gap in outcome.gaps}
    for name in config.required:
        row = rows[name]
        if row.status != "present":
            says = f"required practice {name} is {row.status.replace('_', ' ')}"
            gap = actions.get(name)
            page = f", see {gap.page}" if gap and gap.page else ""
            cure = f"{gap.action} in {gap.where}{page}" if gap else row.looked_for
            yield Broken("required", says, cure, name), frozenset({name})


def _regressions(moved: Comparison) -> Iterator[Rule]:
    for change in moved.changes:
        if change.lost:
            places = ", ".join(f"{e.path}:{e.line}" for e in _lost([change])[:3])
            where = places or f"more places than the {MAX_EVIDENCE} kept"
            says = f"{change.practice} was present at {where} and is {change.after}"
            cure = f"restore {loss(change.losses[0])}" if change.losses else "restore it"
            yield _regression(says.replace("_", " "), cure, [change], change.blame, change.practice)
    for move in moved.moves:
        if move.after < move.before - FALL:
            yield from _fall(move, [o for o in moved.changes if o.capability == move.capability])


def _fall(move: Move, changes: Sequence[Change]) -> Iterator[Rule]:
    """Yield the rule that a fallen score breaks, if something was lost.

    Code that only moved loses nothing; a score that falls with it is no regression.
    """
    causes = [loss(one) for change in changes for one in change.losses]
    causes += [
        f"new evidence at {one.path}:{one.line} {lacks}"
        for change in changes
        for one in change.gained
        if (lacks := _lacks(one))
    ]
    before, after = move.components.get("consistency", (0.0, 0.0))
    if not causes and after < before - CLONES:
        copied = f"more of its code stands elsewhere too: consistency {before:.2f} → {after:.2f}"
        causes.append(copied)
    if causes:
        fell = f"{move.capability} fell from {move.before:.3f} to {move.after:.3f}"
        says = f"{fell}: {'; '.join(causes[:3])}"
        yield _regression(says, f"make good for {causes[0]}", changes, move.blame)


def _lacks(one: Evidence) -> str:
    if one.code and not one.tested:
        return "is reached by no test"
    if one.misnamed:
        return f"is named wrongly by {one.misnamed}"
    return "" if one.documented else "is named by no page"


def _regression(
    says: str, cure: str, changes: Sequence[Change], by: Blame | None, practice: str = ""
) -> Rule:
    names = frozenset(one.practice for one in changes if one.lost or one.weakened)
    return Broken("no regression", says, cure, practice, _lost(changes), by), names


def _lost(changes: Sequence[Change]) -> tuple[Evidence, ...]:
    return tuple(one.evidence for change in changes for one in change.losses)


# --------------------------------------------------------------------- scores
def _excused(one: CapabilityResult, cure: Cure, waivers: Mapping[str, Waiver]) -> CapabilityResult:
    """Return a capability without the practices that are waived."""
    if not any(row.id in waivers for row in one.practices):
        return one
    return cure.rescored(
        one,
        tuple(
            msgspec.structs.replace(row, status="not_applicable") if row.id in waivers else row
            for row in one.practices
        ),
    )


def _of(waivers: Mapping[str, Waiver], capabilities: Capabilities, name: str) -> Iterator[Waiver]:
    """Yield the waivers that bear on the bar of a capability, or of the mean."""
    for one in capabilities:
        if name in ("mean", one.id):
            yield from (waivers[row.id] for row in one.practices if row.id in waivers)


def _bars(capabilities: Capabilities, config: Config, cure: Cure) -> Iterator[tuple[str, Broken]]:
    """Yield what is below its bar: the mean, or a capability by its id."""
    bars = config.thresholds
    wanted = bars.get("mean", 0.0)
    mean, _ = overall(capabilities)
    if mean < wanted - TOLERANCE:
        best = cure.smallest(capabilities, lambda them: overall(them)[0] >= wanted - TOLERANCE)
        yield "mean", Broken("mean", f"mean {mean:.3f} is below {wanted:.3f}", best)
    for one in capabilities:
        bar = bars.get(one.id, bars.get("minimum", 0.0))
        if one.status != "not_applicable" and one.score < bar - TOLERANCE:
            best = cure.smallest((one,), partial(_reaches, bar))
            says = f"{one.id} {one.score:.3f} is below {bar:.3f}"
            yield one.id, Broken("minimum", says, best)


def _reaches(bar: float, capabilities: Capabilities) -> bool:
    return all(one.score >= bar - TOLERANCE for one in capabilities)


def text(decision: Decision) -> str:
    """Return a decision as lines of a terminal."""
    lines = [row for one in decision.notes for row in wrap(f"note: {one}", 4)]
    lines += [row for one in decision.waived for row in wrap(_waived(one), 4)]
    for one in decision.broken:
        whole = [*(place.path for place in one.evidence), *(one.blame.files if one.blame else ())]
        lines += wrap(f"broken: {one.rule}: {one.says}", 8, whole)
        lines += [row for by in blame(one.blame) for row in wrap(f"    by {by}", 8, whole)]
        lines += wrap(f"    smallest change: {one.cure}", 8, whole)
    count = len(decision.broken)
    lines.append(f"gate broken by {count} rule{'s'[: count > 1]}" if count else "gate holds")
    return "\n".join(lines) + "\n"


def _waived(one: Waived) -> str:
    waiver = one.waiver
    return f"{one.says}: waived until {waiver.expires} by {waiver.owner}: {waiver.reason}"
