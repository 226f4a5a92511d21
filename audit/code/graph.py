"""The call graph: which definitions run or name which, and what a set of roots reaches."""

import re
from collections.abc import Iterable
from functools import cached_property
from typing import Final

from audit.code.modules import Module, Program
from audit.facts.model import Call

# A method call on a value of unknown class leads to every method of that name,
# if there are few and the name says something.
MAX_HOMONYMS: Final = 5
_COMMON: Final = frozenset(
    "get items keys values append extend update pop add format join split strip copy close read "
    "write open size shape item mean sum backward parameters cpu numpy tolist startswith endswith "
    "replace sort index count insert remove clear lower upper".split()
)
_LAST: Final = re.compile(r"\.(\w+)$")
_TEST_NAME: Final = re.compile(r"(^|\.)(test\w*|setUp\w*|tearDown\w*|setup_\w+)$")


class Graph:
    """Edges between the definitions of a program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._methods = self._methods_by_name()
        self.edges: list[set[int]] = [set() for _ in program.owner]
        for module in program.modules:
            self._structure(module)
            self._uses(module)

    def _methods_by_name(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for module in self.program.modules:
            if module.role == "product":
                definitions = module.facts.definitions
                for place, one in enumerate(definitions):
                    if one.kind == "function" and definitions[one.parent].kind == "class":
                        found.setdefault(one.name.rpartition(".")[2], []).append(
                            module.first + place
                        )
        return found

    def _structure(self, module: Module) -> None:
        """A class runs its special methods; a base's method runs what overrides it."""
        program = self.program
        definitions = module.facts.definitions
        for place, one in enumerate(definitions):
            node = module.first + place
            if one.kind == "class":
                for base in program.bases(node):
                    self.edges[node].add(base)
            elif one.kind == "function" and definitions[one.parent].kind == "class":
                owner = module.first + one.parent
                name = one.name.rpartition(".")[2]
                if name.startswith("__"):
                    self.edges[owner].add(node)
                for base in program.bases(owner):
                    overridden = program.method(base, name)
                    if overridden >= 0:
                        self.edges[overridden].add(node)
            elif one.kind == "function" and definitions[one.parent].kind == "function":
                self.edges[module.first + one.parent].add(node)

    def _uses(self, module: Module) -> None:
        program, first = self.program, module.first
        definitions = module.facts.definitions
        for call in module.facts.calls:
            called = call.names[0]
            if "()._" in called and _extends(definitions[call.scope].name, called):
                self.edges[first + definitions[call.scope].parent].add(first + call.scope)
            self._called(module, call)
        for reference in module.facts.references:
            _, node = program.resolve(module, reference.name)
            if node >= 0:
                self.edges[first + reference.scope].add(node)
        for one in module.facts.imports:
            target = one.target.removesuffix(".*").removesuffix("*")
            _, node = program.resolve(module, target) if target else ("", -1)
            if node >= 0:
                self.edges[first + one.scope].add(program.owner[node].first)

    def _called(self, module: Module, call: Call) -> None:
        source = self.edges[module.first + call.scope]
        found: set[int] = set()
        for name in call.names:
            for text, node in self.program.follow(module, name):
                if node >= 0:
                    found.add(node)
                elif "()" in text:
                    source |= self._owners(module, text)
        if found:
            source |= found
            if call.decorates >= 0:
                self.edges[module.first + call.decorates] |= found
        else:
            _, dot, last = call.names[0].rpartition(".")
            if dot and last not in _COMMON:
                nodes = self._methods.get(last, ())
                if len(nodes) <= MAX_HOMONYMS:
                    source.update(nodes)

    def _owners(self, module: Module, text: str) -> set[int]:
        """Return the classes of the repository that a text makes an instance of."""
        _, node = self.program.resolve(module, text)
        return {node} if node >= 0 else set()

    def reach(self, roots: Iterable[int]) -> frozenset[int]:
        """Return every node that the roots lead to, themselves included."""
        seen = set(roots)
        queue = list(seen)
        while queue:
            for node in self.edges[queue.pop()]:
                if node not in seen:
                    seen.add(node)
                    queue.append(node)
        return frozenset(seen)

    @cached_property
    def callers(self) -> tuple[tuple[int, ...], ...]:
        """For every node, the nodes with an edge to it."""
        found: list[list[int]] = [[] for _ in self.edges]
        for source, targets in enumerate(self.edges):
            for target in targets:
                found[target].append(source)
        return tuple(map(tuple, found))

    def within(self, nodes: Iterable[int], hops: int, *, up: bool) -> frozenset[int]:
        """Return the nodes and the functions at most some calls above (or below) them."""
        seen = set(nodes)
        front = seen
        for _ in range(hops):
            front = {
                one
                for node in front
                for one in (self.callers[node] if up else self.edges[node])
                if one not in seen and self.program.definition(one).kind != "module"
            }
            seen |= front
        return frozenset(seen)

    def public(self) -> frozenset[int]:
        """Return the product definitions that others may use: no private part in the name."""
        return frozenset(
            module.first + place
            for module in self.program.modules
            if module.role in ("product", "build")
            for place, one in enumerate(module.facts.definitions)
            if place == 0
            or (
                (is_public(one.name) and one.kind != "module")
                and module.facts.definitions[one.parent].kind != "function"
            )
        )

    def tests(self) -> frozenset[int]:
        """Return the definitions that a test run starts: test functions, fixtures, set-ups."""
        return frozenset(
            module.first + place
            for module in self.program.modules
            if module.role == "test"
            for place, one in enumerate(module.facts.definitions)
            if place == 0
            or _TEST_NAME.search(one.name)
            or any("fixture" in d for d in one.decorators)
        )


def _extends(name: str, called: str) -> bool:
    """Tell whether a private method calls its own name on an instance of a base class: the
    base runs it, as a trainer runs its ``_save_checkpoint``."""
    own = name.rpartition(".")[2]
    return own.startswith("_") and called.endswith(f"().{own}") and called[0] not in "@%'"


def is_public(name: str) -> bool:
    """Tell whether no part of a dotted name is private; special methods are public."""
    return not any(part.startswith("_") and not part.endswith("__") for part in name.split("."))
