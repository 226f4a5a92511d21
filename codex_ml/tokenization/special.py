"""Special tokens: which lists of them make sense."""

from collections import Counter
from collections.abc import Sequence

from codex_ml.tokenization.errors import TokenizationError


def check_special(tokens: Sequence[str]) -> None:
    """Refuse empty and repeated special tokens."""
    if "" in tokens:
        raise TokenizationError("a special token is empty: give it a text such as <|end|>")
    if repeated := [token for token, count in Counter(tokens).items() if count > 1]:
        raise TokenizationError(f"special token {repeated[0]!r} is given twice")
