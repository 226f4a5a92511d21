"""``codex-audit gate``: the CI decision."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from audit import gate
from audit.cli import common
from audit.compare import compare
from audit.errors import ExitCode


@click.command()
@common.path_argument
@common.source_options
@click.option("--base", help="A revision, or a written capability_matrix.json, not to fall behind.")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="Output."
)
def command(path: Path, base: str | None, form: str, **options: Any) -> int:
    """Hold the repository at PATH to its own configuration, and to --base."""
    cache = common.store(options)
    asked = common.request(path, options, cache)
    found = common.outcome(asked, cache)
    moved = None
    if base is not None:
        moved = compare(common.matrix(base, path, options, cache), found.matrix)
    cache.close()
    today = datetime.now(tz=UTC).date()
    decision = gate.decide(found.matrix, found.gaps, asked.config, today, moved)
    if form == "json":
        click.echo(msgspec.json.format(msgspec.json.encode(decision), indent=2))
    else:
        click.echo(gate.text(decision), nl=False)
    return ExitCode.OK if decision.holds else ExitCode.FAILED
