"""The call graph: which definitions run or name which, and what a set of roots reaches."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from copy import copy
from functools import cached_property
from typing import Final, NamedTuple

from audit.code.modules import Module, Program
from audit.facts.model import Call, PythonFacts

# A method call on a value of unknown class leads to every method of that name,
# if there are few and the name says something.
MAX_HOMONYMS: Final = 5
_COMMON: Final = frozenset(
    "get items keys values append extend update pop add format join split strip copy close read "
    "write open size shape item mean sum backward parameters cpu numpy tolist startswith endswith "
    "replace sort index count insert remove clear lower upper".split()
)
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
_IMPORTERS: Final = frozenset({"importlib.import_module", "builtins.__import__"})
_BY_NAME: Final = re.compile(r"f?'(\{builtins\.__name__\})?([\w.]*\.)(\{|'? ?[+%])")
"""The argument of an import of whatever module of one package is asked for."""
_TEST_NAME: Final = re.compile(r"(^|\.)(test\w*|setUp\w*|tearDown\w*|setup_\w+)$")


class _Homonyms(dict[str, Sequence[int]]):
    """The methods that a call on a value of unknown class may lead to, by the callee's text."""

    def __init__(self, methods: Mapping[str, Sequence[int]]) -> None:
        self._methods = methods

    def __missing__(self, name: str) -> Sequence[int]:
        _, dot, last = name.rpartition(".")
        nodes = self._methods.get(last, ()) if dot and last not in _COMMON else ()
        self[name] = found = nodes if len(nodes) <= MAX_HOMONYMS else ()
        return found


class _Lead(NamedTuple):
    """What calling a name in a module leads to."""

    called: frozenset[int] = frozenset()
    nodes: frozenset[int] = frozenset()
    """That, and the classes of the repository whose instances the name goes through."""
    imports: bool = False
    """It imports a module by its name."""


_NOWHERE: Final = _Lead()


class _Leads(dict[str, _Lead]):
    """What the names that a module calls lead to, each looked up once."""

    def __init__(self, graph: "Graph", module: Module) -> None:
        self._program, self._module = graph.program, module

    def __missing__(self, name: str) -> _Lead:
        self[name] = found = self._find(name)
        return found

    def _find(self, name: str) -> _Lead:
        program, module = self._program, self._module
        if program.foreign[name]:
            return _Lead(imports=True) if name in _IMPORTERS else _NOWHERE
        followed = program.follow(module, name)
        called = frozenset(node for _, node in followed if node >= 0)
        made = (
            program.resolve(module, text)[1] for text, node in followed if node < 0 and "()" in text
        )
        nodes = called.union(node for node in made if node >= 0)
        imports = any(text in _IMPORTERS for text, _ in followed)
        return _Lead(called, nodes, imports) if nodes or imports else _NOWHERE


class Graph:
    """Edges between the definitions of a program.

    Some are guesses: a method call on a value of unknown class, a base's method that an
    override stands in for. They hold where the method's class is used at all (rapid type
    analysis), so dead classes stay dead however their methods are called.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self._homonyms = _Homonyms(self._methods_by_name())
        self.edges: list[set[int]] = [set() for _ in program.owner]
        self._foreign: dict[int, tuple[str, ...]] = {}
        self.implied: dict[int, list[int]] = {}
        """What is alive with a definition, though nothing in the repository calls it there."""
        self.guesses: list[set[int]] = [set() for _ in program.owner]
        for module in program.modules:
            self._structure(module)
            self._uses(module)
        for certain, guessed in zip(self.edges, self.guesses, strict=True):
            guessed -= certain
            certain |= guessed

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

    def _uses(self, module: Module) -> None:
        program, first = self.program, module.first
        definitions = module.facts.definitions
        leads = _Leads(self, module)
        for call in module.facts.calls:
            called = call.names[0]
            if "()._" in called and _extends(definitions[call.scope].name, called):
                self.edges[first + definitions[call.scope].parent].add(first + call.scope)
            self._called(module, call, leads)
        for reference in module.facts.references:
            _, node = program.resolve(module, reference.name)
            if node >= 0:
                self.edges[first + reference.scope].add(node)
        for one in module.facts.imports:
            target = one.target.removesuffix(".*").removesuffix("*")
            _, node = program.resolve(module, target) if target else ("", -1)
            if node >= 0:
                self.edges[first + one.scope].add(program.owner[node].first)

    def _called(self, module: Module, call: Call, leads: "_Leads") -> None:
        source = self.edges[module.first + call.scope]
        known = False
        for name in call.names:
            lead = leads[name]
            if lead is _NOWHERE:
                continue
            source |= lead.nodes
            if lead.imports:
                source |= self._named_later(module, call)
            if lead.called:
                known = True
                if call.decorates >= 0:
                    self.edges[module.first + call.decorates] |= lead.called
        if not known and (nodes := self._homonyms[call.names[0]]):
            self.guesses[module.first + call.scope].update(nodes)

    def _named_later(self, module: Module, call: Call) -> set[int]:
        """Return the modules, and what is public in them, of a package that a call imports
        from by a computed name: any of them may be asked for."""
        found = _BY_NAME.match(call.args[0]) if call.args else None
        if not found:
            return set()
        here = bool(found[1]) or found[2] == "."
        prefix = (module.package if here else "") + found[2]
        return {
            one.first + place
            for one in self.program.modules
            if one.role == "product" and one.dotted.rpartition(".")[0] + "." == prefix
            for place, definition in enumerate(one.facts.definitions)
            if place == 0 or (definition.parent == 0 and is_public(definition.name))
        }

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


def _extends(name: str, called: str) -> bool:
    """Tell whether a private method calls its own name on an instance of a base class: the
    base runs it, as a trainer runs its ``_save_checkpoint``."""
    own = name.rpartition(".")[2]
    return own.startswith("_") and called.endswith(f"().{own}") and called[0] not in "@%'"


def is_public(name: str) -> bool:
    """Tell whether no part of a dotted name is private; special methods are public."""
    if name[:1] != "_" and "._" not in name:
        return True
    return not any(part.startswith("_") and not part.endswith("__") for part in name.split("."))
