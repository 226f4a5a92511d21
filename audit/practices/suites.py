"""Test modules: their test functions, their calls, and which of them to show first."""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Final

from audit.code.modules import Module
from audit.facts.model import Call, Definition
from audit.practices.registry import Place
from audit.repository import Repository, once

TEST_FILE: Final = re.compile(r"(^|/)(test_[^/]*|tests?|[^/]*_tests?)\.py$")
_TEST_NAME: Final = re.compile(r"(^|\.)test\w*$")
_CORE: Final = re.compile(
    r"train|model|data|token|eval|checkpoint|engine|config|util|loss|cli(?![a-z])|run(?![a-z])|full"
)
"""Subjects that every such repository has: what somebody looks at first."""
_LITERAL: Final = re.compile(r"^(True|False|None|'.*'|[\d.]+|builtins\.True)$")


def place_in(module: Module, line: int, says: str, symbol: str = "") -> Place:
    """Return a place in a test: tests are judged as files, nothing has to reach them."""
    return Place(module.path, line, says, -1, symbol or module.dotted)


def broadest(
    repo: Repository, found: Iterable[tuple[Module, Place]], *, of_subject: bool = True
) -> Iterator[Place]:
    """Yield one place a module: suites beside the packages before those in them, then modules
    about a core subject (if `of_subject`), near the root, that test most of the product: where
    somebody who asks would be sent first."""
    first: dict[str, tuple[Module, Place]] = {}
    for module, place in found:
        first.setdefault(module.path, (module, place))
    rank = _rank(repo)

    def key(row: tuple[Module, Place]) -> tuple[bool, bool, int, int, str]:
        inside, aside, depth, tested, path = rank(row[0])
        return inside, aside and of_subject, depth, tested, path

    yield from (place for _, place in sorted(first.values(), key=key))


@once
def _rank(repo: Repository) -> Callable[[Module], tuple[bool, bool, int, int, str]]:
    """Return what orders test modules."""
    shipped = {module.path.partition("/")[0] for module in repo.product}
    owner, edges = repo.program.owner, repo.graph.edges

    @cache
    def rank(module: Module) -> tuple[bool, bool, int, int, str]:
        folder, _, name = module.path.rpartition("/")
        nodes = range(module.first, module.first + len(module.facts.definitions))
        used = {
            owner[one].path for node in nodes for one in edges[node] if owner[one].role == "product"
        }
        inside = module.path.partition("/")[0] in shipped
        tests = sum(bool(_TEST_NAME.search(one.name)) for one in module.facts.definitions)
        return inside, not _CORE.search(name), folder.count("/"), -tests * len(used), module.path

    return rank


def calls(
    repo: Repository, says: str, wanted: Callable[[Call], bool]
) -> Iterator[tuple[Module, Place]]:
    """Yield the calls in tests that a rule wants."""
    for module in repo.tests:
        for call in module.facts.calls:
            if wanted(call):
                yield module, place_in(module, call.line, says)


def tests_of(module: Module) -> list[Definition]:
    """Return the test functions of a module that call or check something."""
    facts = module.facts
    busy = {call.scope for call in facts.calls if call.decorates < 0}
    busy |= {
        one.scope
        for one in facts.raises
        if one.block >= 0 and not _LITERAL.match(facts.blocks[one.block].text)
    }
    return [
        one
        for place, one in enumerate(facts.definitions)
        if one.kind == "function"
        and place in busy
        and _TEST_NAME.search(one.name)
        and facts.definitions[one.parent].kind != "function"
    ]
