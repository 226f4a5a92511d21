"""HTML: one self-contained file that works offline, rendered from its Jinja template."""

from audit import templates
from audit.formats import Report
from audit.formats.context import context


def render(report: Report) -> str:
    """Return the matrix as a page."""
    return templates.render(report.templates, "matrix.html.j2", context(report))
