"""What the templates of the Markdown and the HTML report can name."""

from audit.formats import Report
from audit.model import COMPONENTS


def context(report: Report) -> dict[str, object]:
    """Return the names of a template."""
    outcome = report.outcome
    return {
        "matrix": outcome.matrix,
        "gaps": outcome.gaps,
        "facets": outcome.facets,
        "decision": report.decision,
        "components": COMPONENTS,
        "practices": {one.id: one.prose for one in report.catalogue.practices()},
    }
