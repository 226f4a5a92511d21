"""The call graph: which definitions run or name which, and what a set of roots reaches."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from copy import copy
from functools import cached_property
from typing import Final

from audit.code.modules import Module, is_public
from audit.code.program import Program
from audit.code.uses import Homonyms, Uses, uses
from audit.facts.model import PythonFacts
from audit.model import Role

_LAST: Final = re.compile(r"\.(\w+)$")
_PLAIN: Final = (
    "builtins.",
    "abc.",
    "typing",
    "enum.",
    "dataclasses.",
    "collections.",
    "@",
    "%",
    "…",
)
_WITHOUT_PRIVATE: Final = ("torch.nn.", "torch.utils.data.", "pydantic.", "msgspec.", "threading.")
_TEST_NAME: Final = re.compile(r"(^|\.)(test\w*|setUp\w*|tearDown\w*|setup_\w+)$")


class Graph:
    """Edges between the definitions of a program.

    Some are guesses: a method call on a value of unknown class, a base's method that an
    override stands in for. They hold where the method's class is used at all (rapid type
    analysis), so dead classes stay dead however their methods are called.
    """

    def __init__(self, program: Program, before: "Graph | None" = None) -> None:
        """Join the definitions of a program.

        `before` is the graph of a program whose names stand for the same: what its modules use
        is not asked again where their facts are these.
        """
        self.program = program
        homonyms = Homonyms(self._methods_by_name())
        known = before.used if before is not None else {}
        self.used: dict[Module, dict[int, Uses]] = {
            one: known[one] if one in known else uses(program, homonyms, one)
            for one in program.modules
        }
        """What the definitions of each module use."""
        self.edges: list[set[int]] = [set() for _ in program.owner]
        self._foreign: dict[int, tuple[str, ...]] = {}
        self.implied: dict[int, list[int]] = {}
        """What is alive with a definition, though nothing in the repository calls it there."""
        self.guesses: list[set[int]] = [set() for _ in program.owner]
        for module, used in self.used.items():
            self._structure(module)
            for node, one in used.items():
                self.edges[node] |= one.certain
                self.guesses[node] |= one.guessed
        for certain, guessed in zip(self.edges, self.guesses, strict=True):
            guessed -= certain
            certain |= guessed

    def later(self, files: Sequence[tuple[str, Role, PythonFacts]]) -> "Graph":
        """Return the graph of another tree of the repository, with what is known of this one
        where all names stand for the same."""
        program = self.program.later(files)
        if program is None:
            return Graph(Program(files))
        same = all(a is b for a, b in zip(program.modules, self.program.modules, strict=True))
        return self if same else Graph(program, self)

    def without(self, dead: Set[int], facts: Mapping[str, PythonFacts]) -> "Graph":
        """Return the graph of the same program, whose dead definitions do nothing.

        `facts` are the new ones of the modules that hold them, by path.
        """
        found = copy(self)
        found.program = self.program.replaced(facts)
        found.edges = [
            set() if node in dead else targets for node, targets in enumerate(self.edges)
        ]
        return found

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
        """A class runs its special methods; a base's method runs what overrides it; a library
        runs the methods of what is derived from its classes; a function makes what is in it."""
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
                elif self._is_hook(owner, name):
                    self.implied.setdefault(owner, []).append(node)
                for base in program.bases(owner):
                    overridden = program.method(base, name)
                    if overridden >= 0:
                        self.guesses[overridden].add(node)
            elif one.kind == "function" and definitions[one.parent].kind == "function":
                self.edges[module.first + one.parent].add(node)
            if one.kind == "class" and definitions[one.parent].kind == "function":
                self.implied.setdefault(module.first + one.parent, []).append(node)

    def _is_hook(self, owner: int, name: str) -> bool:
        """Tell whether a library that a class is derived from may call a method: a public one,
        or an override of something private in a framework that has such (a trainer)."""
        known = self._foreign.get(owner)
        if known is None:
            bases = self.program.ancestry(owner)
            known = self._foreign[owner] = tuple(
                one for one in bases if ":" not in one and not one.startswith(_PLAIN)
            )
        if name.startswith("_"):
            return any(not one.startswith(_WITHOUT_PRIVATE) for one in known)
        return bool(known)

    def reach(self, roots: Iterable[int]) -> frozenset[int]:
        """Return every node that the roots lead to, themselves included."""
        seen = set(roots)
        queue = list(seen)
        waiting: dict[int, list[int]] = {}
        while queue:
            source = queue.pop()
            found = self.edges[source] - seen
            for node in self.guesses[source] & found if found else ():
                if (owner := self._holder(node)) not in seen:
                    waiting.setdefault(owner, []).append(node)
                    found.discard(node)
            found.update(self.implied.get(source, ()), waiting.pop(source, ()))
            found -= seen
            seen |= found
            queue += found
        return frozenset(seen)

    def _holder(self, node: int) -> int:
        """Return the definition around one."""
        return self.program.owner[node].first + self.program.definition(node).parent

    @cached_property
    def live(self) -> frozenset[int]:
        """What something public, a test or code beside the product leads to."""
        beside = (
            module.first + place
            for module in self.program.modules
            if module.role not in ("product", "build")
            for place in range(len(module.facts.definitions))
        )
        return self.reach({*self.public, *beside})

    @cached_property
    def callers(self) -> tuple[tuple[int, ...], ...]:
        """For every node, the nodes with an edge to it; dead code calls nothing."""
        found: list[list[int]] = [[] for _ in self.edges]
        for source in self.live:
            for target in self.edges[source]:
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
                for one in (self.callers[node] if up else self._called_by(node))
                if one not in seen and self.program.definition(one).kind != "module"
            }
            seen |= front
        return frozenset(seen)

    def _called_by(self, node: int) -> Iterable[int]:
        return self.edges[node] if node in self.live else ()

    @cached_property
    def public(self) -> frozenset[int]:
        """The product definitions that others may use: no private part in the name, or
        a method of a public object."""
        named = (
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
        return frozenset([*named, *self._offered()])

    def _offered(self) -> Iterator[int]:
        """Yield the methods of private classes that a public name of a module is made from."""
        for module in self.program.modules:
            if module.role not in ("product", "build"):
                continue
            for name, value in module.values.items():
                if value.rpartition(".")[2].rpartition(":")[2][:1] != "_" or not is_public(name):
                    continue
                node = self.program.resolve(module, value.removesuffix("()"))[1]
                if node >= 0 and self.program.definition(node).kind == "class":
                    home = self.program.owner[node]
                    for place, one in enumerate(home.facts.definitions):
                        if one.parent == node - home.first and is_public(
                            one.name.rpartition(".")[2]
                        ):
                            yield home.first + place

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
