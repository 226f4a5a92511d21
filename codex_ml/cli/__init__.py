"""The ``codex-ml`` command: each subcommand is a module of this package.

A subcommand's module is imported only when that subcommand runs, so the
command starts fast whatever the others need. Each also runs by itself, as
``python -m codex_ml.cli.<name>``.
"""

import sys
from collections.abc import Sequence
from importlib import import_module

import click

from codex_ml import __version__
from codex_ml.errors import CodexError, ExitCode

# command -> (module under codex_ml.cli that defines `command`, short help)
COMMANDS: dict[str, tuple[str, str]] = {
    "checkpoint": ("checkpoint", "Look at, verify, compare, tidy up and convert checkpoints."),
}


class LazyGroup(click.Group):
    """A click group that imports a subcommand's module when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the names of the subcommands."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import and return one subcommand."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"codex_ml.cli.{COMMANDS[cmd_name][0]}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the subcommands without importing them."""
        if rows := [(name, COMMANDS[name][1]) for name in self.list_commands(ctx)]:
            with formatter.section("Commands"):
                formatter.write_dl(rows)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="codex-ml")
def cli() -> None:
    """Checkpoints, training, tokenization, evaluation and plugins for PyTorch."""


def run(command: click.Command, argv: Sequence[str] | None = None, prog: str | None = None) -> int:
    """Run a click command and return its exit code.

    The one error boundary of the runtime: bad input (`CodexError`, click's
    usage errors) becomes one line on stderr; an interruption exits with 130.
    """
    try:
        result = command.main(args=argv, prog_name=prog, standalone_mode=False)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.Abort:
        click.echo("interrupted", err=True)
        return ExitCode.INTERRUPTED
    except click.ClickException as error:
        error.show()
        return ExitCode.USAGE
    except CodexError as error:
        click.echo(f"error: {error}", err=True)
        return error.exit_code
    return result if isinstance(result, int) else ExitCode.OK


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of the ``codex-ml`` console command."""
    return run(cli, sys.argv[1:] if argv is None else argv, prog="codex-ml")
