"""What must hold of every canonical form, checked without the normaliser's own code."""

import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from typing import Any

import tomlkit
from packaging.requirements import Requirement

from audit.pyproject.canonical import canonical


def plain(path: tuple[str, ...], value: Any) -> Any:
    """Return data with what the documentation says may change written in one way."""
    if isinstance(value, dict):
        return {key: plain((*path, key), inner) for key, inner in value.items()}
    listed = path in {("build-system", "requires"), ("project", "dependencies")}
    grouped = path[:-1] in {("project", "optional-dependencies"), ("dependency-groups",)}
    if isinstance(value, list) and (listed or grouped):
        return Counter(Requirement(one) if isinstance(one, str) else repr(one) for one in value)
    if path == ("project", "license") and isinstance(value, str):
        return value.casefold().split()
    return repr(value)


_STRING_OR_COMMENT = re.compile(
    r"""\"{3}(?:[^\\]|\\.)*?\"{3,5}|"(?:[^"\\\n]|\\.)*"|'{3}.*?'{3,5}|'[^'\n]*'|\#[^\n]*""",
    re.DOTALL,
)


def comments(text: str) -> Counter[str]:
    """Return the comments of a document."""
    found = _STRING_OR_COMMENT.findall(text)
    return Counter(one.strip() for one in found if one.startswith("#"))


def faults(text: str, new: str) -> Iterator[str]:
    """Yield the properties that a canonical form does not have."""
    for parser in (tomllib.loads, lambda words: tomlkit.parse(words).unwrap()):
        if plain((), parser(text)) != plain((), parser(new)):
            yield "means something else"
    if comments(text) != comments(new):
        yield "comments differ"
    if text.count("\n") != new.count("\n"):
        yield "lines differ"
    if canonical(new) != new:
        yield "not idempotent"
