"""Plain text: licences, policies, requirement and lock files."""

from audit.facts.model import TextFacts

MAX_LINES = 2_000


def decode(content: bytes) -> str:
    """Return a blob as text; a byte order mark is dropped.

    Raises:
        ValueError: the bytes are not UTF-8, or hold NUL bytes.
    """
    if b"\0" in content:
        raise ValueError("holds NUL bytes")
    return content.decode("utf-8-sig")


def extract(content: bytes) -> TextFacts:
    """Return the lines of a plain text file, ends stripped, at most `MAX_LINES`.

    Raises:
        ValueError: not UTF-8, or NUL bytes.
    """
    words = decode(content)
    return TextFacts(
        tuple(row.rstrip()[:300] for row in words.splitlines()[:MAX_LINES]), len(words.split())
    )
