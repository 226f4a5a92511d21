"""A repository without its dead code: the same definitions at the same places, empty."""

import msgspec

from audit.facts.model import Definition, PythonFacts
from audit.repository import Repository


def buried(repository: Repository) -> Repository:
    """Return a repository whose dead definitions do nothing.

    What names stand for is not asked again: dead code is what nothing living names.
    """
    dead = frozenset(range(len(repository.program.owner))) - repository.graph.live
    emptied = {}
    for module in repository.product:
        nodes = range(module.first, module.first + len(module.facts.definitions))
        if places := {node - module.first for node in nodes if node in dead}:
            emptied[module.path] = _emptied(module.facts, places)
    return Repository(
        [
            msgspec.structs.replace(one, facts=emptied[path]) if path in emptied else one
            for path, one in repository.files.items()
        ],
        repository.graph.without(dead, emptied),
    )


def _emptied(facts: PythonFacts, dead: set[int]) -> PythonFacts:
    return msgspec.structs.replace(
        facts,
        definitions=tuple(
            _stub(one) if place in dead else one for place, one in enumerate(facts.definitions)
        ),
        calls=tuple(one for one in facts.calls if one.scope not in dead),
        assigns=tuple(one for one in facts.assigns if one.scope not in dead),
        raises=tuple(one for one in facts.raises if one.scope not in dead),
        references=tuple(one for one in facts.references if one.scope not in dead),
        imports=tuple(one for one in facts.imports if one.scope not in dead),
    )


def _stub(one: Definition) -> Definition:
    return msgspec.structs.replace(one, stub=True, bases=(), decorators=(), params=(), returns=())
