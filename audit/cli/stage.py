"""``codex-audit stage``: one stage, from the artefacts of the stages before it."""

from pathlib import Path
from typing import Any

import click

from audit.cli import common
from audit.report import outputs, single


@click.command()
@click.argument("stage", type=click.Choice(list(single.STAGES), case_sensitive=False))
@common.path_argument
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="The folder of the artefacts: those before are read there, this one is written.",
)
@common.source_options
@common.coverage_option
def command(stage: str, path: Path, out: Path, **options: Any) -> None:
    """Run STAGE (S1 to S6) alone on the repository at PATH."""
    outputs.check(out, path)
    cache = common.store(options)
    asked = common.request(path, options, cache)
    for name in single.STAGES[stage.upper()](asked, cache, out):
        click.echo(f"wrote {out / name}", err=True)
