"""``codex-audit practices``: the catalogue in the terminal."""

from pathlib import Path

import click
import msgspec

from audit.cli import common
from audit.config import nearest
from audit.errors import AuditError
from audit.practices import registry
from audit.run.request import judged
from audit.screen import wrap


@click.command()
@click.argument("practice", required=False)
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="Output."
)
@common.plugin_option
@click.option(
    "--config", type=click.Path(path_type=Path), help="Configuration file whose rules count."
)
def command(practice: str | None, form: str, config: Path | None) -> None:
    """List the practices, or show the page of PRACTICE.

    Those that the configuration of the current folder, or of --config, declares are among them.
    """
    known = {one.id: one for one in judged(Path(), config)[0].practices()}
    if practice is not None and practice not in known:
        hint = nearest(practice, frozenset(known))
        raise AuditError(
            f"unknown practice {practice!r}{hint or ': codex-audit practices lists them'}"
        )
    chosen = [known[practice]] if practice is not None else list(known.values())
    if form == "json":
        rows = [
            {k: v for k, v in msgspec.structs.asdict(one).items() if k != "detect"}
            for one in chosen
        ]
        click.echo(msgspec.json.format(msgspec.json.encode(rows), indent=2))
    elif practice is not None:
        click.echo(page(known[practice]), nl=False)
    else:
        for one in chosen:
            click.echo(f"{one.capability:<24} {one.id:<36} {one.prose.title}")


def page(one: registry.Practice) -> str:
    """Return a practice's page as lines of a terminal."""
    prose = one.prose
    sections = (
        ("What counts", one.present_if), ("What does not", one.not_if), ("", prose.what),
        ("Why", prose.why), ("How to fix", prose.fix), ("Good", prose.good), ("Bad", prose.bad),
        ("Limits", prose.limits), ("Drop-in", prose.drop_in),
    )  # fmt: skip
    lines = [f"{one.id}: {prose.title}", f"{one.capability}, {one.role}"]
    for title, words in sections:
        if words:
            lines += ["", *([title] if title else [])]
            lines += _code(words) if title in ("Good", "Bad") else _prose(words)
    return "\n".join(lines) + "\n"


def _code(words: str) -> list[str]:
    return [f"  {line}".rstrip() for line in words.splitlines()]


def _prose(words: str) -> list[str]:
    parts = [wrap(f"  {' '.join(part.split())}", 2) for part in words.split("\n\n")]
    return [row for part in parts for row in ("", *part)][1:]
