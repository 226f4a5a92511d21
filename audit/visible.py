"""Untrusted text made harmless for every reader: control characters become visible."""

import re
from typing import Final

_HIDDEN: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff\ufffe\uffff]"
)
"""C0 and C1 controls, line and paragraph separators, zero-width and bidirectional marks
(CVE-2021-42574), surrogates and what XML 1.0 forbids."""


def visible(text: str, keep: str = "") -> str:
    """Return a text with each character that a reader would not see written as an escape.

    Args:
        text: anything, lone surrogates included.
        keep: control characters to leave, such as a line end.
    """
    return _HIDDEN.sub(lambda found: found[0] if found[0] in keep else _escape(found[0]), text)


def _escape(character: str) -> str:
    number = ord(character)
    return f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}"
