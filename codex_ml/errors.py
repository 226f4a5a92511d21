"""What the runtime tells its user when it cannot go on."""

from enum import IntEnum


class ExitCode(IntEnum):
    """What a command's exit status means."""

    OK = 0
    """Everything holds."""
    FAILED = 1
    """A check, comparison or validation does not hold."""
    USAGE = 2
    """The command line, the configuration or an input is wrong."""
    INTERNAL = 3
    """A defect of this program."""
    INTERRUPTED = 130
    """Stopped by SIGINT or SIGTERM; what was finished is saved."""


class CodexError(Exception):
    """Bad input: one line that says what is wrong, where, and what to do.

    Base class of every error that a command reports without a traceback; the
    command then exits with `exit_code`.
    """

    exit_code = ExitCode.USAGE
