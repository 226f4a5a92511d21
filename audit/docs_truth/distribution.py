"""What the project's metadata declare: name, extras, scripts, entry-point groups."""

import re
from typing import Final

import msgspec

from audit.facts.model import Call, DataFacts, Key
from audit.facts.python.canon import WIDTH
from audit.practices import metadata, settings
from audit.repository import Repository

_TARGET: Final = re.compile(r"([\w.-]+)\s*=\s*([\w.]+)(?::([\w.]+))?")
_KEY: Final = re.compile(r"'([^']+)': ")


class Distribution(msgspec.Struct, frozen=True):
    """The metadata of the distribution that the repository builds."""

    name: str
    """Normalised (PEP 503); empty where none is declared."""
    names: frozenset[str]
    """The names of all distributions of the repository."""
    extras: frozenset[str] | None
    """None where they are computed."""
    scripts: tuple[tuple[str, str], ...]
    """Console command → ``module:object``."""
    groups: frozenset[str]
    """Entry-point groups that the project fills."""
    path: str
    """The file that declares it."""


class _Found:
    """What the files say, while they are read."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self.extras: set[str] = set()
        self.known = True
        self.scripts: dict[str, str] = {}
        self.groups: set[str] = set()

    def key(self, path: str, key: Key) -> None:
        """Read a key of pyproject.toml or setup.cfg."""
        if key.path in ("project.name", "tool.poetry.name", "metadata.name"):
            self.names.setdefault(normal(key.value), path)
        if "/" not in path and (found := _member(key.path, *_EXTRAS)):
            self.extras.add(normal(found))
        if key.path.startswith("project.dynamic") and key.value == "optional-dependencies":
            self.known = False
        if (found := _member(key.path, *_SCRIPTS)) and ":" in key.value:
            self.scripts[found] = key.value
        if found := _group(key.path):
            self.groups.add(found)
        if key.path == "options.entry_points.console_scripts":
            self.targets(key.value)

    def targets(self, text: str) -> None:
        """Read ``name = module:object`` lines."""
        self.scripts |= {one[0]: f"{one[1]}:{one[2]}" for one in _TARGET.findall(text) if one[2]}

    def setup(self, path: str, call: Call) -> None:
        """Read a call of setup()."""
        if (title := metadata.argument(call, "name")).startswith("'"):
            self.names.setdefault(normal(title[1:].partition("'")[0]), path)
        if text := metadata.argument(call, "extras_require"):
            self.extras |= {normal(one) for one in _KEY.findall(text)}
            whole = re.fullmatch(r"\{[^{}…]*\}", text) is not None and "**" not in text
            self.known = self.known and whole and len(text) < WIDTH
        points = metadata.argument(call, "entry_points")
        self.targets(points)
        self.groups |= set(_KEY.findall(points))


def distribution(repo: Repository) -> Distribution:
    """Read the project's ``pyproject.toml``, ``setup.cfg`` and ``setup.py``."""
    found = _Found()
    for file in settings.own(repo, "pyproject.toml", "setup.cfg"):
        for key in file.facts.keys if isinstance(file.facts, DataFacts) else ():
            found.key(file.path, key)
    for file, call in metadata.setups(repo):
        found.setup(file.path, call)
    own = next(iter(found.names), "")
    return Distribution(
        own, frozenset(found.names), frozenset(found.extras) if found.known and own else None,
        tuple(found.scripts.items()), frozenset(found.groups), found.names.get(own, ""),
    )  # fmt: skip


_EXTRAS: Final = ("project.optional-dependencies", "tool.poetry.extras", "options.extras_require")
_SCRIPTS: Final = ("project.scripts", "project.gui-scripts", "tool.poetry.scripts")


def normal(name: str) -> str:
    """Return the normalised name of a distribution or an extra (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name.strip()).lower()


def _member(path: str, *tables: str) -> str:
    """Return the first key below one of some tables."""
    for table in tables:
        if path.startswith(f"{table}."):
            return path[len(table) + 1 :].partition("[")[0]
    return ""


def _group(path: str) -> str:
    """Return the entry-point group that a key of the metadata fills."""
    for table in ("project.entry-points.", "tool.poetry.plugins.", "options.entry_points."):
        if path.startswith(table):
            return path[len(table) :]
    return ""
