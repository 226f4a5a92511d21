"""What somebody may have meant."""

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(key: str, known: Iterable[str]) -> str:
    """Say which known key is meant, or which there are."""
    known = list(known)
    if near := get_close_matches(key, known, 1):
        return f"did you mean {near[0]!r}?"
    return f"there are {', '.join(known)}" if known else "there is none"
