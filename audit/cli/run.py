"""``codex-audit run``: audit a repository, print the matrix, write the reports."""

import time
from pathlib import Path
from typing import Any

import click

from audit import proof
from audit.cli import common, output
from audit.formats import Report
from audit.report import outputs


@click.command()
@common.path_argument
@common.source_options
@common.coverage_option
@click.option("--fast", is_flag=True, help="S1, S3, S4, S6 only: the same scores, no gaps.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write artefacts, reports and manifest below this folder; every --format without a "
    "FILE is written there, too.",
)
@output.output_options
def command(
    path: Path,
    fast: bool,
    out: Path | None,
    targets: tuple[output.Target, ...],
    step_summary: bool,
    **options: Any,
) -> None:
    """Audit the repository at PATH and print its capability matrix."""
    names = tuple(one.name for one in targets if one.path is None)
    if out is not None and len(names) > 1:  # then the folder has them, and stdout the matrix
        targets = (*(one for one in targets if one.path is not None), output.Target("text", None))
    output.check(targets, step_summary, path)
    if out is not None:
        outputs.check(out, path)
    cache = common.store(options)
    asked = common.request(path, options, cache, fast=fast)
    found = common.outcome(asked, cache)
    start = time.perf_counter()
    whole = Report(found, asked.catalogue, asked.templates)
    if out is not None:
        outputs.write(out, outputs.everything(whole, asked.config, names))
        _tell(found.timings, time.perf_counter() - start, out)
    output.emit(whole, targets, step_summary)


def _tell(timings: tuple[tuple[str, float], ...], rendering: float, out: Path) -> None:
    """Say on stderr which stages ran, how long they took and where the reports are."""
    for stage, seconds in (*timings, ("S6", rendering)):
        click.echo(f"{stage} {outputs.TITLES[stage]:<12} {seconds:6.2f} s", err=True)
    if not timings:
        click.echo("nothing changed: S1 to S5 come from the store", err=True)
    written = (outputs.ARTEFACTS, outputs.REPORTS, proof.MANIFEST)
    click.echo(f"wrote {', '.join(str(out / one) for one in written)}", err=True)
