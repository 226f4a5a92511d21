"""How the command ends, and the errors that it reports as one line."""

from enum import IntEnum


class ExitCode(IntEnum):
    """What the exit status of ``codex-audit`` means."""

    OK = 0
    """Everything that was asked holds."""
    FAILED = 1
    """A gate or a validation does not hold."""
    USAGE = 2
    """The command line, the configuration or an input is wrong."""
    INTERNAL = 3
    """A defect of this program."""
    INTERRUPTED = 130
    """Stopped by the user (SIGINT)."""


class AuditError(Exception):
    """Bad input: one line that says what is wrong, where, and what to do."""


class SourceError(AuditError):
    """The path or revision to audit cannot be read."""


class ConfigError(AuditError):
    """The configuration is wrong; the message names file, line and key."""
