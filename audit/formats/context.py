"""What the templates of the Markdown and the HTML report can name."""

from audit.compare import blame
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
        "blame": blame,
        "components": COMPONENTS,
        "practices": {one.id: one.prose for one in report.catalogue.practices()},
    }
