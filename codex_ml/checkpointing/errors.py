"""What can go wrong with a checkpoint, each in one line that names the cure."""

from codex_ml.errors import CodexError, ExitCode


class CheckpointError(CodexError):
    """Base class of every checkpoint error."""


class CheckpointNotFoundError(CheckpointError):
    """No such checkpoint, component or tensor."""


class CheckpointExistsError(CheckpointError):
    """The step is already saved and nothing may be overwritten."""


class DamagedCheckpointError(CheckpointError):
    """Bytes on disk are not the bytes that were saved.

    `damage` names every damaged file or tensor.
    """

    exit_code = ExitCode.FAILED

    def __init__(self, message: str, damage: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.damage = damage


class MismatchError(CheckpointError):
    """The checkpoint belongs to another model, optimizer or number of ranks."""


class SchemaVersionError(CheckpointError):
    """The checkpoint was written by a version that this one cannot read."""


class UnsupportedStateError(CheckpointError):
    """A value that cannot come back exactly as it was; nothing was written."""


class StorageError(CheckpointError):
    """The file system refused: full, read-only, no permission, or gone."""


class CheckpointWarning(UserWarning):
    """Something was survived: a damaged checkpoint skipped, an upload postponed."""
