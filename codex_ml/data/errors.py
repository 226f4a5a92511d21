"""What can be wrong with data."""

from codex_ml.errors import CodexError


class DataError(CodexError):
    """Data that cannot be used; says which file, where, and what to do."""
