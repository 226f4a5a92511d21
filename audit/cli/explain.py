"""``codex-audit explain``: the arithmetic down to evidence lines."""

from pathlib import Path
from typing import Any

import click
import msgspec

from audit import explain
from audit.cli import common


@click.command()
@click.argument("name", metavar="CAPABILITY|PRACTICE")
@common.path_argument
@common.source_options
@common.coverage_option
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="Output."
)
def command(name: str, path: Path, form: str, **options: Any) -> None:
    """Explain a score: what was found where, why it is not higher, what to do next."""
    cache = common.store(options)
    asked = common.request(path, options, cache)
    found = explain.explain(common.outcome(asked, cache), asked.catalogue, name)
    if form == "json":
        click.echo(msgspec.json.format(msgspec.json.encode(found), indent=2))
    else:
        practices = {one.id: one for one in asked.catalogue.practices()}
        click.echo(explain.text(found, practices), nl=False)
