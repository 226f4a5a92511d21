"""Plain text: licences, policies, requirement and lock files."""

from audit.facts.data import decode
from audit.facts.model import TextFacts

MAX_LINES = 2_000


def extract(content: bytes) -> TextFacts:
    """Return the lines of a plain text file, ends stripped, at most `MAX_LINES`.

    Raises:
        ValueError: not UTF-8, or NUL bytes.
    """
    words = decode(content)
    return TextFacts(
        tuple(row.rstrip()[:300] for row in words.splitlines()[:MAX_LINES]), len(words.split())
    )
