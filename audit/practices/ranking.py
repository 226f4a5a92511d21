"""Evidence in the order in which a maintainer would show it."""

import re
from collections import Counter
from collections.abc import Iterable
from typing import Final

from audit.practices.registry import Place
from audit.repository import Repository

_CORNER: Final = re.compile(
    r"(^|[/_])(experimental|legacy|contrib|deprecated|old|monkeypatch(es)?|patch(es)?|dev|sandbox|"
    r"research|projects|third_party|vendor|benchmarks?|examples?|tutorials?|prototypes?|extras?|"
    r"extensions?|integrations?|compat\w*|kernels|labs?|scratch|misc|skills|adhoc|telemetry)(?=[/_.]|$)",
    re.IGNORECASE,
)
"""Folders beside the main path."""


def central(repo: Repository, places: Iterable[Place], topic: str = "") -> list[Place]:
    """Return places by how central they are, the first of every file before any second.

    First come those on the main path, then those in a class or function whose name the
    topic finds, then those that most others use.
    """
    named = re.compile(topic or "$^", re.IGNORECASE)

    def rank(place: Place) -> tuple[bool, bool, int]:
        symbol = repo.program.definition(place.node).name if place.node >= 0 else place.symbol
        return is_corner(place.path), not named.search(symbol), -_uses(repo, place.node)

    return apart(sorted(places, key=rank))


def frequent(places: Iterable[Place]) -> list[Place]:
    """Return places by files: those on the main path first, then those with most of them."""
    every = list(places)
    count = Counter(one.path for one in every)
    return apart(sorted(every, key=lambda one: (is_corner(one.path), -count[one.path])))


def is_corner(path: str) -> bool:
    """Tell whether a file lies beside the main path."""
    return bool(_CORNER.search(path))


def apart(places: Iterable[Place]) -> list[Place]:
    """Return the first place of every file, then the others: three are shown, and they say
    more when they come from three files."""
    first: dict[str, Place] = {}
    rest = [one for one in places if first.setdefault(one.path, one) is not one]
    return [*first.values(), *rest]


def owner(repo: Repository, node: int) -> int:
    """Return the class around a definition, -1 for none."""
    program = repo.program
    module, parent = program.owner[node], program.definition(node).parent
    while parent > 0:
        if module.facts.definitions[parent].kind == "class":
            return module.first + parent
        parent = module.facts.definitions[parent].parent
    return -1


def _uses(repo: Repository, node: int) -> int:
    """Return how many definitions lead to one, or to the class that holds it."""
    if node < 0:
        return 0
    callers, around = repo.graph.callers, owner(repo, node)
    return max(len(callers[node]), len(callers[around]) if around >= 0 else 0)
