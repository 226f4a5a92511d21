"""The reference of both commands, from their click and argparse trees."""

import argparse
import re
from collections.abc import Iterator

import click

from audit.cli import COMMANDS as AUDIT_COMMANDS
from audit.cli import cli as audit_cli
from codex_ml.cli import COMMANDS as RUNTIME_COMMANDS
from codex_ml.cli import list_plugins
from codex_ml.cli.app import cli as runtime_cli
from pages.markup import code, page, prose, table


def pages() -> Iterator[tuple[str, str]]:
    """Yield the pages."""
    runtime = {name: words for name, (_, words) in RUNTIME_COMMANDS.items()}
    yield (
        "reference/codex-audit.md",
        reference(audit_cli, "codex-audit", "The same as `python -m audit`.", AUDIT_COMMANDS),
    )
    yield "reference/codex-ml.md", reference(
        runtime_cli, "codex-ml",
        "The same as `python -m codex_ml`; each command is `python -m codex_ml.cli.<command>`, too, "
        "and `codex-ml plugins list` is `python -m codex_ml.cli.list_plugins`.",
        runtime,
    )  # fmt: skip


def reference(group: click.Group, name: str, same: str, listed: dict[str, str]) -> str:
    """Return the reference of a command with all its subcommands."""
    context = click.Context(group, info_name=name)
    rows = [(f"[`{name} {one}`](#{one})", listed[one]) for one in sorted(listed)]
    parts = [same + " Exit codes: [their table](exit-codes.md).", table(("command", "does"), rows)]
    for one in sorted(listed):
        found = group.get_command(context, one)
        assert found is not None
        parts += _command(found, context, f"{name} {one}", 2)
    return page(name, *parts)


def _command(command: click.Command, parent: click.Context, path: str, level: int) -> Iterator[str]:
    name = path.rpartition(" ")[2]
    inner = click.Context(command, info_name=name, parent=parent)
    yield f"{'#' * level} {path.split(' ', 1)[1] if level > 2 else name}"
    if path == "codex-ml plugins list":
        yield from _listing()
        return
    yield f"```text\n{path} {' '.join(command.collect_usage_pieces(inner))}\n```"
    yield prose(command.help or "")
    rows = [row for one in command.params if (row := one.get_help_record(inner))]
    if named := [(code(option), words) for option, words in rows if words]:
        yield table(("option", "meaning"), named)
    if isinstance(command, click.Group):
        for one in command.list_commands(inner):
            found = command.get_command(inner, one)
            assert found is not None
            yield from _command(found, inner, f"{path} {one}", level + 1)


def _listing() -> Iterator[str]:
    """The one command that argparse reads, because it promises to be faster than click starts."""
    parser = list_plugins.parser("codex-ml plugins list")
    usage = re.sub(r"\s+", " ", parser.format_usage().removeprefix("usage: ")).strip()
    yield f"```text\n{usage}\n```"
    yield parser.description or ""
    yield table(("option", "meaning"), [_option(one) for one in parser._actions])  # noqa: SLF001 (argparse has no other way)


def _option(one: argparse.Action) -> tuple[str, str]:
    values = (
        f" {'|'.join(one.choices)}" if one.choices else f" {one.metavar}" if one.metavar else ""
    )
    return code(", ".join(one.option_strings) + values), one.help or f"{one.default} by default"
