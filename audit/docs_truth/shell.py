"""Commands that pages show: in console blocks, in the steps of YAML blocks, in code spans."""

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from audit.docs_truth.pages import SHELLS, Page, language
from audit.facts.model import Fence
from audit.facts.script import shell_lines
from audit.practices.shell import Argv, argvs

_PROMPT: Final = re.compile(r"^\s*(?:\(\w[\w.-]*\)\s*)?(?:\$|%|>|❯|#)\s+(?=\S)")
_COMMENT: Final = re.compile(r"\s#\s.*$|\s#$")
_WORDS: Final = re.compile(r"<\w[^<>]*\s[^<>]*[\w.]>")
"""A placeholder of several words: ``<path of the model>``."""
UNNAMED: Final = frozenset({"", "text", "txt", "default", "none", "plaintext"})
_STEP: Final = re.compile(r"^(\s*-?\s*)(run|script|entry|command|args)\s*:\s*(.*)$")
_YAML: Final = frozenset({"yaml", "yml", "github-actions"})


class Line(msgspec.Struct, frozen=True):
    """A command line as a page shows it."""

    line: int
    text: str
    certain: bool = True
    """Written where only commands stand; else only what starts as a known program counts."""


def console(page: Page) -> Iterator[Line]:
    """Yield the command lines of the shell blocks of a page."""
    for fence in page.facts.fences:
        name = language(fence)
        if name in SHELLS or name in UNNAMED:
            yield from lines(fence, certain=name in SHELLS)


def lines(fence: Fence, *, certain: bool = True) -> Iterator[Line]:
    """Yield the command lines of a block; with prompts, only what follows one."""
    rows = fence.text.splitlines()
    prompted = any(re.match(r"^\s*(\(\w[\w.-]*\)\s*)?\$\s+\S", row) for row in rows)
    if not prompted:
        for one in shell_lines(fence.text, fence.line + 1):
            yield Line(one.line, _COMMENT.sub("", one.text), certain)
        return
    text: list[str] = []
    keep = False
    for row in rows:
        if re.match(r"^\s*(\(\w[\w.-]*\)\s*)?\$\s+\S", row):
            text.append(_PROMPT.sub("", row))
            keep = True
        elif keep and text and text[-1].rstrip().endswith("\\"):
            text.append(re.sub(r"^\s*>\s?", "", row))
        else:
            keep = False
            text.append("")
    for one in shell_lines("\n".join(text), fence.line + 1):
        yield Line(one.line, _COMMENT.sub("", one.text), True)


def steps(page: Page) -> Iterator[Line]:
    """Yield the commands inside the YAML blocks of a page: ``run:``, ``script:``, ``entry:``."""
    for fence in page.facts.fences:
        if language(fence) in _YAML:
            yield from _steps(fence)


def _steps(fence: Fence) -> Iterator[Line]:
    rows = fence.text.splitlines()
    indent = -1
    for number, row in enumerate(rows, fence.line + 1):
        depth = len(row) - len(row.lstrip())
        if indent >= 0 and row.strip() and depth <= indent:
            indent = -1
        if found := _STEP.match(row):
            value = found[3].strip()
            if value in ("|", ">", "|-", ">-", "|+", ""):
                indent = len(found[1].replace("-", " "))
            else:
                yield Line(number, _COMMENT.sub("", value.strip("\"'")))
        elif indent >= 0 and row.strip() and not row.lstrip().startswith("#"):
            yield Line(number, _COMMENT.sub("", row.strip().removeprefix("- ")))


def started(text: str) -> Iterator[Argv]:
    """Yield the programs that a command line starts, with their arguments."""
    yield from argvs(_WORDS.sub("PLACEHOLDER", text))
