"""Documents → the contracts that they state."""

import re
from pathlib import Path

from markdown_it import MarkdownIt

from audit.errors import AuditError
from audit.files import read_bytes
from audit.validation import consoles, tables
from audit.validation.model import Contract


def read(path: Path) -> tuple[Contract, ...]:
    """Return the contracts of a Markdown file, in the order of its lines.

    Raises:
        AuditError: the file cannot be read, or states no contract.
    """
    try:
        text = re.sub(r"\r\n?", "\n", read_bytes(path).decode())
    except OSError as error:
        raise AuditError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise AuditError(f"{path}: byte {error.start} is not UTF-8") from None
    found = parse(str(path), text)
    if not found:
        raise AuditError(
            f"{path}: states no contract: write a table with the columns command and expected, "
            "or a console block"
        )
    return found


def parse(file: str, text: str) -> tuple[Contract, ...]:
    """Return the contracts of a Markdown text, in the order of its lines."""
    tokens = MarkdownIt("commonmark", {"maxNesting": 100}).enable("table").parse(text)
    # Markdown ends a line at \n, \r\n and \r only; str.splitlines knows more.
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    found = [*tables.contracts(file, lines, tokens), *consoles.contracts(file, tokens)]
    return tuple(sorted(found, key=lambda one: one.line))
