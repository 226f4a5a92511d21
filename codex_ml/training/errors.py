"""What can go wrong in training."""

from codex_ml.errors import CodexError, ExitCode


class ConfigError(CodexError):
    """The configuration is wrong; says the key and the nearest one that exists."""


class TrainingError(CodexError):
    """Training cannot start or go on."""


class NonFiniteError(TrainingError):
    """The loss or the gradient is not finite; nothing of that step was applied."""

    exit_code = ExitCode.FAILED


class Interrupted(TrainingError):  # noqa: N818  # it is no error: what was finished is saved
    """Stopped by a signal after saving."""

    exit_code = ExitCode.INTERRUPTED
