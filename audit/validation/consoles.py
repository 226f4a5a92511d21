"""Fenced ``console`` blocks → contracts: what follows ``$`` is run, the rest is its output."""

import re
from collections.abc import Iterator, Sequence

import msgspec
from markdown_it.token import Token

from audit.validation.model import Contract

PROMPT = "$ "
STATUS = "echo $?"

_HEREDOC = re.compile(r"<<-?\s*(['\"]?)(\w+)\1")


def contracts(file: str, tokens: Sequence[Token]) -> Iterator[Contract]:
    """Yield the commands of every console block of a document, in order."""
    for token in tokens:
        if token.type == "fence" and token.map and token.info.split()[:1] == ["console"]:
            found = list(_commands(file, token.map[0] + 2, token.content.splitlines()))
            yield from _shown_status(found)


def _commands(file: str, first: int, lines: Sequence[str]) -> Iterator[Contract]:
    """Cut a block into commands and their output; `first` is its first line's number."""
    place = 0
    if lines and not lines[0].startswith(PROMPT):
        says = f"the block must begin with {PROMPT!r} and a command"
        yield Contract(file, first, f"line {first}", lines[0], "", console=True, problem=says)
        return
    while place < len(lines):
        start = place
        place = _end_of_command(lines, place)
        words = [lines[start].removeprefix(PROMPT)]
        words += [line.removeprefix("> ") for line in lines[start + 1 : place]]
        output = place
        while place < len(lines) and not lines[place].startswith(PROMPT):
            place += 1
        number = first + start
        shown = "\n".join(lines[output:place]).strip("\n")
        yield Contract(file, number, f"line {number}", "\n".join(words), shown, console=True)


def _end_of_command(lines: Sequence[str], start: int) -> int:
    """Return where the command that begins at `start` is complete: ``\\`` and ``<<`` go on."""
    if (heredoc := _HEREDOC.search(lines[start])) is not None:
        for place in range(start + 1, len(lines)):
            if lines[place].removeprefix("> ").strip() == heredoc[2]:
                return place + 1
    place = start
    while lines[place].endswith("\\") and place + 1 < len(lines):
        place += 1
    return place + 1


def _shown_status(found: Sequence[Contract]) -> Iterator[Contract]:
    """Mark the commands whose exit code the next command shows."""
    for one, after in zip(found, (*found[1:], None), strict=True):
        shown = after is not None and after.command == STATUS
        yield msgspec.structs.replace(one, status_shown=shown)
