"""Blob → facts: one function per kind of file."""

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Final, TypeAlias

from audit.facts.model import Facts, FileKind

# What a parser raises when it does not accept its input; anything else is a defect.
REFUSALS: Final = (SyntaxError, ValueError, RecursionError, MemoryError)

Extractor: TypeAlias = Callable[[bytes], Facts]

_EXTRACTORS: Final[dict[FileKind, str]] = {
    "python": "python.extract",
    "markdown": "prose.markdown",
    "rst": "restructured.restructured",
    "toml": "data.toml",
    "yaml": "data.yaml",
    "json": "data.json",
    "jsonc": "data.jsonc",
    "ini": "data.ini",
    "shell": "script.shell",
    "make": "script.make",
    "docker": "script.docker",
    "text": "text.extract",
    "jenkins": "script.jenkins",
    "just": "script.just",
}


@cache
def extractor(kind: FileKind) -> Extractor:
    """Return the extractor of a kind; a parser is loaded only where a file needs it."""
    module, _, name = _EXTRACTORS[kind].partition(".")
    found: Extractor = getattr(import_module(f"audit.facts.{module}"), name)
    return found


def extract(kind: FileKind, content: bytes) -> Facts:
    """Return the facts of a blob.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: the content is
            not what its kind promises, or is nested beyond reason.
    """
    return extractor(kind)(content)
