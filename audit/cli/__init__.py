"""The ``codex-audit`` command: parses, calls, maps to exit codes; holds no logic.

A subcommand is a module of this package with a `command`; it is imported when it
is asked for, so that the command starts fast.
"""

import atexit
import gc
import os
import sys
from collections.abc import Sequence
from importlib import import_module

import click

from audit import __version__
from audit.errors import AuditError, ExitCode

COMMANDS = {
    "docs": "hold the documentation against the repository",
    "diff": "what moved between two revisions or matrices",
    "explain": "why a capability or practice scores what it does",
    "gate": "the CI decision",
    "init": "write configuration, CI workflow and hook",
    "history": "scores over commits, and what changed them",
    "practices": "the catalogue; one practice's page",
    "pyproject": "bring a pyproject.toml to its canonical form",
    "run": "audit a repository",
    "stage": "one stage, from the artefacts of those before it",
    "validate": "run the contracts that a document states",
    "verify": "re-derive the hashes of a written report",
}


class LazyGroup(click.Group):
    """A group that imports a subcommand's module when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the names of the subcommands."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import and return one subcommand."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"audit.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the subcommands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name]) for name in self.list_commands(ctx)])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="codex-audit")
def cli() -> None:
    """Know, with proof, what a machine-learning repository can really do.

    Exit codes: 0 holds, 1 a gate or validation does not hold, 2 usage or
    configuration error, 3 internal error, 130 interrupted.
    """


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: the one error boundary."""
    if argv is None:  # the process ends with it: nobody need look for cycles in what is left
        atexit.register(gc.freeze)
    try:
        result = cli.main(
            args=sys.argv[1:] if argv is None else argv,
            prog_name="codex-audit",
            standalone_mode=False,
        )
        sys.stdout.flush()
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("codex-audit: interrupted", err=True)
        return ExitCode.INTERRUPTED
    except click.ClickException as error:
        error.show()
        return ExitCode.USAGE
    except AuditError as error:
        click.echo(f"codex-audit: {error}", err=True)
        return ExitCode.USAGE
    except (BrokenPipeError, SystemExit):
        # The reader has gone (click answers that by leaving); Python would complain once
        # more when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.OK
    except Exception as error:
        if os.environ.get("CODEX_AUDIT_TRACEBACK"):
            raise
        click.echo(
            f"codex-audit: internal error: {type(error).__name__}: {error}: please report it "
            "(CODEX_AUDIT_TRACEBACK=1 shows where)",
            err=True,
        )
        return ExitCode.INTERNAL
    return result if isinstance(result, int) else ExitCode.OK
