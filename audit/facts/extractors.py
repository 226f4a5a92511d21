"""Blob → facts: one function per kind of file."""

from collections.abc import Callable
from typing import Final

from audit.facts import data, prose, python, restructured, script, text
from audit.facts.model import Facts, FileKind

# What a parser raises when it does not accept its input; anything else is a defect.
REFUSALS: Final = (SyntaxError, ValueError, RecursionError, MemoryError)

_EXTRACTORS: Final[dict[FileKind, Callable[[bytes], Facts]]] = {
    "python": python.extract,
    "markdown": prose.markdown,
    "rst": restructured.restructured,
    "toml": data.toml,
    "yaml": data.yaml,
    "json": data.json,
    "ini": data.ini,
    "shell": script.shell,
    "make": script.make,
    "docker": script.docker,
    "text": text.extract,
}


def extract(kind: FileKind, content: bytes) -> Facts:
    """Return the facts of a blob.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: the content is
            not what its kind promises, or is nested beyond reason.
    """
    return _EXTRACTORS[kind](content)
