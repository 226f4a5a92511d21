"""Practices that a configuration declares: a query over facts, no code."""

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from textwrap import indent
from typing import Final

import msgspec

from audit.facts.model import DataFacts
from audit.model import Rule
from audit.practices import pipelines
from audit.practices.catalogue import Catalogue, Definition
from audit.practices.registry import Place, Practice, at, in_code, in_file, of_key
from audit.repository import Repository

_QUERIES: Final = {
    "calls": "calls of", "keywords": "calls that are given", "bases": "classes derived from",
    "files": "files", "keys": "configuration keys", "commands": "commands of CI and Makefiles",
}  # fmt: skip


class Query:
    """The detector of a rule."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        wanted = looks_for(rule)
        self.__doc__ = (
            f"{rule.title}\n\nWhy:\n{_indented(rule.why)}\nFix:\n{_indented(rule.fix)}\n"
            f"Good:\n    {wanted}\nBad:\n    none of {wanted}"
        )

    def __call__(self, repo: Repository) -> Iterator[Place]:
        """Yield every place that one of the rule's queries finds."""
        rule = self.rule
        for site in repo.calls(*rule.calls):
            yield at(site, f"{site.names[0]} is called")
        for site, value in repo.given(*rule.keywords):
            yield at(site, f"{site.names[0]} is given {value[:60]}")
        if rule.bases:
            yield from _derived(repo, rule.bases)
        for file in repo.find(*rule.files) if rule.files else ():
            yield in_file(file, 1, f"{file.path} is there")
        for query in rule.keys:
            yield from _keys(repo, query)
        for step in pipelines.running(repo, *rule.commands) if rule.commands else ():
            yield step.place(f"runs {step.text[:60]}")


def _derived(repo: Repository, bases: Iterable[str]) -> Iterator[Place]:
    wanted = frozenset(bases)
    for module, place, one in repo.definitions:
        if one.kind == "class":
            for name in repo.program.ancestry(module.first + place):
                if name in wanted:
                    yield in_code(module, place, one.line, f"{one.name} is a {name}")
                    break


def _keys(repo: Repository, query: str) -> Iterator[Place]:
    """Yield the keys that ``file glob:key glob`` names."""
    files, _, wanted = query.partition(":")
    for file in repo.find(files):
        for key in file.facts.keys if isinstance(file.facts, DataFacts) else ():
            if fnmatchcase(key.path, wanted):
                yield of_key(file, key, f"{key.path} = {key.value[:60]}")


def _indented(text: str) -> str:
    """Keep every line of a text in its section of the docstring."""
    return indent(text.strip(), "    ")


def looks_for(rule: Rule) -> str:
    """Say in one line what a rule searches."""
    parts = ((words, getattr(rule, name)) for name, words in _QUERIES.items())
    return "; ".join(f"{words} {', '.join(found)}" for words, found in parts if found)


def extended(catalogue: Catalogue, rules: Iterable[Rule], source: str) -> Catalogue:
    """Return the catalogue with the practices that a configuration declares."""
    extra = tuple(
        Practice(
            one.id, one.capability, one.role, one.title, "", Query(one),
            code=bool(one.calls or one.keywords or one.bases), looks_for=looks_for(one),
            plugin=source,
        )
        for one in rules
    )  # fmt: skip
    definitions = tuple(
        Definition(one.id, one.capability, one.role, one.present_if, one.looks_for) for one in extra
    )
    return msgspec.structs.replace(
        catalogue,
        definitions=(*catalogue.definitions, *definitions),
        extra=(*catalogue.extra, *extra),
    )
