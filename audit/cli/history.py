"""``codex-audit history``: scores over commits."""

from pathlib import Path
from typing import Any

import click

from audit.cli import common
from audit.history import trend
from audit.history.scores import Span, history


@click.command()
@common.path_argument
@common.source_options
@click.option(
    "--last", type=click.IntRange(1), default=20, show_default=True, help="So many commits."
)
@click.option("--since", default="", metavar="REV", help="All commits from this one on instead.")
@click.option(
    "--format", "form", type=click.Choice(list(trend.FORMATS)), default="text", help="Output."
)
def command(path: Path, last: int, since: str, form: str, **options: Any) -> None:
    """Show the scores of the repository at PATH over its commits, and what changed them.

    Commits are audited from Git's object store, along the first parents, all under the
    configuration at PATH.
    """
    cache = common.store(options)
    asked = common.request(path, options, cache)
    with common.Progress() as progress:
        found = history(asked, Span(last, since), cache, progress)
    click.echo(trend.FORMATS[form](found, asked.templates), nl=False)
