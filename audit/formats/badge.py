"""Badge: a small SVG with the mean score, or with the gate that it broke."""

from typing import Final
from xml.sax.saxutils import escape

from audit.formats import Report

_LABEL: Final = "capabilities"
_WIDTH: Final = 6.6
"""Pixels a character takes at 11 px in the fonts named; `textLength` makes it hold."""
_COLOURS: Final = ((0.8, "#2c7a3f"), (0.5, "#8a6100"), (0.0, "#b3261e"))
"""Lower bound of the mean → background, each at least 4.5 to 1 against white."""


def render(report: Report) -> str:
    """Return a badge, 20 px high, readable without colour."""
    mean = report.outcome.matrix.mean
    says = f"{mean:.2f}"
    colour = next(one for bound, one in _COLOURS if mean >= bound)
    if report.decision is not None and not report.decision.holds:
        says, colour = f"{says}, gate broken", _COLOURS[-1][1]
    left, right = round(len(_LABEL) * _WIDTH) + 12, round(len(says) * _WIDTH) + 12
    title = escape(f"{_LABEL}: {says}")
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20"
 role="img" aria-label="{title}">
<title>{title}</title>
<clipPath id="r"><rect width="{left + right}" height="20" rx="3"/></clipPath>
<g clip-path="url(#r)">
<rect width="{left}" height="20" fill="#444c56"/>
<rect x="{left}" width="{right}" height="20" fill="{colour}"/>
</g>
<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle">
<text x="{left / 2:g}" y="14" textLength="{left - 12}">{_LABEL}</text>
<text x="{left + right / 2:g}" y="14" textLength="{right - 12}">{escape(says)}</text>
</g>
</svg>
"""
