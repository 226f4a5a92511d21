"""The ``codex-ml`` command: each subcommand is a module of this package.

A subcommand's module is imported only when that subcommand runs, so the
command starts fast whatever the others need. Each also runs by itself, as
``python -m codex_ml.cli.<name>``; so that this costs nothing either, this
module imports nothing, click included, before it is used.
"""

from __future__ import annotations

import errno
import os
import sys

from codex_ml.errors import CodexError, ExitCode
from codex_ml.extras import cure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import click

# command -> (module under codex_ml.cli that defines `command`, short help)
COMMANDS: dict[str, tuple[str, str]] = {
    "checkpoint": ("checkpoint", "Look at, verify, compare, tidy up and convert checkpoints."),
    "evaluate": ("evaluate", "Measure a model on a dataset, and compare with a baseline."),
    "plugins": ("plugins", "List, check and describe what can be plugged in."),
    "train": ("train", "Train, resume, prove that resuming is exact."),
    "tokenize": ("tokenize", "Train tokenizers, encode, decode, look inside."),
}


FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""A device, quota or limit is used up: no defect of this program."""


def guard(action: Callable[[], object]) -> int:
    """Run a command's body and return its exit code: the one error boundary.

    Bad input (`CodexError`) becomes one line on stderr, an interruption exits
    with 130, a reader that went away ends the command quietly, a full disk is one line, a library
    that is not installed names the extra to install, and only a defect of this
    program shows a traceback.
    """
    try:
        result = action()
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        _drop_stdout()
        return ExitCode.OK
    except CodexError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except Exception as error:  # noqa: BLE001  (the boundary itself)
        if reason := _outside(error):
            print(f"error: {reason}", file=sys.stderr)
            return ExitCode.USAGE
        sys.excepthook(*sys.exc_info())
        return ExitCode.INTERNAL
    return result if isinstance(result, int) else ExitCode.OK


def _outside(error: Exception) -> str:
    """Say what is amiss with the machine, not with this program; nothing if neither is known."""
    if isinstance(error, OSError) and error.errno in FULL:
        if error.filename is None:
            _drop_stdout()
        return f"{error.filename or 'output'}: {error.strerror}"
    return cure(error)


def _drop_stdout() -> None:
    """Let what is still buffered go nowhere: the interpreter writes it again when it exits."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def run(command: click.Command, argv: Sequence[str] | None = None, prog: str | None = None) -> int:
    """Run a click command inside `guard` and return its exit code."""
    import click

    def invoke() -> object:
        try:
            return command.main(args=argv, prog_name=prog, standalone_mode=False)
        except click.exceptions.Exit as stop:
            return stop.exit_code
        except click.Abort:
            raise KeyboardInterrupt from None
        except click.ClickException as error:
            error.show()
            return ExitCode.USAGE

    return guard(invoke)


def let_idle_threads_sleep() -> None:
    """Prepare a command that computes, before torch is imported: OpenMP's threads do not spin.

    By default they busy-wait for each other; on a machine that does other work too, a small
    model then trains ten times slower (260 tokens/s instead of 3,000). A value of the user's stays.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of the ``codex-ml`` console command."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:2] == ["plugins", "list"]:  # promised to be faster than click starts
        from codex_ml.cli import list_plugins

        return list_plugins.main(arguments[2:], prog="codex-ml plugins list")
    from codex_ml.cli.app import cli

    return run(cli, arguments, prog="codex-ml")
