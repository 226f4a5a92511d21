"""Shell scripts, Makefiles and Dockerfiles: the commands that they run."""

import re
from collections.abc import Iterator

from audit.facts.model import Command, ScriptFacts, Target
from audit.facts.text import decode

_TARGET = re.compile(r"^([A-Za-z0-9_./%$(){}-]+(?:\s+[A-Za-z0-9_./%$(){}-]+)*)\s*:(?![:=])")
_SHELL_STEP = re.compile(
    r"\b(?:sh|bat)\b[\s(]*(?:script:\s*)?(?P<quote>\"{3}|'{3}|[\"'])(?P<text>.*?)(?P=quote)",
    re.DOTALL,
)
"""A step of a Jenkins pipeline that runs shell lines: ``sh 'pytest'``."""
MAX_COMMAND = 2_000


def shell_lines(words: str, first: int = 1) -> Iterator[Command]:
    """Yield the logical lines of shell text: continuations joined, comments dropped.

    `first` is the line number of the text's first line.
    """
    pending, start = "", first
    for number, row in enumerate(words.splitlines(), first):
        bare = row.strip()
        if not pending:
            start = number
            if not bare or bare.startswith("#"):
                continue
        if bare.endswith("\\"):
            pending += bare[:-1].rstrip() + " "
            continue
        if logical := (pending + bare).strip():
            yield Command(start, logical[:MAX_COMMAND])
        pending = ""
    if pending.strip():
        yield Command(start, pending.strip()[:MAX_COMMAND])


def shell(content: bytes) -> ScriptFacts:
    """Return the commands of a shell script.

    Raises:
        ValueError: not UTF-8, or NUL bytes.
    """
    return ScriptFacts(tuple(shell_lines(decode(content))))


def make(content: bytes) -> ScriptFacts:
    """Return the recipe lines of a Makefile as commands, and its explicit targets.

    Raises:
        ValueError: not UTF-8, or NUL bytes.
    """
    commands: list[Command] = []
    targets: list[Target] = []
    for line in shell_lines("\n".join(_keep_tabs(decode(content)))):
        if line.text.startswith("\x01"):
            recipe = line.text.replace("\x01", "").lstrip("@-+ ")
            commands.append(Command(line.line, recipe))
        elif (found := _TARGET.match(line.text)) and not line.text.startswith("."):
            needs = line.text[found.end() :].partition(";")[0].replace("|", " ").split()
            targets += [Target(line.line, name, tuple(needs)) for name in found[1].split()]
    return ScriptFacts(tuple(commands), tuple(targets))


def _keep_tabs(words: str) -> Iterator[str]:
    """Mark recipe lines, whose leading tab is what makes them commands."""
    for row in words.splitlines():
        yield "\x01" + row[1:].lstrip() if row.startswith("\t") and row.strip() else row


def just(content: bytes) -> ScriptFacts:
    """Return the recipe lines of a justfile as commands, and its recipes as targets.

    Raises:
        ValueError: not UTF-8, or NUL bytes.
    """
    return make(re.sub(rb"(?m)^(?: {2,}|\t)(?=\S)", b"\t", content))


def jenkins(content: bytes) -> ScriptFacts:
    """Return the commands of the shell steps of a Jenkins pipeline.

    Raises:
        ValueError: not UTF-8, or NUL bytes.
    """
    words = decode(content)
    commands: list[Command] = []
    for found in _SHELL_STEP.finditer(words):
        commands += shell_lines(found["text"], words.count("\n", 0, found.start("text")) + 1)
    return ScriptFacts(tuple(commands))


def docker(content: bytes) -> ScriptFacts:
    """Return the instructions of a Dockerfile.

    Raises:
        ValueError: not UTF-8, or NUL bytes.
    """
    return ScriptFacts(tuple(shell_lines(decode(content))))
