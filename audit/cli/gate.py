"""``codex-audit gate``: the CI decision."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from audit.cli import common, output
from audit.errors import ExitCode
from audit.formats import Report
from audit.gate import baseline


@click.command()
@common.path_argument
@common.source_options
@common.coverage_option
@click.option("--base", help="A revision, or a written capability_matrix.json, not to fall behind.")
@click.option("--strict-baseline", is_flag=True, help="Fail where the written matrix is slack.")
@click.option("--tighten", is_flag=True, help="Write the better matrix over a slack one.")
@click.option(
    "--date", "today", type=click.DateTime(["%Y-%m-%d"]),
    help="Decide as on this day: waivers end on theirs.  [default: today, UTC]",
)  # fmt: skip
@output.output_options
def command(
    path: Path,
    base: str | None,
    strict_baseline: bool,
    tighten: bool,
    today: datetime | None,
    targets: tuple[output.Target, ...],
    step_summary: bool,
    **options: Any,
) -> int:
    """Hold the repository at PATH to its own configuration, and to --base."""
    output.check(targets, step_summary, path)
    cache = common.store(options)
    asked = common.request(path, options, cache)
    found = common.outcome(asked, cache)
    day = (today or datetime.now(tz=UTC)).date()
    wanted = baseline.Wanted(day, base or "", strict_baseline, tighten)
    decision = baseline.decide(found, asked, wanted, cache, path)
    output.emit(Report(found, asked.catalogue, asked.templates, decision), targets, step_summary)
    return ExitCode.OK if decision.holds else ExitCode.FAILED
