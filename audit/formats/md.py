"""Markdown: rendered from its Jinja template, as detailed as a job summary can take."""

from typing import Final

from audit import templates
from audit.formats import Report
from audit.formats.context import context

MAX_BYTES: Final = 60_000
"""Fits a pull-request comment (65,536 characters) and GitHub's job summary (1 MiB)."""


def render(report: Report) -> str:
    """Return the matrix as Markdown of at most `MAX_BYTES` bytes of UTF-8.

    `detail` tells the template how many pieces of evidence to show for a practice; at 0
    it leaves the practices out. What does not fit even then is cut at a line, visibly.
    """
    words = context(report)
    for detail in (3, 1, 0):
        text = templates.render(report.templates, "matrix.md.j2", words | {"detail": detail})
        if len(text.encode()) <= MAX_BYTES:
            return text
    note = "\n\n… cut here: the whole report is in the HTML and JSON formats.\n"
    kept = text.encode()[: MAX_BYTES - len(note.encode())]
    return kept.decode("utf-8", "ignore").rpartition("\n")[0] + note
