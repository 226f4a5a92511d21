"""Which programs a shell command line starts."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, TypeAlias

Argv: TypeAlias = tuple[str, ...]

_TOKEN: Final = re.compile(
    r"""(?P<end>&&|\|\|?|;+|&(?!\d)|[()`]|\$\()"""
    r"""|(?P<word>(?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"|&;()`\\])+)"""
)
_EXPRESSION: Final = re.compile(r"\$\{\{.*?\}\}")
_VARIABLE: Final = re.compile(r"\$\((\w+)\)|\$\{(\w+)\}|\$(\w+)")
_PREFIX: Final = re.compile(r"\$(?:\(\w+\)|\{\w+\})/?(?=\w)")  # ${PREFIX}ruff, $(BIN)/ruff
_VALUE: Final = "\0"
"""Follows the name of a variable: what it stands for is not known."""
_REDIRECTION: Final = re.compile(r"\d?>{1,2}&?\s*\S*")
_SETTING: Final = re.compile(r"^\w+\+?=")
_COMMAND: Final = re.compile(r"^(\w*_)?(cmd|command)=", re.IGNORECASE)
"""Keeps in a variable what is started later."""
_KEYWORDS: Final = frozenset({"if", "then", "else", "elif", "do", "while", "!", "{", "}", "time"})
_PYTHON: Final = re.compile(r"^(python|py|pypy)[\d.]*$")
_LAUNCHERS: Final = frozenset(
    "uv uvx poetry pdm hatch pixi conda mamba micromamba rye pipx coverage torchrun accelerate "
    "deepspeed mpirun srun xvfb-run timeout env sudo exec nice docker podman singularity apptainer "
    "bash sh eval xargs npx retry pipenv command nohup unbuffer travis_wait mim".split()
)
_PREPARES: Final = frozenset("install add sync pip venv lock build pull push create update".split())


def _simple(text: str) -> Iterator[list[str]]:
    """Yield the words of each simple command of a command line."""
    text = _EXPRESSION.sub("EXPR", text)
    text = _PREFIX.sub("", text)
    text = _VARIABLE.sub(lambda found: (found[1] or found[2] or found[3]).lower() + _VALUE, text)
    text = _REDIRECTION.sub(" ", text)
    words: list[str] = []
    for found in _TOKEN.finditer(text):
        if found["end"]:
            yield words
            words = []
        elif found["word"][0] == "#":
            break  # a comment to the end of the line
        else:
            words.append(found["word"])
    yield words


def _unquoted(word: str) -> str:
    return word.replace('"', "").replace("'", "") if word[:1] not in "'\"" else word[1:-1]


@lru_cache(8192)
def argvs(text: str, depth: int = 2) -> tuple[Argv, ...]:
    """Return the programs that a command line starts, each with its arguments.

    Assignments and keywords are left out; launchers are taken off in every way that their
    options allow: ``uv run --extra test pytest -x`` yields ``pytest -x`` among others. A variable
    may be the program that it is named like, or a launcher: ``$(RUFF) check``, ``$(RUN) pytest``.
    """
    return tuple(_started(text, depth))


def _started(text: str, depth: int) -> Iterator[Argv]:
    for raw in _simple(text):
        words = [_unquoted(word) for word in raw]
        kept = ""
        while words and (words[0] in _KEYWORDS or _SETTING.match(words[0])):
            kept = words.pop(0)
        if not words and depth > 0 and (found := _COMMAND.match(kept)):
            yield from argvs(kept[found.end() :].replace(_VALUE, ""), depth - 1)
        unknown = bool(words) and words[0].endswith(_VALUE)
        yield from _launched(tuple(one.replace(_VALUE, "") for one in words), depth, unknown)


def _launched(words: Argv, depth: int, unknown: bool = False) -> Iterator[Argv]:
    if not words or not words[0]:
        return
    head = words[0].rpartition("/")[2]
    yield (head, *words[1:])
    if depth <= 0:
        return
    if _PYTHON.match(head):
        yield from _python(words[1:], depth)
    elif head in _LAUNCHERS or unknown:
        for place, word in enumerate(words[1:], 1):
            if word in _PREPARES:
                return
            if " " in word:
                yield from argvs(word, depth - 1)
            elif not word.startswith("-") and not _SETTING.match(word):
                yield from _launched(words[place:], depth if head in ("env", "sudo") else depth - 1)
            elif word == "-m" and len(words) > place + 1:
                yield (words[place + 1], *words[place + 2 :])


def _python(words: Argv, depth: int) -> Iterator[Argv]:
    """Take ``python -X opt -m module args`` or ``python script.py args`` off."""
    for place, word in enumerate(words):
        if word == "-m" and len(words) > place + 1:
            yield from _launched(words[place + 1 :], depth - 1)
            return
        if word == "-c":
            return
        if not word.startswith("-"):
            yield (word.rpartition("/")[2], *words[place + 1 :])
            return
