"""The libraries that detectors know, kept as data in ``libraries.toml``."""

import re
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

from audit.repository import Repository
from audit.sites import Site

_WORD: Final = re.compile(r"\w")
_NO_WORD: Final = re.compile(r"\W")


@cache
def _tables() -> dict[str, dict[str, str]]:
    content = Path(__file__).with_name("libraries.toml").read_text(encoding="utf-8")
    return tomllib.loads(content)


@cache
def named(topic: str) -> dict[str, str]:
    """Return the dotted names of a topic with what a report calls them, those of the classes
    that are derived from them too.

    Raises:
        KeyError: there is no such topic.
    """
    tables = _tables()
    found = dict(tables[topic])
    for derived, base in tables["derived"].items():
        for name, what in tables[topic].items():
            if name == base or name.startswith(f"{base}()"):
                found.setdefault(derived + name.removeprefix(base), what)
    return found


@cache
def _by_head(topic: str) -> dict[str, list[tuple[str, bool, str]]]:
    """Return the names of a topic by their first word, the longer before its beginnings: what
    a text starts with, whether any rest may follow, what reports call it."""
    found: dict[str, list[tuple[str, bool, str]]] = {}
    for name, what in sorted(named(topic).items(), reverse=True):
        start = name.removesuffix("*")
        found.setdefault(_head(start), []).append((start, start != name, what))
    return found


def library(topic: str, texts: Iterable[str]) -> str:
    """Return what the topic calls the first text that one of its names begins; else nothing."""
    known = _by_head(topic)
    for text in texts:
        for start, rest, what in known.get(_head(text), ()):
            if text.startswith(start) and (rest or not _WORD.match(text, len(start))):
                return what
    return ""


@lru_cache(1 << 14)
def _head(text: str) -> str:
    """Return the first word of a dotted name."""
    head = text.partition(".")[0]
    return head if head.isidentifier() else _NO_WORD.split(head, 1)[0]


def called(repo: Repository, topic: str) -> Iterator[tuple[Site, str]]:
    """Yield the calls of a topic's functions with what a report calls the library."""
    for name, called in named(topic).items():
        for site in repo.calls(name):
            yield site, called
