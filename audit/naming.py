"""What the docs show as code, truthfully: a page that is wrong about a thing does not name it."""

import re
from collections.abc import Iterable, Iterator
from functools import cached_property

from audit.code.modules import is_public
from audit.docs_truth.model import Finding
from audit.facts.model import ProseFacts
from audit.repository import Repository

_IDENTIFIER = re.compile(r"[A-Za-z_][\w]*(?:[./-][\w]+)*")


class Naming:
    """The names that pages show, without those that a page makes a wrong claim about."""

    def __init__(self, repository: Repository, wrong: Iterable[Finding] = ()) -> None:
        self.repository = repository
        self._mistakes: dict[str, dict[str, Finding]] = {}
        for one in wrong:
            for word in _parts(one.claim):
                self._mistakes.setdefault(one.path, {}).setdefault(word, one)

    @cached_property
    def shown(self) -> frozenset[str]:
        """Identifiers that pages show as code: spans, fences, reference directives.

        ``package.module.name`` shows the name, too, where the package is this repository's.
        """
        tops = self.repository.program.tops
        found: set[str] = set()
        for file, page in self.repository.prose():
            words = set(_words(page))
            words |= {one.rpartition(".")[2] for one in words if one.partition(".")[0] in tops}
            found |= words.difference(self._mistakes.get(file.path, ()))
        return frozenset(found)

    def definition(self, node: int, seen: frozenset[int] = frozenset()) -> bool:
        """Tell whether the docs show the name of a definition, or of its file, as code.

        What is private has no name to show: the docs have it if they have all that use it.
        """
        program = self.repository.program
        if self.file(program.owner[node].path, program.owner[node].dotted):
            return True
        name = program.definition(node).name
        if not self.shown.isdisjoint(_own(name)):
            return True
        if not name or is_public(name):
            return False
        users = set(self.repository.graph.callers[node]) - seen - {node}
        return bool(users) and all(self.definition(one, seen | {node}) for one in users)

    def file(self, path: str, dotted: str = "") -> bool:
        """Tell whether the docs show a file's path, name or module as code."""
        return not self.shown.isdisjoint(_names(path, dotted))

    def explained(self, path: str) -> bool:
        """Tell whether a file that is no code is a page itself, or named by one, or its folder."""
        parts = path.lstrip(".").split("/")
        folders = {"/".join(parts[:end]) for end in range(1, len(parts))}
        return (
            self.repository.files[path].role == "docs"
            or self.file(path)
            or not self.shown.isdisjoint(folders)
        )

    def mistake(self, path: str, node: int = -1) -> str:
        """Return the first wrong claim about a file or a definition, empty for none."""
        program = self.repository.program
        names = {*_names(path, program.owner[node].dotted if node >= 0 else "")}
        names |= set(_own(program.definition(node).name)) if node >= 0 else set()
        for known in self._mistakes.values():
            for name in sorted(names & known.keys()):
                return known[name].sentence()
        return ""


def _words(page: ProseFacts) -> Iterator[str]:
    for text in (*(one.text for one in page.spans), *(one.text for one in page.fences)):
        yield from _IDENTIFIER.findall(text)
    for one in page.directives:
        yield from _IDENTIFIER.findall(one.argument)


def _names(path: str, dotted: str) -> Iterator[str]:
    """Yield what a file may be called."""
    yield from (path.lstrip("."), path.rpartition("/")[2].lstrip("."), dotted)


def _own(name: str) -> Iterator[str]:
    """Yield what a definition may be called: its name, and those parts that say enough."""
    yield name
    yield from (one for one in name.split(".") if len(one) > 3 and not one.startswith("_"))


def _parts(claim: str) -> Iterator[str]:
    """Yield the identifiers of a claim, what they are made of, and the modules on the way."""
    for word in _IDENTIFIER.findall(claim):
        yield from re.split(r"[./]", word)
        yield word.rpartition("/")[2]
        while word:
            yield word
            word = word.rpartition(".")[0]
