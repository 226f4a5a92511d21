"""``codex-audit verify``: does a written report still prove what it says?"""

from pathlib import Path

import click

from audit import report
from audit.errors import ExitCode
from audit.practices import registry


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), default=".")
def command(folder: Path) -> int:
    """Re-derive every hash of the report written to FOLDER and name what differs."""
    found = report.verify(folder, registry.Catalogue(registry.built_in()))
    for one in found:
        click.echo(one)
    if found:
        return ExitCode.FAILED
    click.echo(f"{folder / report.MANIFEST}: everything holds")
    return ExitCode.OK
