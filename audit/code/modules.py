"""Modules of a repository: their facts, their names, the numbers of their definitions.

A *node* is the global number of a definition: every module, class and function
of the repository has one.
"""

import re
from collections.abc import Sequence
from copy import copy
from typing import Final

from audit.facts.model import PythonFacts
from audit.model import Role

ORIGIN: Final = re.compile(r"(?!builtins\.|self\.|(True|False|None)$)[:.]*[A-Za-z_][\w.]*(\(\))?$")
_ENTRY: Final = re.compile(r": ([:.\w]+)(?=[,}])")


class Module:
    """A Python file: its facts, its dotted names and the numbers of its definitions."""

    __slots__ = (
        "by_name",
        "dotted",
        "facts",
        "first",
        "followed",
        "imports",
        "package",
        "path",
        "resolved",
        "role",
        "stars",
        "tables",
        "values",
    )

    def __init__(self, path: str, role: Role, facts: PythonFacts, dotted: str, first: int) -> None:
        self.path = path
        self.role = role
        self.facts = facts
        self.dotted = dotted
        self.first = first
        """Node of the module itself; definition `i` is node ``first + i``."""
        is_package = path.endswith("__init__.py")
        self.package = dotted if is_package else dotted.rpartition(".")[0]
        self.by_name = {
            one.name: place for place, one in reversed(list(enumerate(facts.definitions)))
        }
        self.imports = {one.name: one.target for one in facts.imports if one.scope == 0}
        self.values = {
            one.target[1:]: one.value
            for one in facts.assigns
            if one.scope == 0 and one.operator == "=" and ORIGIN.match(one.value)
        }
        """Module-level names that are made by a call or stand for another name."""
        self.tables = {
            one.target[1:]: tuple(_ENTRY.findall(one.value))
            for one in facts.assigns
            if one.scope == 0 and one.value[:2] == "{'" and one.target[:1] == ":"
        }
        """Module-level mappings from constant keys, with the names that are their values."""
        self.stars = tuple(one.target[:-1] for one in facts.imports if one.name == "*")
        self.resolved: dict[str, tuple[str, int]] = {}
        """What names stand for, as far as `Program.resolve` was asked."""
        self.followed: dict[tuple[str, int], tuple[tuple[str, int], ...]] = {}
        """What texts lead to, as far as `Program.follow` was asked, by depth."""

    def replaced(self, facts: PythonFacts) -> "Module":
        """Return the module with other facts and the same names."""
        found = copy(self)
        found.facts = facts
        return found

    def later(self, facts: PythonFacts) -> "Module | None":
        """Return the module as it is in another tree, None where a name of it, here or
        elsewhere, may stand for something else."""
        if facts is self.facts:
            return self
        found = Module(self.path, self.role, facts, self.dotted, self.first)
        if found._outline() != self._outline():
            return None
        found.resolved, found.followed = self.resolved, self.followed
        return found

    def _outline(self) -> tuple[object, ...]:
        """Return all of a module that `Program` looks at."""
        definitions = [
            (one.name, one.kind, one.parent, one.bases, one.decorators, one.returns)
            for one in self.facts.definitions
        ]
        return definitions, self.imports, self.values, self.tables, self.stars


def dotted_names(paths: Sequence[str]) -> dict[str, str]:
    """Return the dotted name under which each Python file is imported.

    A package's files are named from the top-most folder with an ``__init__.py``, those of its
    folders without one (PEP 420) too; other files from their own folder, which is on the path
    when they run.
    """
    folders = {
        path.rpartition("/")[0] for path in paths if path.rpartition("/")[2] == "__init__.py"
    }
    named: dict[str, str] = {}
    for path in paths:
        folder, _, name = path.rpartition("/")
        stem = name.removesuffix(".pyi").removesuffix(".py")
        parts = [] if stem == "__init__" else [stem]
        while folder and (folder in folders or _below(folder, folders)):
            folder, _, last = folder.rpartition("/")
            parts.insert(0, last)
        named[path] = ".".join(parts) or stem
    return named


def _below(folder: str, packages: set[str]) -> bool:
    """Tell whether a folder lies below a package."""
    while folder := folder.rpartition("/")[0]:
        if folder in packages:
            return True
    return False


def is_public(name: str) -> bool:
    """Tell whether no part of a dotted name is private; special methods are public."""
    if name[:1] != "_" and "._" not in name:
        return True
    return not any(part.startswith("_") and not part.endswith("__") for part in name.split("."))
