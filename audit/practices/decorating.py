"""What a module does while it is imported: the functions that decorate, or are handed, its own."""

from collections import Counter
from collections.abc import Mapping

from audit.code.modules import Module
from audit.practices.origins import made_of
from audit.repository import Repository, once
from audit.sites import Site


def at_import(repo: Repository, module: Module, function: str) -> bool:
    """Tell whether a module-level function decorates definitions, or is handed some while a
    module is imported."""
    return uses_at_import(repo, module, function) > 0


def uses_at_import(repo: Repository, module: Module, function: str) -> int:
    """Return how often a function or method decorates definitions, or is handed some while a
    module is imported."""
    name = f"{module.dotted}:{function}"
    plain = len(made_of(repo).get(name, ()))
    return plain + _handed(repo)[name]


@once
def _handed(repo: Repository) -> Counter[str]:
    """Count by callee the calls that decorate, and those of a module that are handed one of its
    definitions."""
    found: Counter[str] = Counter()
    for site in _at_import(repo):
        if _decorates(site) or (site.call.scope == 0 and _is_handed(site)):
            found.update({text for name in site.call.names for text, _ in _led(site, name)})
    return found


@once
def _at_import(repo: Repository) -> tuple[Site, ...]:
    """Return the calls that decorate, and those of the modules themselves."""
    return tuple(
        site for site in repo.all_calls if site.call.scope == 0 or site.call.decorates >= 0
    )


def _decorates(site: Site) -> bool:
    """Tell whether a call decorates, and not for something of a library: an override of it."""
    if site.call.decorates < 0:
        return False
    first = site.call.args[0] if site.call.args else ""
    return not (first[:1].isalpha() and "." in first and site.program.foreign[first])


def _led(site: Site, name: str) -> tuple[tuple[str, int], ...]:
    return site.program.follow(site.module, name)


def _is_handed(site: Site) -> bool:
    """Tell whether a call is given a function or class of the repository."""
    resolve, foreign = site.program.resolve, site.program.foreign
    return any(
        not foreign[text] and text[-1] not in ")]" and _is_made(site, resolve(site.module, text)[1])
        for text in (one.partition(" | ")[0] for one in site.arguments())
        if text
    )


def _is_made(site: Site, node: int) -> bool:
    return node >= 0 and site.program.definition(node).kind != "module"


@once
def decorators(repo: Repository) -> Mapping[int, frozenset[int]]:
    """Return by class the nodes of the methods that decorate as methods of an object of it, or of
    one of a class derived from it."""
    program = repo.program
    found: dict[int, set[int]] = {}
    for site in _at_import(repo):
        if not _decorates(site):
            continue
        for name in site.call.names:
            for _, node in _led(site, name):
                parent = program.definition(node).parent if node >= 0 else 0
                if parent > 0:
                    owner = program.owner[node].first + parent
                    if program.definition(owner).kind == "class":
                        for one in (owner, *program.bases(owner)):
                            found.setdefault(one, set()).add(node)
    return {owner: frozenset(nodes) for owner, nodes in found.items()}
