"""What can be wrong with a model."""

from codex_ml.errors import CodexError


class ModelError(CodexError):
    """A model that cannot be built or fed; says what and why."""
