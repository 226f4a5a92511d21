"""Write the page that shows this repository's own capability matrix.

Usage: python tools/capability_matrix.py [--check]

Writes docs/reference/capability-matrix.md. With --check nothing is written: exit code 1
if the page is not what the audit finds. The page plays the role `generated`, so that what
it names is no documentation of it; and it holds no line numbers, so that it changes when a
capability does.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from pages.markup import code, page, table

from audit.model import COMPONENTS, CapabilityResult, Matrix, PracticeResult
from audit.run.engine import audit
from audit.run.request import Options, build
from audit.store import NoStore

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/reference/capability-matrix.md"


def content(matrix: Matrix) -> str:
    """Return the page."""
    return page(
        "Capability matrix of this repository",
        "What `codex-audit` finds in its own repository, practice by practice. "
        "`make reference` writes this page, `make docs` builds with no other. How to read the figures: "
        "[scoring](../explanation/scoring.md); what a rung is: [evidence](../explanation/evidence.md).",
        f"Mean **{matrix.mean:.2f}**, minimum **{matrix.minimum:.2f}**, profile {matrix.profile}.",
        table(
            ("capability", "score", *COMPONENTS, "practices present"),
            map(_row, matrix.capabilities),
        ),
        *(part for one in matrix.capabilities for part in _details(one)),
    )


def _row(one: CapabilityResult) -> tuple[str, ...]:
    values = [f"{getattr(one.components, name):.2f}" for name in COMPONENTS]
    asked = [row for row in one.practices if row.status != "not_applicable"]
    present = sum(row.status == "present" for row in asked)
    return (f"[{one.id}](#{one.id})", f"{one.score:.2f}", *values, f"{present} of {len(asked)}")


def _details(one: CapabilityResult) -> Iterator[str]:
    yield f"## {one.id}"
    rows = [
        (
            f"[{row.id}](../practices/{row.id}.md)",
            row.status.replace("_", " "),
            row.rung,
            _where(row),
        )
        for row in one.practices
    ]
    yield table(("practice", "status", "rung", "where"), rows)


def _where(row: PracticeResult) -> str:
    if row.status != "present":
        return row.looked_for if row.status == "not_applicable" else ""
    first, *more = dict.fromkeys(one.path for one in row.evidence)
    return code(first) + (f" and {len(more)} more" if more else "")


def main() -> int:
    """Write or check."""
    store = NoStore()
    new = content(audit(build(Options(ROOT), store), store).matrix)
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == new:
        return 0
    if "--check" not in sys.argv:
        PAGE.write_text(new, encoding="utf-8")
    print(f"{PAGE.relative_to(ROOT)}: changed: run make reference")
    return int("--check" in sys.argv)


if __name__ == "__main__":
    sys.exit(main())
