"""Symbols in prose: code spans that name an object of the project by its dotted name."""

import re
from collections.abc import Iterator
from typing import Final

from audit.docs_truth.kinds import kind
from audit.docs_truth.model import HOLDS, Claim, Judged, Unknown, Verdict, Wrong
from audit.docs_truth.pages import Page
from audit.docs_truth.project import names_group
from audit.docs_truth.world import World

_DOTTED: Final = re.compile(r"^@?([A-Za-z_]\w*(?:[.:][A-Za-z_]\w*)+)(?:\(.*\))?$")
_FILE: Final = re.compile(
    r"\.(ya?ml|json|toml|db|py|pyi|md|rst|txt|ini|cfg|js|css|html|com|org|io|dev|net|lock|sh|csv"
    r"|sqlite|log|whl|zip|gz|tar|xml|svg|png|pth|pt|bin|so|yml|j2)$"
)
_GIVEN: Final = Unknown("a name that a block of the page gives as a value")
_TAG: Final = re.compile(r":(latest|stable|nightly|edge|main|dev)$")
"""Of a container image: ``kit:latest``."""
_VERSIONED: Final = re.compile(r"\.v\d+$")
"""A name of a registry: ``spacy.Tok2Vec.v1``."""


@kind("symbol")
def symbols(world: World) -> Iterator[Judged]:
    """A dotted name in prose that the project does not have."""
    for page in world.present:
        for span in page.facts.spans:
            found = _DOTTED.match(span.text.strip())
            if (
                found is None
                or _VERSIONED.search(found[1])
                or _TAG.search(found[1])
                or _FILE.search(found[1])
                or names_group(page, span)
            ):
                continue
            name = found[1].replace(":", ".")
            verdict = judge(world, name)
            if isinstance(verdict, Wrong) and _is_given(page, name):
                verdict = _GIVEN
            if verdict is not None:
                yield Claim(page.path, span.line, span.text), verdict


def _is_given(page: Page, name: str) -> bool:
    """Tell whether a block of the page gives a name as a value: what the reader is to write."""
    return any(f"'{name}'" in one.text or f'"{name}"' in one.text for one in page.facts.fences)


def judge(world: World, name: str) -> Verdict | None:
    """Look a dotted name up; nothing for a name that does not start with one of ours."""
    space = world.namespace
    first, _, rest = name.partition(".")
    if first in space.tops:
        verdict = space.look(name)
        if isinstance(verdict, Wrong):
            return _spared(world, name, first, rest) or verdict
        return verdict
    nodes = space.classes.get(first, ())
    if len(nodes) == 1 and "." not in rest and _is_offered(world, first):
        member = space.member(nodes[0], rest, first)
        return member if isinstance(member, Wrong | Unknown) else HOLDS
    return None


def _spared(world: World, name: str, first: str, rest: str) -> Verdict | None:
    """Return why a name that no module has may mean something else."""
    if f'"{name}"' in world.code or f"'{name}'" in world.code:
        return Unknown("a dotted name that is a string in the code")
    for one, nodes in world.namespace.classes.items():
        if one.lower() == first.replace("_", "").lower():
            member = world.namespace.member(nodes[0], rest.partition(".")[0], one)
            return HOLDS if not isinstance(member, Wrong) else Unknown("it may be an instance")
    return None


def _is_offered(world: World, name: str) -> bool:
    """Tell whether a top-level package offers a class by its name alone."""
    return any(
        not isinstance(world.namespace.look(f"{top}.{name}"), Wrong)
        and name in (*world.namespace.modules[top].imports, *world.namespace.modules[top].by_name)
        for top in world.namespace.tops
    )
