"""How values reach calls: arguments, and what callers hand on."""

import re
from collections.abc import Iterator
from typing import Final

from audit.code.modules import Module
from audit.repository import Repository
from audit.sites import Site

_LOCAL: Final = re.compile(r"%\w+")
_RARE: Final = 16
"""So many calls by a method's name alone may be of this one; more are of many classes."""
_MODULE: Final = re.compile(r"[\w.]+:(?=\w)")


def api(text: str) -> str:
    """Return what a text owes to APIs: names of locals and of the repository's modules left out."""
    return _MODULE.sub("", _LOCAL.sub("%", text))


def argument(site: Site, place: int, *keywords: str) -> str:
    """Return the text of an argument by position or keyword, empty where it is not given."""
    for keyword in keywords:
        if (value := site.call.keyword(keyword)) is not None:
            return value
    return site.call.args[place] if place < len(site.call.args) else ""


def callers(repo: Repository, module: Module, scope: int) -> Iterator[Site]:
    """Yield the calls that lead to a function by its resolved name, or by a rare method name."""
    name = module.facts.definitions[scope].name
    if name:
        yield from repo.calls(f"{module.dotted}:{name}")
        if "." in name:
            unresolved = [s for s in repo.methods(name.rpartition(".")[2]) if ":" not in s.names[0]]
            yield from unresolved if len(unresolved) <= _RARE else ()


def handed(repo: Repository, site: Site, text: str, depth: int = 3) -> Iterator[str]:
    """Yield a text and, where it is a parameter, what callers hand to it."""
    yield text
    found = re.match(r"\*?@(\w+)", text)
    one = site.scope
    if found is None or found[1] not in one.params or depth == 0:
        return
    place = one.params.index(found[1]) - (one.params[0] in ("self", "cls"))
    for caller in callers(repo, site.module, site.call.scope):
        if found[1].endswith(("kwargs", "kw")):
            yield from (value for _, value in caller.call.kwargs)
        yield from handed(repo, caller, argument(caller, place, found[1]), depth - 1)
