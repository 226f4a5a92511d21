"""``codex-audit validate``: run the contracts that documents state."""

from pathlib import Path

import click

from audit.cli.common import Progress
from audit.errors import ExitCode
from audit.validation import execute, judge, parse, plan, report


@click.command()
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE..."
)
@click.option("--execute", "run", is_flag=True, help="Run the commands; else print the plan.")
@click.option("--sandbox", is_flag=True, help="Run each in a throw-away copy of the repository.")
@click.option(
    "--jobs", type=click.IntRange(1), default=1, show_default=True, help="Rows at a time."
)
@click.option(
    "--timeout",
    type=click.FloatRange(0, min_open=True),
    default=600.0,
    show_default=True,
    help="Seconds that a command may take.",
)
@click.option(
    "--format", "form", type=click.Choice(list(report.FORMATS)), default="text", help="Output."
)  # fmt: skip
def command(
    files: tuple[Path, ...], run: bool, sandbox: bool, jobs: int, timeout: float, form: str
) -> int:
    """Hold every contract that the Markdown FILEs state: tables and console blocks."""
    checks = plan.plan(one for file in dict.fromkeys(files) for one in parse.read(file))
    with Progress() as progress:
        settings = execute.Settings(timeout, jobs, sandbox)
        runs = execute.execute(checks, settings, progress) if run else {}
    found = report.report(judge.verdicts(checks, runs), executed=run, sandbox=sandbox)
    click.echo(report.FORMATS[form](found), nl=False)
    return ExitCode.FAILED if found.broken else ExitCode.OK
