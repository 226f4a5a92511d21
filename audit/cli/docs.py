"""``codex-audit docs``: does the documentation tell the truth about the repository?"""

from pathlib import Path
from typing import Any

import click
import msgspec

from audit.cli import common
from audit.docs_truth import engine, report
from audit.errors import ExitCode
from audit.run.world import open_world


@click.command()
@common.path_argument
@common.source_options
@click.option(
    "--execute", is_flag=True, help="Also run the examples and compare what they print (trust it)."
)
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="Output."
)
def command(path: Path, execute: bool, form: str, **options: Any) -> int:
    """Hold the documentation of the repository at PATH against the repository.

    Exit codes: 0 every claim that can be decided holds; 1 some do not; 2 usage error.
    """
    cache = common.store(options)
    asked = common.request(path, options, cache)
    world = open_world(asked.source, cache, path, asked.config.roles(), asked.processes)
    found = engine.check(world, execute=execute)
    if form == "json":
        click.echo(msgspec.json.format(msgspec.json.encode(found), indent=2))
    else:
        click.echo(report.text(found), nl=False)
    return ExitCode.FAILED if found.findings else ExitCode.OK
