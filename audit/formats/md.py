"""Markdown: rendered from its Jinja template."""

from audit import templates
from audit.model import Report


def render(report: Report) -> str:
    """Return the matrix as Markdown."""
    return templates.render(report.templates, "matrix.md.j2", templates.context(report))
