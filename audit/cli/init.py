"""``codex-audit init``: configuration, CI workflow and hook for a repository."""

from pathlib import Path
from typing import Any

import click

from audit import init
from audit.cli import common


@click.command()
@common.path_argument
@click.option(
    "--jobs", type=click.IntRange(1), default=2, show_default=True, help="Processes for reading."
)
@click.option("--no-cache", is_flag=True, help="Neither use nor fill the cache.")
def command(path: Path, **options: Any) -> None:
    """Write what the gate needs into the repository at PATH, and keep what is there.

    A commented configuration with the bars that hold today, a workflow and a pre-commit
    hook. Files that exist are added to, never changed; a second run writes nothing.
    """
    cache = common.store(options)
    defaults = {"rev": None, "config": None, "trust": False}
    asked = common.request(path, options | defaults, cache, fast=True)
    steps = init.plan(path, common.outcome(asked, cache).matrix)
    init.write(path, steps)
    for one in steps:
        click.echo(f"{'kept ' if one.kept else 'wrote'} {one.name}: {one.says}")
