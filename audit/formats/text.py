"""Terminal: the matrix in 80 columns, the same with and without colour."""

from collections.abc import Iterator
from typing import Final

from audit.formats import Report
from audit.gate import policy
from audit.model import COMPONENTS, CapabilityResult, Gap
from audit.screen import fit, wrap
from audit.visible import visible

BAR: Final = 10
NEXT: Final = 5
_NAME: Final = 23
_TITLES: Final = "func  cons  test  safe  docs"
_HEAD: Final = f"{'capability':<{_NAME}} {'score':>5}  {'':{BAR}} {_TITLES}  found"
_BLOCKS: Final = " ▏▎▍▌▋▊▉█"
_STYLES: Final = {"good": "32", "middling": "33", "poor": "31", "head": "1", "soft": "2"}


def render(report: Report, *, colour: bool = False) -> str:
    """Return the matrix, or under a gate its decision, 80 columns wide where it can be."""
    if report.decision is not None:
        return policy.text(report.decision)
    lines = _lines(report, _Style(colour))
    return "\n".join(line.rstrip() for line in lines) + "\n"


class _Style:
    """Colours a piece of a line, or leaves it alone."""

    def __init__(self, colour: bool) -> None:
        self.colour = colour

    def __call__(self, name: str, text: str) -> str:
        return f"\x1b[{_STYLES[name]}m{text}\x1b[0m" if self.colour else text


def _lines(report: Report, style: _Style) -> Iterator[str]:
    outcome = report.outcome
    matrix, source = outcome.matrix, outcome.matrix.source
    revision = source.revision[:12] or "no revision"
    title = f"{source.root_name} at {revision}{' + changes' if source.dirty else ''}"
    yield style("head", fit(title))
    yield style("soft", fit(f"profile {matrix.profile}: {matrix.profile_reason}"))
    yield ""
    yield style("soft", _HEAD)
    yield from (_row(one, style) for one in matrix.capabilities)
    yield ""
    figures = f"mean {matrix.mean:.3f}   minimum {matrix.minimum:.3f}   "
    yield style("head", figures + f"{_count(matrix.capabilities)} practices present")
    if matrix.problems:
        count = len(matrix.problems)
        yield f"{count} file{'s'[: count > 1]} could not be audited:"
        yield from (fit(f"  {one.path}: {one.reason}") for one in matrix.problems[:3])
        if count > 3:
            yield f"  … and {count - 3} more: --format md lists them"
    for warning in matrix.warnings:
        yield from wrap(f"warning: {warning}", 2)
    for one in matrix.waivers:
        says = f"waived until {one.expires} by {one.owner}: {one.practice}: {one.reason}"
        yield from wrap(says, 2)
    if outcome.gaps:
        yield ""
        yield style("head", "next best actions (gain in the capability's score)")
        yield from (_gap(one) for one in outcome.gaps[:NEXT])
    yield ""
    yield style("soft", f"template {matrix.template_hash}")


def bar(score: float) -> str:
    """Return a bar of `BAR` columns, filled to an eighth of a column."""
    eighths = round(score * BAR * 8)
    full, part = divmod(eighths, 8)
    return ("█" * full + (_BLOCKS[part] if part else "")).ljust(BAR)


def _row(one: CapabilityResult, style: _Style) -> str:
    name = _cut(visible(one.id), _NAME).ljust(_NAME)
    if one.status == "not_applicable":
        return style("soft", fit(f"{name} {'n/a':>5}  {one.reason}"))
    present = sum(practice.status == "present" for practice in one.practices)
    applicable = sum(practice.status != "not_applicable" for practice in one.practices)
    unsure = "?" if one.interval[1] > one.interval[0] else " "
    values = " ".join(f"{getattr(one.components, name):5.2f}" for name in COMPONENTS)
    level = "good" if one.score >= 0.8 else "middling" if one.score >= 0.5 else "poor"
    score = style(level, f"{one.score:.3f}{unsure} {bar(one.score)}")
    return f"{name} {score}{values} {present:>3}/{applicable}"


def _count(capabilities: tuple[CapabilityResult, ...]) -> str:
    rows = [practice for one in capabilities for practice in one.practices]
    return f"{sum(row.status == 'present' for row in rows)} of {len(rows)}"


def _gap(gap: Gap) -> str:
    return fit(f"  +{gap.gain:.3f} {gap.practice or gap.capability}: {gap.action}")


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
