"""HTML: one self-contained file that works offline, rendered from its Jinja template."""

from audit import templates
from audit.model import Report


def render(report: Report) -> str:
    """Return the matrix as a page."""
    return templates.render(report.templates, "matrix.html.j2", templates.context(report))
