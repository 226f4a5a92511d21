"""The libraries that detectors know, kept as data in ``libraries.toml``."""

import re
import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path


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
def _pattern(topic: str) -> tuple[re.Pattern[str], tuple[str, ...]]:
    """Return a pattern with one group per name of the topic, longest names first, and what
    reports call them."""
    names = sorted(named(topic), reverse=True)
    whole = (
        re.escape(name[:-1]) if name[-1] == "*" else rf"{re.escape(name)}(?!\w)" for name in names
    )
    pattern = re.compile("|".join(f"({one})" for one in whole))
    return pattern, tuple(named(topic)[name] for name in names)


def library(topic: str, texts: Iterable[str]) -> str:
    """Return what the topic calls the first text that one of its names begins; else nothing."""
    pattern, called = _pattern(topic)
    for text in texts:
        found = pattern.match(text)
        if found is not None and found.lastindex is not None:
            return called[found.lastindex - 1]
    return ""
