"""``codex-audit diff``: what moved between two revisions or written matrices."""

from pathlib import Path
from typing import Any

import click
import msgspec

from audit import compare
from audit.cli import common
from audit.history import sides


@click.command()
@click.argument("old")
@click.argument("new")
@common.path_argument
@common.source_options
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="Output."
)
def command(old: str, new: str, path: Path, form: str, **options: Any) -> None:
    """Compare OLD with NEW: revisions of the repository at PATH, or matrix files.

    Both are judged by the configuration at PATH; every change between two revisions is
    attributed to the commit and the files that made it.
    """
    cache = common.store(options)
    found = sides.difference(old, new, lambda: common.request(path, options, cache), cache)
    if form == "json":
        click.echo(msgspec.json.format(msgspec.json.encode(found), indent=2))
    else:
        click.echo(compare.text(found), nl=False)
