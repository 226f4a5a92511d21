"""``codex-ml plugins``: list, check and describe what can be plugged in."""

import json
import sys
from dataclasses import asdict

import click

from codex_ml.cli import list_plugins, run
from codex_ml.errors import ExitCode
from codex_ml.plugins import listing, registry


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """List, check and describe plugins."""


@command.command("list", add_help_option=False, context_settings={"ignore_unknown_options": True})
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def list_(options: tuple[str, ...]) -> int:
    """Run `python -m codex_ml.cli.list_plugins`; see there for the options."""
    return list_plugins.main(options, prog="codex-ml plugins list")


@command.command()
@click.option("--group", metavar="G", help="Only this group.")
@click.option(
    "--timeout",
    type=list_plugins.seconds,
    default=10.0,
    show_default=True,
    help="Seconds one plugin may take.",
)
def check(group: str | None, timeout: float) -> int:
    """Import every plugin in a process of its own; exit 1 if one cannot be used or is noisy."""
    entries, problems = listing.collect(group)
    checks = listing.check_all(entries, timeout)
    click.echo(listing.text(entries, problems, checks))
    good = all(c.outcome == "ok" and not c.output for c in checks.values())
    usable = all(entry.state != "conflict" for entry in entries)
    return ExitCode.OK if good and usable and not problems else ExitCode.FAILED


@command.command()
@click.argument("group")
@click.argument("name")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def describe(group: str, name: str, form: str) -> None:
    """Import one plugin and show its signature and documentation."""
    found = registry.REGISTRY.describe(group, name)
    if form == "json":
        plain = asdict(found) | {"entry": found.entry._asdict()}
        click.echo(json.dumps(plain))
        return
    entry = found.entry
    click.echo(f"{entry.group}.{entry.name}{found.signature}")
    click.echo(f"  {entry.target}, from {entry.owner} {entry.version or ''}".rstrip())
    click.echo(f"\n{found.doc}" if found.doc else "\n(no documentation)")


if __name__ == "__main__":
    sys.exit(run(command))
