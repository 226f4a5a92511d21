"""``codex-audit verify``: does a written report, or a build, still prove what it says?"""

from pathlib import Path

import click

from audit import distribution, report
from audit.errors import ExitCode
from audit.practices.catalogue import Catalogue, built_in


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), default=".")
def command(folder: Path) -> int:
    """Re-derive every hash of the report or build in FOLDER and name what differs."""
    if (folder / distribution.MANIFEST).is_file():
        manifest, found = distribution.MANIFEST, distribution.verify(folder)
    else:
        catalogue = Catalogue(built_in())
        manifest, found = report.MANIFEST, report.verify(folder, catalogue)
    for one in found:
        click.echo(one)
    if found:
        return ExitCode.FAILED
    click.echo(f"{folder / manifest}: everything holds")
    return ExitCode.OK
