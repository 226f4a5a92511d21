"""``codex-audit gate``: the CI decision."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from audit import baseline, gate
from audit.cli import common
from audit.errors import ExitCode


@click.command()
@common.path_argument
@common.source_options
@click.option("--base", help="A revision, or a written capability_matrix.json, not to fall behind.")
@click.option("--strict-baseline", is_flag=True, help="Fail where the written matrix is slack.")
@click.option("--tighten", is_flag=True, help="Write the better matrix over a slack one.")
@click.option(
    "--date", "today", type=click.DateTime(["%Y-%m-%d"]),
    help="Decide as on this day: waivers end on theirs.  [default: today, UTC]",
)  # fmt: skip
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="Output."
)
def command(
    path: Path,
    base: str | None,
    strict_baseline: bool,
    tighten: bool,
    today: datetime | None,
    form: str,
    **options: Any,
) -> int:
    """Hold the repository at PATH to its own configuration, and to --base."""
    cache = common.store(options)
    asked = common.request(path, options, cache)
    found = common.outcome(asked, cache)
    day = (today or datetime.now(tz=UTC)).date()
    wanted = baseline.Wanted(day, base or "", strict_baseline, tighten)
    decision = baseline.decide(found, asked, wanted, cache, path)
    cache.close()
    if form == "json":
        click.echo(msgspec.json.format(msgspec.json.encode(decision), indent=2))
    else:
        click.echo(gate.text(decision), nl=False)
    return ExitCode.OK if decision.holds else ExitCode.FAILED
