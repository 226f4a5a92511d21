"""Code that reads data, as the practices about data know it."""

import re
from collections.abc import Iterator
from typing import Final

from audit.code.modules import Module
from audit.practices.loops import classes_around, library_calls, own_name
from audit.practices.registry import Place, at, in_code
from audit.repository import Repository

HOLDS_DATA: Final = re.compile(
    r"data(?!_parallel)(?!_proto)|loader|sampler|iterator|(?<!micro)(?<!micro_)batch(?!_size)|stream|reader|corpus|fetcher"
)


def uses(repo: Repository, topic: str) -> Iterator[Place]:
    """Yield calls of a topic's libraries."""
    return (at(site, f"uses {what}") for site, what in library_calls(repo, topic))


def derived(repo: Repository, bases: str, says: str) -> Iterator[Place]:
    """Yield classes whose ancestors the pattern finds; `says` follows their name."""
    for module, place, one in repo.classes(bases):
        if not one.stub or one.bases:
            yield in_code(module, place, one.line, f"{one.name} {says}")


def names_around(module: Module, scope: int) -> tuple[str, ...]:
    """Return the names of a definition and of the classes around it, in snake case."""
    one = module.facts.definitions[scope]
    return own_name(one), *(own_name(c) for _, c in classes_around(module, scope))
