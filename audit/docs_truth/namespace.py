"""What dotted names of the project stand for: modules, their names, members of classes.

A name is missing only where everything that its parent can hold is to be seen: no star
import from outside, no base class from outside, no ``__getattr__``, no lazy loader.
"""

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Final, TypeAlias

from audit.code.modules import Module, is_public
from audit.docs_truth.members import Members
from audit.docs_truth.model import HOLDS, Unknown, Verdict, Wrong, nearest
from audit.repository import Repository

DYNAMIC: Final = Unknown("names are made at run time")
OUTSIDE: Final = Unknown("the name leads out of the repository")
DEEPER: Final = Unknown("attribute of a value whose type is not known")
FOREIGN: Final = Unknown("not a name of this project")

_LAZY: Final = re.compile(
    r"LazyModule|lazy_loader|\battach(_stub)?$|sys\.meta_path\.|builtins\.globals\(\)\.update|deprecat\w*_module"
)
_RUN_TIME: Final = re.compile(r"^(sys\.modules\[|builtins\.globals\(\)\[)")
MADE_UP: Final = Unknown("a name that may be made up")
_PLACEHOLDER: Final = re.compile(
    r"^(my|your|new|some|custom|example|path_to)_\w+$|^(foo|bar|xxx|path)$|^My[A-Z]"
    r"|^(my(?!py|sql)|your)[a-z]\w+$"
)
Found: TypeAlias = Module | int | Verdict
"""A module, the node of a definition, or a verdict that ends the search."""


class Namespace:
    """The names of a repository's packages."""

    def __init__(self, repo: Repository) -> None:
        self.repo = repo
        self.program = repo.program
        self.modules: dict[str, Module] = {}
        for module in self.program.modules:
            if module.role in ("product", "example", "build", "test"):
                known = self.modules.get(module.dotted)
                if known is None or (known.role != "product" and module.role == "product"):
                    self.modules[module.dotted] = module
        self.members = Members(repo.program).of

    @cached_property
    def tops(self) -> frozenset[str]:
        """The packages that the project ships."""
        return frozenset(
            module.dotted
            for module in self.repo.product
            if module.path.endswith("__init__.py")
            and "." not in module.dotted
            and _is_shipped(module.path)
        )

    def look(self, dotted: str) -> Verdict:
        """Tell whether an absolute dotted name exists."""
        parts = dotted.split(".")
        if parts[0] not in self.tops:
            return FOREIGN
        found: Found = self.modules[parts[0]]
        for place, part in enumerate(parts[1:], 1):
            before = found
            found = self.member(before, part, ".".join(parts[:place]))
            if not isinstance(found, Module | int):
                return found
        return HOLDS

    def resolve(self, dotted: str) -> Found:
        """Return the module or definition of an absolute dotted name."""
        parts = dotted.split(".")
        if parts[0] not in self.tops:
            return FOREIGN
        found: Found = self.modules[parts[0]]
        for place, part in enumerate(parts[1:], 1):
            found = self.member(found, part, ".".join(parts[:place]))
            if not isinstance(found, Module | int):
                return found
        return found

    def member(self, owner: Found, name: str, said: str, depth: int = 8) -> Found:
        """Return what a name is inside a module or a class; `said` is what the owner is called."""
        if isinstance(owner, Module):
            found = self._in_module(owner, name, depth)
            if found is not None or _PLACEHOLDER.match(name):
                return found or MADE_UP
            return Wrong(
                f"{said} has no {name}", self._nearest(name, said, self._public_names(owner))
            )
        if not isinstance(owner, int):
            return owner
        one = self.program.definition(owner)
        if one.kind != "class":
            return DEEPER
        members = self.members(owner)
        if members is None:
            return DYNAMIC
        if name in members:
            node = self.program.method(owner, name)
            return node if node >= 0 else DEEPER if depth < 8 else _Value
        if name.startswith("__") and name.endswith("__"):
            return DEEPER
        public = [one for one in members if not one.startswith("_")]
        return Wrong(f"{said} has no {name}", self._nearest(name, said, public))

    # ----------------------------------------------------------------- modules
    def _in_module(self, module: Module, name: str, depth: int) -> Found | None:
        inner = self.modules.get(f"{module.dotted}.{name}")
        if (place := module.by_name.get(name)) is not None:
            return module.first + place
        if (target := module.imports.get(name)) is not None and depth > 0:
            return self._imported(module, target, depth - 1, inner)
        if inner is not None:
            return inner
        if name in self._assigned(module) or name in module.facts.exports:
            return _Value
        if "__getattr__" in module.by_name and any(
            name in one.keys for one in module.facts.records
        ):
            return _Value
        if (found := self._starred(module, name, depth)) is not None:
            return found
        if self.dynamic(module) or (name.startswith("__") and name.endswith("__")):
            return DYNAMIC
        return self._file(module, name)

    def _imported(self, module: Module, target: str, depth: int, inner: Module | None) -> Found:
        dotted = self._absolute(module, target)
        parts = dotted.split(".")
        if parts[0] not in self.tops:
            return inner or OUTSIDE
        found: Found = self.modules[parts[0]]
        for place, part in enumerate(parts[1:], 1):
            if isinstance(found, Module) and found is module and part in module.imports:
                # ``from . import name`` in a package: the submodule is meant.
                return self.modules.get(dotted) or DYNAMIC
            found = self.member(found, part, ".".join(parts[:place]), depth)
            if not isinstance(found, Module | int):
                break
        return DYNAMIC if isinstance(found, Wrong) else found

    @staticmethod
    def _absolute(module: Module, target: str) -> str:
        bare = target.lstrip(".")
        levels = len(target) - len(bare)
        if not levels:
            return target
        parts = module.package.split(".") if module.package else []
        return ".".join([*parts[: len(parts) - levels + 1], *([bare] if bare else [])])

    def _starred(self, module: Module, name: str, depth: int) -> Found | None:
        for star in module.stars:
            home = self.modules.get(self._absolute(module, star.rstrip(".") or star))
            if home is None:
                return OUTSIDE
            if depth > 0 and home is not module:
                found = self._in_module(home, name, depth - 1)
                if found is not None:
                    return found
        return None

    def _assigned(self, module: Module) -> frozenset[str]:
        return frozenset(
            re.split(r"[.\[]", one.target[1:])[0]
            for one in module.facts.assigns
            if one.target.startswith(":")
        )

    @staticmethod
    def dynamic(module: Module) -> bool:
        """Tell whether a module makes names at run time."""
        facts = module.facts
        return (
            ("__getattr__" in module.by_name and not _is_table(module))
            or any(_LAZY.search(name) for call in facts.calls for name in call.names)
            or any(_RUN_TIME.match(one.target) for one in facts.assigns)
        )

    def _file(self, module: Module, name: str) -> Found | None:
        """Look for a file that may be the submodule: compiled, or not to be read."""
        if not module.path.endswith("__init__.py"):
            return None
        inside = self._stems.get(module.path.rpartition("/")[0], ())
        return DYNAMIC if name in inside else None

    @cached_property
    def _stems(self) -> dict[str, set[str]]:
        """Folder → the names, without suffixes, of what it holds."""
        found: dict[str, set[str]] = {}
        for path in self.repo.files:
            while path:
                path, _, last = path.rpartition("/")
                found.setdefault(path, set()).add(last.partition(".")[0])
        return found

    def _public_names(self, module: Module) -> list[str]:
        names = {one for one in module.by_name if "." not in one and one}
        names |= set(module.imports) | self._assigned(module) | set(module.facts.exports)
        lead = f"{module.dotted}."
        names |= {one[len(lead) :] for one in self.modules if one.startswith(lead)}
        return [one for one in names if not one.startswith("_")]

    def derived_has(self, node: int, name: str) -> bool:
        """Tell whether a class that is derived from another, here or unseen, has a member."""
        symbol = self.program.symbol(node)
        return any(
            name in (self.members(inner) or (name,))
            for nodes in self.classes.values()
            for inner in nodes
            if inner != node and symbol in self.program.ancestry(inner)
        )

    # ----------------------------------------------------------------- nearest
    @cached_property
    def classes(self) -> dict[str, tuple[int, ...]]:
        """Public top-level classes of the product by name."""
        found: dict[str, list[int]] = {}
        for module in self.repo.product:
            for place, one in enumerate(module.facts.definitions):
                if one.kind == "class" and one.parent == 0 and is_public(one.name):
                    found.setdefault(one.name, []).append(module.first + place)
        return {name: tuple(nodes) for name, nodes in found.items()}

    @cached_property
    def _homes(self) -> dict[str, str]:
        """Last part of a public definition → its dotted name, nearest to the root."""
        found: dict[str, str] = {}
        for module in self.repo.product:
            for one in module.facts.definitions[1:]:
                if is_public(one.name) and is_public(module.dotted):
                    dotted = f"{module.dotted}.{one.name}"
                    last = one.name.rpartition(".")[2]
                    if last not in found or (len(dotted), dotted) < (len(found[last]), found[last]):
                        found[last] = dotted
        return found

    def _nearest(self, name: str, said: str, among: list[str]) -> str:
        if name in self._homes:
            return self._homes[name]
        close = nearest(name, among)
        return f"{said}.{close}" if close else ""

    def defined(self) -> Iterator[str]:
        """Yield the dotted names of the public definitions."""
        yield from self._homes.values()


def _is_table(module: Module) -> bool:
    """Tell whether ``__getattr__`` knows the names of a table, and refuses all others."""
    scope = module.by_name["__getattr__"]
    blocks = module.facts.blocks
    return bool(module.facts.exports and module.facts.records) and any(
        one.scope == scope
        and one.name == "builtins.AttributeError"
        and one.block >= 0
        and " not in " in blocks[one.block].text
        for one in module.facts.raises
    )


def _is_shipped(path: str) -> bool:
    """Tell whether a top-level package lies at the root or in a source folder: one that lies
    deeper may be named like another project's."""
    parent = path.rpartition("/")[0].rpartition("/")[0]
    return parent.rpartition("/")[2] in ("", "src", "lib", "python")


_Value: Final = DEEPER
