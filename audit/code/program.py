"""What a name in a module of a repository stands for."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from copy import copy
from typing import Final

from audit.code.modules import ORIGIN, Module, dotted_names
from audit.facts.model import Definition, PythonFacts
from audit.model import Role

_HEAD: Final = re.compile(r"([:.]*)([\w.]*)")
_TOP: Final = re.compile(r"\W")
_RELATIVE: Final = (":", ".")
_CALL_OR_ITEM: Final = re.compile(r"[(\[]")
_STEP: Final = re.compile(r"\(\)|\[[^\]]*\]|\.\w+")
_DEPTH: Final = 8  # re-exports and returns that are followed
_CALLED: Final = ("forward", "__call__")  # what calling an instance runs


class _Foreign(dict[str, bool]):
    """Whether names stand for nothing of a repository, as most do: libraries, parameters."""

    def __init__(self, tops: Set[str]) -> None:
        self._tops = tops

    def __missing__(self, name: str) -> bool:
        head = name.partition(".")[0]
        if not head.isidentifier():
            head = _TOP.split(head, 1)[0]
        self[name] = found = name[:1] not in _RELATIVE and head not in self._tops
        return found


class Program:
    """All Python modules of a repository, with names resolved across them."""

    def __init__(self, files: Iterable[tuple[str, Role, PythonFacts]]) -> None:
        rows = list(files)
        paths = frozenset(path for path, _, _ in rows)
        names = dotted_names([path for path, _, _ in rows])
        self.modules: list[Module] = []
        self.owner: list[Module] = []
        """The module of each node."""
        for path, role, facts in rows:
            module = Module(path, role, facts, names[path], len(self.owner))
            self.modules.append(module)
            self.owner += [module] * len(facts.definitions)
        self._by_dotted: dict[str, list[Module]] = {}
        for module in self.modules:
            for name in {module.dotted, _from_root(module.path), *_alone(module, paths)}:
                self._by_dotted.setdefault(name, []).append(module)
        self.tops = {name.partition(".")[0] for name in self._by_dotted}
        """First parts of the modules' names."""
        self.foreign = _Foreign(self.tops)
        """Whether a name, of whatever module, stands for nothing of the repository."""
        self._stars: dict[int, tuple[Module, ...]] = {}
        self.ancestors: dict[int, tuple[str, ...]] = {}
        """What classes are derived from, as far as `ancestry` was asked."""

    def later(self, files: Sequence[tuple[str, Role, PythonFacts]]) -> "Program | None":
        """Return the program of another tree of the repository, in which every name stands for
        what it stands for here; None where one may not."""
        if [row[:2] for row in files] != [(one.path, one.role) for one in self.modules]:
            return None
        found = copy(self)
        found.modules = []
        for one, (_, _, facts) in zip(self.modules, files, strict=True):
            if (module := one.later(facts)) is None:
                return None
            found.modules.append(module)
        found.owner = [one for one in found.modules for _ in range(len(one.facts.definitions))]
        return found

    def replaced(self, facts: Mapping[str, PythonFacts]) -> "Program":
        """Return the same program with other facts of some modules, by path: as many
        definitions at the same places, and what names stand for stays."""
        found = copy(self)
        found.ancestors = {}
        found.modules = [
            one.replaced(facts[one.path]) if one.path in facts else one for one in self.modules
        ]
        found.owner = [one for one in found.modules for _ in range(len(one.facts.definitions))]
        return found

    def definition(self, node: int) -> Definition:
        """Return the definition that a node numbers."""
        module = self.owner[node]
        return module.facts.definitions[node - module.first]

    def symbol(self, node: int) -> str:
        """Return ``package.module:Class.method`` for a node."""
        return f"{self.owner[node].dotted}:{self.definition(node).name}".removesuffix(":")

    def _module(self, dotted: str, near: Module) -> Module | None:
        """Return the module of that name; among several, the one that shares most of the path."""
        found = self._by_dotted.get(dotted)
        if not found:
            return None
        if len(found) == 1:
            return found[0]
        return max(found, key=lambda one: (_shared(one.path, near.path), one.path))

    def resolve(self, module: Module, name: str) -> tuple[str, int]:
        """Return the absolute text of a dotted name and its node, -1 outside the repository.

        Only the part up to the first call or subscript is resolved; the rest is kept.
        """
        if self.foreign[name]:
            return name, -1
        known = module.resolved.get(name)
        if known is None:
            known = module.resolved[name] = self._resolve(module, name, _DEPTH)
        return known

    def _resolve(self, module: Module, name: str, depth: int) -> tuple[str, int]:
        if self.foreign[name]:
            return name, -1
        found = _HEAD.match(name)
        assert found is not None
        lead, head = found[1], found[2].rstrip(".")
        tail = name[len(lead) + len(head) :]
        if lead == ":":
            return self._inside(module, head, tail, depth)
        if lead:
            head = _absolute(module, lead, head)
        if not head or self.foreign[head]:
            return head + tail, -1
        base = head
        while base:
            if (home := self._module(base, module)) is not None:
                if home.first == module.first and not lead:
                    break  # a script may be named like the library that it imports
                if base == head:
                    return home.dotted + tail, home.first
                return self._inside(home, head[len(base) + 1 :], tail, depth)
            base = base.rpartition(".")[0]
        return head + tail, -1

    def _inside(self, module: Module, name: str, tail: str, depth: int) -> tuple[str, int]:
        if (place := module.by_name.get(name)) is not None:
            return f"{module.dotted}:{name}{tail}", module.first + place
        first, _, rest = name.partition(".")
        if depth > 0 and (target := module.imports.get(first)) is not None:
            return self._resolve(module, target + (f".{rest}" if rest else "") + tail, depth - 1)
        for home in self._star_homes(module) if depth > 0 else ():
            if first in home.by_name or first in home.imports or first in home.values:
                return self._inside(home, name, tail, depth - 1)
        owner, _, attribute = name.rpartition(".")
        if (place := module.by_name.get(owner)) is not None and owner:
            node = self.method(module.first + place, attribute)
            if node >= 0:
                return f"{self.symbol(node)}{tail}", node
            if depth > 0 and (value := _property(module.facts.definitions[place])):
                return self._resolve(module, f"{value}.{attribute}{tail}", depth - 1)
        if depth > 0 and (kept := module.values.get(first)) is not None:
            return self._resolve(module, kept + (f".{rest}" if rest else "") + tail, depth - 1)
        return f"{module.dotted}:{name}{tail}", -1

    def _star_homes(self, module: Module) -> tuple[Module, ...]:
        """Return the modules whose names star imports bring, nearest first."""
        known = self._stars.get(module.first)
        if known is None:
            found: dict[int, Module] = {module.first: module}
            queue = [module]
            while queue:
                home = queue.pop(0)
                for star in home.stars:
                    base = star.lstrip(".")
                    lead = star[: len(star) - len(base)]
                    dotted = _absolute(home, lead, base.rstrip(".")) if lead else base.rstrip(".")
                    inner = self._module(dotted, home)
                    if inner is not None and inner.first not in found:
                        found[inner.first] = inner
                        queue.append(inner)
            known = self._stars[module.first] = tuple(found.values())[1:]
        return known

    def bases(self, node: int) -> Iterator[int]:
        """Yield the classes of the repository that a class is derived from, nearest first."""
        for base in self.definition(node).bases:
            found = self.resolve(self.owner[node], base)[1] if "=" not in base else -1
            if found >= 0 and found != node:
                yield found

    def ancestry(self, node: int) -> tuple[str, ...]:
        """Return the absolute names of all classes that a class is derived from."""
        known = self.ancestors.get(node)
        if known is None:
            known = self.ancestors[node] = self._derived_from(node)
        return known

    def _derived_from(self, node: int) -> tuple[str, ...]:
        names: dict[str, None] = {}
        queue, seen = [node], {node}
        while queue:
            current = queue.pop(0)
            for base in self.definition(current).bases:
                text, found = self.resolve(self.owner[current], base)
                names[text] = None
                if found >= 0 and found not in seen:
                    seen.add(found)
                    queue.append(found)
        return tuple(names)

    def method(self, node: int, name: str, depth: int = 6) -> int:
        """Return the node of a class's method, inherited ones included; -1 for none."""
        module = self.owner[node]
        place = module.by_name.get(f"{self.definition(node).name}.{name}")
        if place is not None:
            return module.first + place
        if depth > 0:
            for base in self.bases(node):
                if (found := self.method(base, name, depth - 1)) >= 0:
                    return found
        return -1

    def follow(self, module: Module, name: str, depth: int = 3) -> tuple[tuple[str, int], ...]:
        """Return what a canonical text leads to: ``(absolute text, node)``, through
        instances of the repository's classes and the values its functions return."""
        if self.foreign[name] or name.startswith(("self.", "builtins.")):
            return ((name, -1),)
        known = module.followed.get((name, depth))
        if known is None:
            known = module.followed[name, depth] = self._follow(module, name, depth)
        return known

    def _follow(self, module: Module, name: str, depth: int) -> tuple[tuple[str, int], ...]:
        text, node = self.resolve(module, name)
        if "(" not in text and "[" not in text:
            return ((text, node),)
        if node < 0 and "[" in text and (chosen := self._chosen(text, depth)):
            return chosen
        end = _end_of_head(text)
        if node < 0 or end == len(text):
            return ((text, node),)
        steps = _STEP.findall(text, end)
        if not steps:
            return ((text, node),)
        states: list[tuple[str, int, bool]] = [(text[:end], node, False)]
        for step in steps:
            states = [after for state in states for after in self._step(state, step, depth)][:6]
        return tuple((words, at if not instance else -1) for words, at, instance in states)

    def _chosen(self, text: str, depth: int) -> tuple[tuple[str, int], ...]:
        """Return what an element of a module's mapping leads to: ``ALGORITHMS[name]()``."""
        head, _, rest = text.partition("[")
        dotted, colon, own = head.partition(":")
        home = self._by_dotted.get(dotted, ())[:1] if colon and depth > 0 else ()
        tail = rest.partition("]")[2]
        return tuple(
            found
            for module in home
            for value in module.tables.get(own, ())[:6]
            for found in self.follow(module, value + tail, depth - 1)
        )[:6]

    def _step(
        self, state: tuple[str, int, bool], step: str, depth: int
    ) -> Iterator[tuple[str, int, bool]]:
        words, node, instance = state
        if node < 0:
            yield words + step, -1, False
            return
        definition = self.definition(node)
        if step == "()" and definition.kind == "class" and not instance:
            yield words + step, node, True
        elif step == "()" and instance:
            found = next((one for name in _CALLED if (one := self.method(node, name)) >= 0), -1)
            yield words + step, found, False
        elif step == "()" and definition.kind == "function":
            yield words + step, -1, False
            if depth > 0:
                home = self.owner[node]
                for value in definition.returns:
                    for text, at in self.follow(home, value, depth - 1) if value != "yield" else ():
                        is_class = at >= 0 and self.definition(at).kind == "class"
                        yield text, at, is_class and text.endswith("()")
        elif step[0] == "." and definition.kind == "class":
            found = self.method(node, step[1:])
            yield (self.symbol(found) if found >= 0 else words + step), found, False
        else:
            yield words + step, -1, False


def _property(definition: Definition) -> str:
    """Return what a property stands for; empty for what is none or says nothing."""
    if any(one.rpartition(".")[2].endswith("property") for one in definition.decorators):
        return next((one for one in definition.returns if ORIGIN.match(one)), "")
    return ""


def _absolute(module: Module, lead: str, name: str) -> str:
    """Return the absolute name of a relative one; `lead` holds its dots."""
    parts = module.package.split(".") if module.package else []
    base = parts[: len(parts) - len(lead) + 1]
    return ".".join([*base, name] if name else base)


def _end_of_head(text: str) -> int:
    found = _CALL_OR_ITEM.search(text)
    return found.start() if found else len(text)


def _from_root(path: str) -> str:
    return path.removesuffix("/__init__.py").removesuffix(".py").replace("/", ".")


def _alone(module: Module, paths: frozenset[str]) -> tuple[str, ...]:
    """Return the name of a module that may run as a script of a folder that is no package."""
    folder, _, name = module.path.rpartition("/")
    return () if f"{folder}/__init__.py" in paths else (name.removesuffix(".py"),)


def _shared(one: str, other: str) -> int:
    count = 0
    for left, right in zip(one.split("/"), other.split("/"), strict=False):
        if left != right:
            break
        count += 1
    return count
