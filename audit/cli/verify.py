"""``codex-audit verify``: does a written report, or a build, still prove what it says?"""

from pathlib import Path
from typing import Any

import click

from audit import distribution, plugins, proof
from audit.cli import common
from audit.errors import ExitCode
from audit.formats import Report
from audit.report import outputs, verification


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), default=".")
@common.path_argument
@click.option(
    "--rerun", is_flag=True,
    help="Audit the repository at PATH again and compare every byte: the report's own revision, "
    "or the files as they lie there if it was made of uncommitted changes.",
)  # fmt: skip
@common.source_options
@common.coverage_option
def command(folder: Path, path: Path, rerun: bool, **options: Any) -> int:
    """Re-derive every hash of the report or build in FOLDER and name what differs."""
    if (folder / distribution.MANIFEST).is_file():
        manifest, found = distribution.MANIFEST, distribution.verify(folder)
    else:
        manifest, found = proof.MANIFEST, verification.verify(folder, plugins.catalogue())
        if rerun:
            found += _again(folder, path, options)
    for one in found:
        click.echo(one)
    if found:
        return ExitCode.FAILED
    click.echo(f"{folder / manifest}: everything holds")
    return ExitCode.OK


def _again(folder: Path, path: Path, options: dict[str, Any]) -> tuple[str, ...]:
    """Return what differs between a report and a new audit of its repository."""
    found = verification.read(folder)
    if not found.source.dirty:
        options["rev"] = options["rev"] or found.source.revision or None
    cache = common.store(options)
    asked = common.request(path, options, cache, fast=verification.fast(found))
    outcome = common.outcome(asked, cache)
    whole = Report(outcome, asked.catalogue, asked.templates)
    files = outputs.everything(whole, asked.config, verification.formats(found))
    return verification.compare(found, asked, files)
