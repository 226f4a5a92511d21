"""A history in each output format: table, JSON, CSV, and a chart as SVG or HTML."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from audit import proof, templates
from audit.compare import VISIBLE
from audit.history.scores import History, Point
from audit.model import Value
from audit.screen import COLUMNS, wrap
from audit.visible import visible

SHOWN: Final = 3
_LARGE: Final = (760.0, 200.0)
_SMALL: Final = (220.0, 44.0)
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


class Line(Value, frozen=True):
    """A score over the commits as the path of a chart."""

    name: str
    path: str
    """SVG path data; it breaks where the capability is not applicable."""
    last: float | None
    change: float
    """From the first score to the last."""


class Mark(Value, frozen=True):
    """A commit in the chart, with what it changed."""

    x: float
    y: float
    says: str
    worse: bool


def path(scores: Sequence[float | None], size: tuple[float, float]) -> str:
    """Return scores from 0 to 1 as SVG path data in a box; a gap starts a new line."""
    width, height = size
    step = width / max(len(scores) - 1, 1)
    parts, pen = [], "M"
    for place, score in enumerate(scores):
        if score is None:
            pen = "M"
        else:
            parts.append(f"{pen}{place * step:.1f} {(1 - score) * height:.1f}")
            pen = "L"
    if len(scores) == 1 and parts:  # one commit is a line across
        parts.append(f"H{width:.1f}")
    return " ".join(parts)


def _line(name: str, scores: Sequence[float | None], size: tuple[float, float]) -> Line:
    known = [one for one in scores if one is not None]
    change = known[-1] - known[0] if known else 0.0
    return Line(name, path(scores, size), scores[-1], change)


def _marks(points: Sequence[Point]) -> Iterator[Mark]:
    width, height = _LARGE
    step = width / max(len(points) - 1, 1)
    for place, one in enumerate(points):
        if one.moved or one.gained or one.lost:
            fell = any(after < before - VISIBLE for _, before, after in one.moved)
            worse = fell or bool(one.lost)
            says = "\n".join((f"{one.commit[:12]} {one.subject}", *changes(one)))
            yield Mark(place * step, (1 - one.mean) * height, says, worse)


def changes(one: Point) -> Iterator[str]:
    """Yield what a commit changed, a line each."""
    for sign, names in (("+", one.gained), ("-", one.lost)):
        if names:
            yield f"{sign} {', '.join(names)}"
    moved = [row for row in one.moved if abs(row[2] - row[1]) >= VISIBLE]
    for name, before, after in sorted(moved, key=lambda row: -abs(row[2] - row[1]))[:SHOWN]:
        yield f"{name} {before:.3f} → {after:.3f}"
    if one.files:
        yield "; ".join(one.files[:SHOWN])


def context(found: History) -> dict[str, object]:
    """Return what the templates of a history can name."""
    points = found.points
    names = list(points[-1].scores)
    return {
        "history": found,
        "mean": _line("mean", [one.mean for one in points], _LARGE),
        "minimum": _line("minimum", [one.minimum for one in points], _LARGE),
        "capabilities": [
            _line(name, [one.scores.get(name) for one in points], _SMALL) for name in names
        ],
        "marks": tuple(_marks(points)),
        "changes": {one.commit: tuple(changes(one)) for one in points},
    }


def text(found: History, _: Mapping[str, bytes]) -> str:
    """Return a table: 80 columns, a row a commit, below it what it changed."""
    lines = [f"{'date':<10}  {'commit':<9}  {'mean':>5}         {'min':>5}  found  subject"]
    before = None
    for one in found.points:
        rise = f"{one.mean - before:+.3f}" if before is not None else ""
        shown = rise if rise.strip("+-0.") else ""
        row = f"{one.mean:.3f} {shown:<7} {one.minimum:.3f}  {one.present:>5}  {one.subject}"
        lines.append(_cut(visible(f"{one.time[:10]}  {one.commit[:9]}  {row}")))
        lines += [row for says in changes(one) for row in wrap(f"{'':12}{says}", 14, one.files)]
        before = one.mean
    return "\n".join(lines) + "\n"


def _cut(row: str) -> str:
    return row if len(row) <= COLUMNS else row[: COLUMNS - 1].rstrip() + "…"


def table(found: History, _: Mapping[str, bytes]) -> str:
    """Return comma-separated values (RFC 4180), one row a commit."""
    names = list(found.points[-1].scores)
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(["commit", "time", "subject", "mean", "minimum", "present", *names])
    for one in found.points:
        # A spreadsheet would take some beginnings of a subject for a formula.
        subject = f"'{one.subject}" if one.subject.startswith(_FORMULA) else one.subject
        scores = ["" if one.scores.get(name) is None else one.scores[name] for name in names]
        writer.writerow(
            [one.commit, one.time, subject, one.mean, one.minimum, one.present, *scores]
        )
    return out.getvalue()


def json(found: History, _: Mapping[str, bytes]) -> str:
    """Return indented JSON, schema in ``docs/schemas``."""
    return proof.encode(found).decode()


def svg(found: History, sources: Mapping[str, bytes]) -> str:
    """Return the chart as one SVG file."""
    return templates.render(sources, "history.svg.j2", context(found))


def html(found: History, sources: Mapping[str, bytes]) -> str:
    """Return the chart and every change on one page without requests."""
    return templates.render(sources, "history.html.j2", context(found))


FORMATS: Final[dict[str, Callable[[History, Mapping[str, bytes]], str]]] = {
    "text": text,
    "json": json,
    "csv": table,
    "svg": svg,
    "html": html,
}
