"""What can go wrong between text and token ids."""

from codex_ml.errors import CodexError


class TokenizationError(CodexError):
    """A tokenizer, a corpus or a text that cannot be used; says which and what to do."""
