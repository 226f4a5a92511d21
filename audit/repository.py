"""What detectors ask: the files of a repository, its configuration, its code.

A detector never opens a file. It asks for calls by what they resolve to, for
classes by what they derive from, for keys of configuration files, for prose.
Unless it says otherwise it sees product code alone.
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, cached_property, wraps
from typing import Any, Final, TypeVar

from audit.code.graph import Graph
from audit.code.modules import Module
from audit.code.program import Program
from audit.contents import Contents
from audit.facts.model import Assign, Definition, PythonFacts
from audit.model import Role
from audit.sites import File, Site, grouped, last

Answer = TypeVar("Answer")


_NOTHING: Final = r"(?!)"
_MOST_MATCHES: Final = 1 << 15


class _Matches(dict[str, bool]):
    """Whether a pattern finds something in texts: the trees of a history have most in common."""

    def __init__(self, pattern: str) -> None:
        self._search = re.compile(pattern).search

    def __missing__(self, text: str) -> bool:
        if len(self) >= _MOST_MATCHES:
            self.clear()
        self[text] = found = self._search(text) is not None
        return found


_matches = cache(_Matches)


def once(question: "Callable[[Repository], Answer]") -> "Callable[[Repository], Answer]":
    """Ask a question about a repository once, however many detectors ask it.

    All are given the same answer: it must not be changed, and a generator is none.
    """

    @wraps(question)
    def answered(repo: Repository) -> Answer:
        if question not in repo.answers:
            repo.answers[question] = question(repo)
        answer: Answer = repo.answers[question]
        return answer

    return answered


def python(files: Iterable[File]) -> list[tuple[str, Role, PythonFacts]]:
    """Return path, role and facts of the Python files."""
    return [(one.path, one.role, one.facts) for one in files if isinstance(one.facts, PythonFacts)]


class Repository(Contents):
    """The facts of one repository, indexed for questions."""

    def __init__(self, files: Iterable[File], graph: Graph | None = None) -> None:
        super().__init__(files)
        self._graph = graph
        self.answers: dict[Callable[[Repository], Any], Any] = {}
        """What was found out once, see `once`."""

    @cached_property
    def program(self) -> Program:
        """All Python code, names resolved across modules."""
        if self._graph is not None:
            return self._graph.program
        return Program(python(self.files.values()))

    @cached_property
    def graph(self) -> Graph:
        """The call graph."""
        return self._graph or Graph(self.program)

    @cached_property
    def product(self) -> tuple[Module, ...]:
        """The modules of the product."""
        return tuple(one for one in self.program.modules if one.role == "product")

    @cached_property
    def tests(self) -> tuple[Module, ...]:
        """The modules of the tests."""
        return tuple(one for one in self.program.modules if one.role == "test")

    def sites(self, modules: Iterable[Module]) -> Iterator[Site]:
        """Yield every call in some modules."""
        program, foreign = self.program, self.program.foreign
        for module in modules:
            for call in module.facts.calls:
                names = call.names
                if not all(map(foreign.__getitem__, names)):
                    names = tuple([program.resolve(module, name)[0] for name in names])
                yield Site(program, module, call, names)

    @cached_property
    def all_calls(self) -> tuple[Site, ...]:
        """Every call in product code."""
        return tuple(self.sites(self.product))

    @cached_property
    def _by_name(self) -> dict[str, list[Site]]:
        return grouped(self.all_calls, str)

    @cached_property
    def by_method(self) -> dict[str, list[Site]]:
        """Every product call by the last part of its names."""
        return grouped(self.all_calls, cache(last))

    @cached_property
    def by_scope(self) -> Mapping[int, tuple[Site, ...]]:
        """The product calls of each definition, by its node; nested functions apart."""
        found: dict[int, list[Site]] = {}
        for site in self.all_calls:
            found.setdefault(site.node, []).append(site)
        return {node: tuple(sites) for node, sites in found.items()}

    def calls(self, *names: str) -> Iterator[Site]:
        """Yield product calls whose callee resolves to one of the dotted names.

        A trailing ``*`` matches any rest: ``torch.distributed.checkpoint.*``.
        """
        for name in names:
            if name.endswith("*"):
                for known in self._starting(name[:-1]):
                    yield from self._by_name[known]
            else:
                yield from self._by_name.get(name, ())

    @cached_property
    def _sorted_names(self) -> list[str]:
        return sorted(self._by_name)

    def _starting(self, prefix: str) -> list[str]:
        """Return the resolved names that start with a prefix, in the order of their calls."""
        names = self._sorted_names
        first = last = bisect_left(names, prefix)
        while last < len(names) and names[last].startswith(prefix):
            last += 1
        return sorted(names[first:last], key=self._places.__getitem__)

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self._by_name)}

    def methods(self, *names: str) -> Iterator[Site]:
        """Yield product calls whose last part is one of the names, whatever it is called on."""
        for name in names:
            yield from self.by_method.get(name, ())

    @cached_property
    def by_keyword(self) -> dict[str, list[Site]]:
        """Every product call by the keywords that it is given, those of a ``**`` display too."""
        found: dict[str, list[Site]] = {}
        for site in self.all_calls:
            for key, value in site.call.kwargs:
                found.setdefault(key, []).append(site)
                if key == "**" and "{'" in value:
                    for inner in dict.fromkeys(_SPREAD.findall(value)):
                        found.setdefault(inner[0], []).append(site)
        return found

    def given(self, *keywords: str) -> Iterator[tuple[Site, str]]:
        """Yield product calls that are given one of the keywords, with its value."""
        for keyword in keywords:
            for site in self.by_keyword.get(keyword, ()):
                value = site.call.keyword(keyword)
                if value is None:
                    value = dict(_SPREAD.findall(site.call.keyword("**") or "")).get(keyword)
                yield site, value or ""

    def kinds(self, site: Site, which: int = 0) -> tuple[str, ...]:
        """Return the texts that a callee leads to through the repository's own functions
        and classes: ``build().step`` becomes ``torch.optim.AdamW().step``."""
        found: dict[str, None] = dict.fromkeys(site.names)
        for name in site.call.names[which:]:
            found |= dict.fromkeys(text for text, _ in self.program.follow(site.module, name))
        return tuple(found)

    @cached_property
    def definitions(self) -> tuple[tuple[Module, int, Definition], ...]:
        """Every product definition with its module and index."""
        return tuple(
            (module, place, one)
            for module in self.product
            for place, one in enumerate(module.facts.definitions)
        )

    def functions(self, pattern: str) -> Iterator[tuple[Module, int, Definition]]:
        """Yield product functions whose own name the pattern finds, stubs left out."""
        names = filter(_matches(pattern).__getitem__, self._functions)
        return (
            self.definitions[at]
            for at in sorted(at for name in names for at in self._functions[name])
        )

    @cached_property
    def _functions(self) -> dict[str, list[int]]:
        """Numbers of the product functions that are no stubs, by their own name."""
        found: dict[str, list[int]] = {}
        for at, (_, _, one) in enumerate(self.definitions):
            if one.kind == "function" and not one.stub:
                found.setdefault(one.name.rpartition(".")[2], []).append(at)
        return found

    def classes(self, bases: str = "", name: str = "") -> Iterator[tuple[Module, int, Definition]]:
        """Yield product classes by a pattern on their absolute ancestors or on their name."""
        named, derived = _matches(name or _NOTHING), _matches(bases or _NOTHING)
        for module, place, one in self._classes:
            if named[one.name.rpartition(".")[2]] or any(
                map(derived.__getitem__, self.program.ancestry(module.first + place))
            ):
                yield module, place, one

    @cached_property
    def _classes(self) -> tuple[tuple[Module, int, Definition], ...]:
        return tuple(row for row in self.definitions if row[2].kind == "class")

    def assigns(self, target: str) -> Iterator[tuple[Module, Assign]]:
        """Yield product assignments whose target the pattern finds."""
        texts = filter(_matches(target).__getitem__, self._by_target)
        found = [place for text in texts for place in self._by_target[text]]
        return (self._assigns[place] for place in sorted(found))

    @cached_property
    def _assigns(self) -> tuple[tuple[Module, Assign], ...]:
        return tuple((module, one) for module in self.product for one in module.facts.assigns)

    @cached_property
    def _by_target(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for place, (_, one) in enumerate(self._assigns):
            found.setdefault(one.target, []).append(place)
        return found

    def references(self, pattern: str) -> Iterator[tuple[Module, int, int]]:
        """Yield module, scope and line of imported names read in product code.

        Calls are references too; the pattern is matched on the absolute name.
        """
        found = _matches(pattern)
        for module in self.product:
            for one in module.facts.references:
                if found[self.program.resolve(module, one.name)[0]]:
                    yield module, one.scope, one.line
        for name, sites in self._by_name.items():
            if found[name]:
                for site in sites:
                    yield site.module, site.call.scope, site.call.line

    def calls_in(self, module: Module, scope: int) -> Iterator[Site]:
        """Yield the calls of one definition, those of nested functions included."""
        inner = {scope}
        for place, one in enumerate(module.facts.definitions):
            if one.parent in inner:
                inner.add(place)
        for call in module.facts.calls:
            if call.scope in inner:
                names = tuple(self.program.resolve(module, name)[0] for name in call.names)
                yield Site(self.program, module, call, names)


_SPREAD = re.compile(r"'([a-z_]\w*)': ([^\s,{}]+(?: [^\s,{}]+)*)")
"""An entry of a mapping that becomes keywords: its key and value."""
