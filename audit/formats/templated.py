"""Markdown and HTML: rendered from the Jinja templates."""

from collections.abc import Mapping

from audit import templates
from audit.model import COMPONENTS, RUNGS, Outcome

LETTERS = {"present": "yes", "absent": "no", "not_applicable": "n/a", "unknown": "?"}


def render(report: Outcome, sources: Mapping[str, bytes], name: str) -> str:
    """Return the matrix as ``md`` or ``html``."""
    context = {
        "matrix": report.matrix,
        "gaps": report.gaps,
        "facets": report.facets,
        "components": COMPONENTS,
        "rungs": RUNGS,
        "letters": LETTERS,
    }
    return templates.render(sources, f"matrix.{name}.j2", context)
