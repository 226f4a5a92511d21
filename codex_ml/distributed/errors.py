"""What can go wrong between ranks."""

from codex_ml.errors import CodexError, ExitCode


class DistributedError(CodexError):
    """The environment asks for something that cannot be."""


class RankLostError(DistributedError):
    """Another rank died or failed first; the message names it.

    What was checkpointed is safe: start again to resume from it.
    """

    exit_code = ExitCode.INTERRUPTED
