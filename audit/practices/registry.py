"""How a practice is declared: a definition from the catalogue and a function that looks.

The function's docstring is the practice's page: it cannot exist without one.
"""

import inspect
import re
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from textwrap import dedent
from typing import Final, TypeAlias

import msgspec

from audit import practices as package
from audit.code.modules import Module
from audit.errors import ConfigError
from audit.facts.model import Key
from audit.model import PracticeRole
from audit.practices.catalogue import built_in
from audit.repository import Repository
from audit.sites import File, Site

SECTIONS: Final = ("Why", "Fix", "Good", "Bad", "Limits", "Drop-in")


class Place(msgspec.Struct, frozen=True):
    """Where a detector saw its practice; the engine adds symbol, rung and reach."""

    path: str
    line: int
    says: str
    node: int = -1
    """The definition that holds it, -1 for what is no Python code."""
    symbol: str = ""
    """For what is no code: the key, heading or command."""


Detector: TypeAlias = Callable[[Repository], Iterator[Place]]


class Prose(msgspec.Struct, frozen=True):
    """What a practice's page says, from the detector's docstring."""

    title: str
    what: str
    why: str
    fix: str
    good: str
    bad: str
    limits: str
    drop_in: str


class Practice(msgspec.Struct, frozen=True):
    """A yes/no question about a repository, with the function that answers it."""

    id: str
    capability: str
    role: PracticeRole
    present_if: str
    not_if: str
    detect: Detector
    code: bool = True
    """Decided on product code; false where the definition names other files."""
    looks_for: str = ""
    plugin: str = ""
    """The plugin that brings it; empty for a built-in one."""

    @property
    def prose(self) -> Prose:
        """The page, read from the detector's docstring."""
        return parse_prose(self.detect.__doc__ or "")


_DETECTORS: dict[str, tuple[Detector, str, bool]] = {}


def practice(name: str, *, looks_for: str, code: bool = True) -> Callable[[Detector], Detector]:
    """Declare the detector of a practice.

    `looks_for` says in one line what is searched, for the report of an absence;
    `code` is false where configuration, CI or docs files decide.
    """

    def register(detect: Detector) -> Detector:
        if name in _DETECTORS:
            other = _DETECTORS[name][0]
            raise ConfigError(
                f"practice {name!r} is declared by {other.__module__} and {detect.__module__}"
            )
        _DETECTORS[name] = (detect, looks_for, code)
        return detect

    return register


@cache
def parse_prose(docstring: str) -> Prose:
    """Read a detector's docstring: title, description, then sections.

    Raises:
        ValueError: the title or one of Why, Fix, Good, Bad is missing.
    """
    words = inspect.cleandoc(docstring)
    heads = "|".join(SECTIONS)
    parts = re.split(rf"^({heads}):[ \t]*\n?", words, flags=re.MULTILINE)
    title, _, what = parts[0].strip().partition("\n")
    found = dict(zip(parts[1::2], map(_dedent, parts[2::2]), strict=True))
    missing = [one for one in ("Why", "Fix", "Good", "Bad") if not found.get(one, "").strip()]
    if not title or missing:
        raise ValueError(f"no {', '.join(missing) or 'title'} in the docstring {title!r}")
    get = found.get
    return Prose(
        title.rstrip("."), what.strip(), get("Why", ""), get("Fix", ""), get("Good", ""),
        get("Bad", ""), get("Limits", ""), get("Drop-in", "").strip(),
    )  # fmt: skip


def _dedent(section: str) -> str:
    """Take the indentation from a section; cleandoc would not count its first line."""
    return dedent(section).strip("\n")


def modules() -> tuple[str, ...]:
    """Return the names of the modules in which practices may be declared."""
    return tuple(one.name for one in iter_modules(package.__path__))


@cache
def declared_in(module: str) -> tuple[Practice, ...]:
    """Return the practices of the catalogue whose detector a module declares."""
    name = import_module(f"audit.practices.{module}").__name__
    known = ((one, *_DETECTORS[one.id]) for one in built_in() if one.id in _DETECTORS)
    return tuple(
        Practice(
            one.id, one.capability, one.role, one.present_if, one.not_if, detect, code, looks_for
        )
        for one, detect, looks_for, code in known
        if detect.__module__ == name
    )  # fmt: skip


def declared() -> Iterator[Practice]:
    """Yield the practices of the catalogue that have a detector, in catalogue order."""
    found = {one.id: one for module in modules() for one in declared_in(module)}
    return (found[one.id] for one in built_in() if one.id in found)


@cache
def practices() -> tuple[Practice, ...]:
    """Return every practice with its detector, in catalogue order.

    Raises:
        ConfigError: a practice of the catalogue has no detector, or the reverse.
    """
    found = tuple(declared())
    if odd := {one.id for one in built_in()} ^ _DETECTORS.keys():
        raise ConfigError(f"catalogue and detectors differ in: {', '.join(sorted(odd))}")
    return found


# ------------------------------------------------------------- places, briefly
def at(site: Site, says: str) -> Place:
    """Return the place of a call; a decorator's is in what it decorates."""
    call = site.call
    scope = call.scope if call.decorates < 0 else call.decorates
    return Place(site.path, site.line, says, site.module.first + scope)


def in_code(module: Module, scope: int, line: int, says: str) -> Place:
    """Return a place in a Python definition."""
    return Place(module.path, line, says, module.first + scope)


def in_file(file: File, line: int, says: str, symbol: str = "") -> Place:
    """Return a place in a file that is no Python code."""
    return Place(file.path, line, says, -1, symbol or file.name)


def of_key(file: File, key: Key, says: str) -> Place:
    """Return the place of a configuration key."""
    return Place(file.path, key.line, says, -1, key.path)
