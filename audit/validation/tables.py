"""Markdown tables with a command column and an expectation column → contracts."""

import re
from collections.abc import Iterator, Sequence

from markdown_it.token import Token

from audit.validation.model import Contract

COMMAND = "command"
EXPECTED = frozenset(("expected", "expectation"))

_PIPE = re.compile(r"(?<!\\)\|")
_SPAN = re.compile(r"(`+)(?!`)(.+?)(?<!`)\1")


def contracts(file: str, lines: Sequence[str], tokens: Sequence[Token]) -> Iterator[Contract]:
    """Yield the rows of every matrix of a document.

    A row that has too many or too few cells, and a matrix that Markdown does not see
    as a table (its delimiter row is wrong), come with a problem.
    """
    for token in tokens:
        if token.map is None:
            continue
        start, end = token.map
        if token.type == "table_open" and is_matrix(header := cells(lines[start])):
            for number in range(start + 2, end):
                yield _row(file, number + 1, header, cells(lines[number]))
        elif token.type == "paragraph_open":
            for number in range(start, end):
                if is_matrix(header := cells(lines[number])):
                    says = f"no table: the line below the header must be {'|---' * len(header)}|"
                    yield Contract(file, number + 1, _id(number + 1), "", "", problem=says)


def cells(line: str) -> list[str]:
    r"""Return the cells of a table's line; ``\|`` is a pipe."""
    inner = line.strip().lstrip("> \t").removeprefix("|")
    parts = _PIPE.split(inner)
    if len(parts) > 1 and not parts[-1].strip():
        parts.pop()
    return [part.strip().replace("\\|", "|") for part in parts]


def is_matrix(header: Sequence[str]) -> bool:
    """Say whether a header has a column of commands and one of expectations."""
    names = {name.casefold() for name in header}
    return COMMAND in names and not names.isdisjoint(EXPECTED)


def _row(file: str, line: int, header: Sequence[str], row: Sequence[str]) -> Contract:
    names = ["expected" if one.casefold() in EXPECTED else one.casefold() for one in header]
    found = dict(zip(names, row, strict=False))
    identity = found.get("id", "").strip("`*") or _id(line)
    written = found.get(COMMAND, "")
    command, problem = _command(written)
    if len(row) != len(header):
        problem = (
            f"the row has {len(row)} cells, the header {len(header)} (write | in a cell as \\|)"
        )
    elif not found["expected"]:
        problem = problem or "the expectation is empty"
    return Contract(
        file, line, identity, command, found.get("expected", ""), problem=problem
    )  # fmt: skip


def _command(cell: str) -> tuple[str, str]:
    """Return a cell's command and what is wrong with it."""
    if not cell:
        return "", "the command is empty"
    span = _SPAN.fullmatch(cell)
    if span is not None and span[1] not in re.findall("`+", span[2]):
        return span[2].strip(), ""
    if "`" in cell:
        return cell, "the command's cell must hold one command in backticks and nothing else"
    return cell, ""


def _id(line: int) -> str:
    return f"line {line}"
