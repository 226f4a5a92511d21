"""Terminal: the matrix in 80 columns, the same with and without colour."""

from audit.model import COMPONENTS, CapabilityResult, Gap, Report

_TITLES = "func  cons  test  safe  docs"
_HEAD = f"{'capability':<23} {'score':>5}  {'':10} {_TITLES}  found"
_BLOCKS = " ▏▎▍▌▋▊▉█"
COLUMNS = 80
BAR = 10
NEXT = 5


def render(report: Report) -> str:
    """Return the matrix as plain text, at most 80 columns wide."""
    matrix = report.outcome.matrix
    source = matrix.source
    revision = source.revision[:12] or "no revision"
    lines = [
        f"{source.root_name} at {revision}{' + changes' if source.dirty else ''}",
        _fit(f"profile {matrix.profile}: {matrix.profile_reason}"),
        "",
        _HEAD,
        *(_row(one) for one in matrix.capabilities),
        "",
        (
            f"mean {matrix.mean:.3f}   minimum {matrix.minimum:.3f}   "
            f"{_count(matrix.capabilities)} practices present"
        ),
    ]
    if matrix.problems:
        lines.append(f"{len(matrix.problems)} files could not be audited, first of them:")
        lines += [_fit(f"  {one.path}: {one.reason}") for one in matrix.problems[:3]]
    lines += [f"warning: {one}" for one in matrix.warnings]
    lines += [
        f"waived until {one.expires} by {one.owner}: {one.practice}: {one.reason}"
        for one in matrix.waivers
    ]
    if report.outcome.gaps:
        lines += ["", "next best actions (gain in the capability's score)"]
        lines += [_gap(one) for one in report.outcome.gaps[:NEXT]]
    lines += ["", f"template {matrix.template_hash}"]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def bar(value: float) -> str:
    """Return a bar of `BAR` columns for a value from 0 to 1."""
    eighths = round(value * BAR * 8)
    full, part = divmod(eighths, 8)
    return ("█" * full + (_BLOCKS[part] if part else "")).ljust(BAR)


def _row(one: CapabilityResult) -> str:
    if one.status == "not_applicable":
        return f"{one.id:<23} {'n/a':>5}  {one.reason}"[:COLUMNS]
    present = sum(practice.status == "present" for practice in one.practices)
    applicable = sum(practice.status != "not_applicable" for practice in one.practices)
    unsure = "?" if one.interval[1] > one.interval[0] else " "
    values = " ".join(f"{getattr(one.components, name):5.2f}" for name in COMPONENTS)
    return (
        f"{one.id:<23} {one.score:.3f}{unsure} {bar(one.score)}{values} {present:>3}/{applicable}"
    )


def _count(capabilities: tuple[CapabilityResult, ...]) -> str:
    rows = [practice for one in capabilities for practice in one.practices]
    return f"{sum(row.status == 'present' for row in rows)} of {len(rows)}"


def _gap(gap: Gap) -> str:
    return _fit(f"  +{gap.gain:.3f} {gap.practice or gap.capability}: {gap.action}")


def _fit(line: str) -> str:
    """Cut a line to `COLUMNS`, at a word, and say so."""
    if len(line) <= COLUMNS:
        return line
    return line[: COLUMNS - 1].rpartition(" ")[0] + "…"
