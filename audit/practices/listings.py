"""Which public functions say what is registered."""

import re
from collections.abc import Iterator
from typing import Final

from audit.code.modules import Module
from audit.facts.model import Definition
from audit.practices.libraries import library, named
from audit.practices.registrations import Registration, registrations
from audit.practices.registry import Place, in_code
from audit.repository import Repository

LISTS: Final = re.compile(
    r"^(?!(is|has|check|ensure|assert)_)("
    r"(list|ls|show|all|discover(ed)?)(_.*)?|.*_(names|list|keys|choices)|keys|names|choices|entries"
    r"|(.*_)?(available|registered|supported|installed)(_.*)?|get_(\w+_)?all\w*)$"
)
_FILTERS: Final = 3
"""How much a listing asks for at most, its object too: what it is narrowed by."""
_TAKES: Final = frozenset({"sorted", "list", "tuple", "keys", "set", "items", "iter"})
_TAIL: Final = re.compile(r"(\(\)|\.(keys|items|values|copy))+$")


def listings(repo: Repository) -> Iterator[Place]:
    """Yield the public functions that return or show what a registry keeps."""
    stores = {one.store for one in registrations(repo)}
    if stores:
        stores |= {*_filled(repo), *_beside(repo)}
    homes = {one.rpartition(":")[0] for one in stores}
    homes |= {site.module.dotted for site in repo.calls(*named("registries"))}
    public = repo.graph.public if homes else ()
    for module in repo.product if homes else ():
        if module.dotted not in homes and not any(one in homes for one in _imported(repo, module)):
            continue
        for place, one in enumerate(module.facts.definitions):
            if one.kind == "function" and not one.stub and module.first + place in public:
                line = _lists(repo, module, place, one, stores)
                if line:
                    yield in_code(module, place, line, "the registered names are listed")


def _imported(repo: Repository, module: Module) -> Iterator[str]:
    for target in module.imports.values():
        yield repo.program.resolve(module, target)[0].rpartition(":")[0]


def _filled(repo: Repository) -> Iterator[str]:
    """Yield the module-level mappings that functions fill under computed names."""
    for module in repo.product:
        empty = {
            one.target
            for one in module.facts.assigns
            if one.scope == 0 and one.value in ("{}", "builtins.dict()") and one.target[:1] == ":"
        }
        for one in module.facts.assigns if empty else ():
            head, _, key = one.target.partition("[")
            if one.scope and head in empty and key[:1] != "'":
                yield f"{module.dotted}{head}"


def _beside(repo: Repository) -> Iterator[str]:
    """Yield the collections to which classes with a registry add what they are given."""
    for module, owner in {(one.module, _owner(one)) for one in registrations(repo)}:
        definitions = module.facts.definitions
        for call in module.facts.calls:
            store, _, last = call.names[0].rpartition(".")
            if last in ("append", "add") and store.startswith("self.") and call.args:
                name = definitions[owner].name
                if call.args[0][0] == "@" and definitions[call.scope].name.startswith(f"{name}."):
                    yield f"{module.dotted}:{name}{store.removeprefix('self')}"


def _owner(one: Registration) -> int:
    """Return what holds a register function: its class, or the module."""
    return one.module.facts.definitions[one.function].parent


def _lists(repo: Repository, module: Module, place: int, one: Definition, stores: set[str]) -> int:
    """Return the line where a function lists a registry, 0 where it does not."""
    asked = len(one.params) - len(one.defaults)
    named_so = asked <= _FILTERS and bool(LISTS.search(one.name.rpartition(".")[2]))
    if named_so and one.returns:
        for read in module.facts.references:
            if read.scope == place and repo.program.resolve(module, read.name)[0] in stores:
                return read.line
    for site in repo.by_scope.get(module.first + place, ()):
        call = site.call
        callee = call.names[0].rpartition(".")[2]
        if callee not in _TAKES:
            continue
        returned = any(text.endswith(f"{callee}()") for text in one.returns)
        texts = (*call.args, *(name.rpartition(".")[0] for name in call.names))
        if (returned or named_so) and any(_is_store(repo, module, one, t, stores) for t in texts):
            return call.line
    return 0


def _is_store(
    repo: Repository, module: Module, one: Definition, text: str, stores: set[str]
) -> bool:
    """Tell whether a text reads a registry: what it keeps, or the object of a library."""
    head = _TAIL.sub("", text.partition(" | ")[0])
    if head.startswith("self"):
        owner = one.name.rpartition(".")[0]
        return any(
            f"{name}{head.removeprefix('self')}" in stores for name in _named(repo, module, owner)
        )
    if not head or head[0] in "@%'[{":
        return False
    resolved = repo.program.resolve(module, head)[0]
    return resolved in stores or bool(library("registries", (resolved,)))


def _named(repo: Repository, module: Module, owner: str) -> Iterator[str]:
    """Yield the absolute names of a class and of what it is derived from."""
    yield f"{module.dotted}:{owner}"
    if (place := module.by_name.get(owner)) is not None:
        yield from repo.program.ancestry(module.first + place)
