"""A report as text."""

from audit.docs_truth.model import Report
from audit.visible import visible


def text(report: Report) -> str:
    """Return the findings, then what was checked, skipped and suppressed."""
    rows = [one.sentence() for one in report.findings]
    checked = sum(report.checked.values())
    skipped = sum(report.skipped.values())
    rows.append(
        f"{report.pages} pages: {checked} claims checked, {len(report.findings)} wrong, "
        f"{skipped} skipped, {report.suppressed} marked as examples"
    )
    for reason, count in sorted(report.skipped.items(), key=lambda row: (-row[1], row[0])):
        rows.append(f"  skipped {count}: {reason}")
    return visible("\n".join(rows), keep="\n") + "\n"
