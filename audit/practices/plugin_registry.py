"""Plugin registry: register functions, entry points, listing, collisions."""

import re
from collections.abc import Iterator
from typing import Final

from audit.code.modules import Module
from audit.facts.model import Definition
from audit.practices.libraries import library, named
from audit.practices.origins import by_file, of_topic
from audit.practices.registrations import Registration, inside, registrations
from audit.practices.registry import Place, at, in_code, practice
from audit.repository import Repository, Site, blocks_from, is_public

_LISTS: Final = re.compile(
    r"^(list|ls|available|show|all|registered|installed|discovered)(_|$)|_(names|list|keys|choices|available)$|"
    r"^(keys|names|choices|entries)$|^get_(\w+_)?(all|available|registered|supported)\w*$"
)


@practice("plugin-registry", looks_for="register functions that store an implementation by name")
def plugin_registry(repo: Repository) -> Iterator[Place]:
    """Implementations are registered by name.

    A function or decorator that is called register-something, a method of a registry
    class, a metaclass or a subclass hook stores its argument, or the class, under a name in
    a mapping that outlives it.

    Why:
        Others can add an implementation without a patch, and configuration can name it.
    Fix:
        A ``register(name)`` decorator that stores classes or functions in one registry.
    Good:
        MODELS = {}
        def register_model(name):
            def decorate(cls):
                MODELS[name] = cls
                return cls
            return decorate
    Bad:
        MODELS = {"mlp": object}
        def make(name):
            return MODELS[name]()
    Limits:
        A registry whose functions carry other names is not recognised.
    Drop-in: codex_ml.plugins
    """
    yield from by_file(repo, _registry_places(repo))


def _registry_places(repo: Repository) -> Iterator[Place]:
    for one in registrations(repo):
        line = one.module.facts.definitions[one.function].line
        says = f"stores its argument by name in {one.store.rpartition(':')[2]}"
        yield in_code(one.module, one.function, line, says)
    yield from of_topic(repo, "registries", "registry of {}")


@practice("plugin-entry-points", looks_for="entry points of other packages that are read")
def plugin_entry_points(repo: Repository) -> Iterator[Place]:
    """Plugins of other packages are discovered through entry points.

    Why:
        A user installs a package and its plugins are there, without an import line.
    Fix:
        Read ``importlib.metadata.entry_points(group="...")`` when a name is not known.
    Good:
        from importlib.metadata import entry_points
        def plugins():
            return {one.name: one.load() for one in entry_points(group="demo.models")}
    Bad:
        from importlib.metadata import version
        def about():
            return version("demo")
    Drop-in: codex_ml.plugins
    """
    for site in repo.calls(*named("entry-point-readers")):
        yield at(site, f"entry points read with {library('entry-point-readers', site.names)}")
    for site in repo.methods("load_setuptools_entrypoints", "iter_entry_points"):
        yield at(site, "plugins loaded from entry points")
    for site in _metadata(repo):
        yield at(site, "entry points read from the metadata of installed packages")


def _metadata(repo: Repository) -> Iterator[Site]:
    """Yield calls that name the file in which installed packages declare their entry points."""
    for site in repo.methods("read_text", "join", "joinpath", "open", "locate_file"):
        if "'entry_points.txt'" in site.call.args:
            yield site


@practice("plugin-listing", looks_for="public functions that list what is registered")
def plugin_listing(repo: Repository) -> Iterator[Place]:
    """What is registered can be listed.

    A public function counts that returns the names kept by a registry, or is
    called a listing and reads the registry or the entry points of other packages.

    Why:
        A user cannot choose what cannot be seen.
    Fix:
        A public ``list_models()`` that returns the sorted names.
    Good:
        MODELS = {}
        def register_model(name, cls):
            MODELS[name] = cls
        def list_models():
            return sorted(MODELS)
    Bad:
        MODELS = {}
        def register_model(name, cls):
            MODELS[name] = cls
        def make(name):
            return MODELS[name]()
    Limits:
        A registry that is a public mapping without a function is not counted.
    """
    stores = {one.store for one in registrations(repo)}
    if stores:
        stores |= set(_filled(repo))
        yield from by_file(repo, _listings(repo, stores))
    known = (*repo.calls(*named("entry-point-readers")), *_metadata(repo))
    readers = {one.node for one in known}
    near = repo.graph.within(readers, 2, up=True)
    for module, place, one in repo.functions(_LISTS.pattern) if readers else ():
        if module.first + place in near and is_public(one.name):
            yield in_code(module, place, one.line, "the discovered plugins are listed")
    for site in repo.methods("list_plugin_distinfo", "list_name_plugin", "get_plugins"):
        if any("pluggy" in one for one in site.names):
            yield at(site, "plugins are listed")


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


def _listings(repo: Repository, stores: set[str]) -> Iterator[Place]:
    homes = {one.rpartition(":")[0] for one in stores}
    public = repo.graph.public
    for module in repo.product:
        if module.dotted not in homes and not any(t in homes for t in _imported(repo, module)):
            continue
        for place, one in enumerate(module.facts.definitions):
            if one.kind == "function" and not one.stub and module.first + place in public:
                line = _lists(repo, module, place, one, stores)
                if line:
                    yield in_code(module, place, line, "the registered names are listed")


def _imported(repo: Repository, module: Module) -> Iterator[str]:
    for target in module.imports.values():
        yield repo.program.resolve(module, target)[0].rpartition(":")[0]


def _lists(repo: Repository, module: Module, place: int, one: Definition, stores: set[str]) -> int:
    """Return the line where a function lists a registry, 0 where it does not."""
    named_so = bool(_LISTS.search(one.name.rpartition(".")[2]))
    if named_so and one.returns:
        for read in module.facts.references:
            if read.scope == place and repo.program.resolve(module, read.name)[0] in stores:
                return read.line
    for site in repo.by_scope.get(module.first + place, ()):
        call = site.call
        callee = call.names[0].rpartition(".")[2]
        listing = callee in ("sorted", "list", "tuple", "keys", "set", "items", "iter")
        if not listing:
            continue
        returned = any(text.endswith(f"{callee}()") for text in one.returns)
        texts = (*call.args, *(name.rpartition(".")[0] for name in call.names))
        if (returned or named_so) and any(_is_store(repo, module, one, t, stores) for t in texts):
            return call.line
    return 0


def _is_store(
    repo: Repository, module: Module, one: Definition, text: str, stores: set[str]
) -> bool:
    head = text.partition(" | ")[0].removesuffix("()").removesuffix(".keys").removesuffix(".items")
    if head.startswith("self"):
        owner = one.name.rpartition(".")[0]
        return f"{module.dotted}:{owner}{head.removeprefix('self')}" in stores
    return bool(head) and head[0] not in "@%'[{" and repo.program.resolve(module, head)[0] in stores


@practice("plugin-collision-guard", looks_for="a check for taken names in register functions")
def plugin_collision_guard(repo: Repository) -> Iterator[Place]:
    """Registering a name twice is refused or reported.

    Why:
        Two plugins with one name otherwise replace each other by import order.
    Fix:
        Raise when the name is taken, unless an explicit override is given.
    Good:
        MODELS = {}
        def register_model(name, cls):
            if name in MODELS:
                raise ValueError(f"{name} is registered already")
            MODELS[name] = cls
    Bad:
        MODELS = {}
        def register_model(name, cls):
            MODELS[name] = cls
    """
    yield from by_file(repo, _guards(repo))


_WARNS: Final = frozenset({"warn", "warning", "error", "rank_zero_warn", "warn_once"})


def _guards(repo: Repository) -> Iterator[Place]:
    yield from of_topic(repo, "guarded-registries", "the registry of {} refuses a taken name")
    for one in registrations(repo):
        facts = one.module.facts
        around = inside(one)
        refusals = [(each.scope, each.block, each.line) for each in facts.raises]
        refusals += [
            (each.scope, each.block, each.line)
            for each in facts.calls
            if each.scope in around and each.names[0].rpartition(".")[2] in _WARNS
        ]
        for scope, block, line in refusals:
            if scope in around and _asks_taken(one, block):
                yield in_code(one.module, scope, line, "a taken name is refused or reported")


def _asks_taken(one: Registration, block: int) -> bool:
    """Tell whether a condition around a refusal asks for the key in the mapping."""
    for around in blocks_from(one.module, block):
        text = around.text
        if around.kind in ("if", "else") and (
            f"{one.key} in " in text
            or f"{one.key} not in " in text
            or f" in {one.written}" in text
            or f"{one.written}.get()" in text
            or f"{one.written}[" in text
        ):
            return True
    return False
