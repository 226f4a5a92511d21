"""Plugin registry: register functions, entry points, listing, collisions."""

import re
from collections.abc import Iterator
from typing import Final

from audit.code.modules import is_public
from audit.practices.decorating import uses_at_import
from audit.practices.libraries import named
from audit.practices.listings import LISTS, listings
from audit.practices.origins import by_file, of_topic
from audit.practices.ranking import apart, is_corner
from audit.practices.registrations import Registration, inside, registrations
from audit.practices.registry import Place, at, in_code, practice
from audit.repository import Repository
from audit.sites import Site, blocks_from


@practice("plugin-registry", looks_for="register functions that store an implementation by name")
def plugin_registry(repo: Repository) -> Iterator[Place]:
    """Implementations are registered by name.

    A function or decorator that is called register-something, a method of a registry
    class, a metaclass or a subclass hook stores its argument, or the class, under a name in
    a mapping that outlives it. By whatever name: a function that decorates others, or is
    handed them, while a module is imported, and stores them by name.

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
        A registry that is filled from the tables of modules, without a function that others
        call, is not recognised.
    Drop-in: codex_ml.plugins
    """
    yield from apart([one for _, one in sorted(_registers(repo), key=lambda row: row[0])])


def _registers(repo: Repository) -> Iterator[tuple[tuple[bool, bool, int, int], Place]]:
    """Yield the registers with their rank: on the main path, with which most is registered while
    modules are imported, near the root."""

    def rank(path: str, uses: int) -> tuple[bool, bool, int, int]:
        return is_corner(path), not uses, path.count("/"), -uses

    for one in registrations(repo):
        function = one.module.facts.definitions[one.function]
        says = f"stores its argument by name in {one.store.rpartition(':')[2]}"
        place = in_code(one.module, one.function, function.line, says)
        yield rank(place.path, uses_at_import(repo, one.module, function.name)), place
    for place in of_topic(repo, "registries", "registry of {}"):
        yield rank(place.path, 1), place


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
    yield from of_topic(repo, "entry-point-readers", "entry points read with {}")
    if any(repo.calls("catalogue.*")) or any(repo.classes(r"^catalogue\.Registry")):
        for site, value in repo.given("entry_points"):
            if value == "True":
                yield at(site, "a registry that reads entry points, too")
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
    yield from by_file(repo, listings(repo))
    known = (*repo.calls(*named("entry-point-readers")), *_metadata(repo))
    readers = {one.node for one in known}
    near = repo.graph.within(readers, 2, up=True)
    for module, place, one in repo.functions(LISTS.pattern) if readers else ():
        if module.first + place in near and is_public(one.name):
            yield in_code(module, place, one.line, "the discovered plugins are listed")
    for site in repo.methods("list_plugin_distinfo", "list_name_plugin", "get_plugins"):
        if any("pluggy" in one for one in site.names):
            yield at(site, "plugins are listed")


@practice("plugin-collision-guard", looks_for="a check for taken names in register functions")
def plugin_collision_guard(repo: Repository) -> Iterator[Place]:
    """Registering a name twice is refused or reported.

    A condition that looks for the name in the mapping raises or warns, in the register function
    or in one that it calls, or lets a flag decide (``force``, ``overwrite``).

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
_FLAG: Final = re.compile(r"@\w*(overrid|overwrit|force|replace|exist_ok|allow)")


def _guards(repo: Repository) -> Iterator[Place]:
    yield from of_topic(repo, "guarded-registries", "the registry of {} refuses a taken name")
    for one in registrations(repo):
        around = inside(one)
        for scope, block, line in _refusals(one, around | _checkers(repo, one, around)):
            if _asks_taken(one, block, of_key=scope in around):
                yield in_code(one.module, scope, line, "a taken name is refused or reported")
        for scope, line in _overrides(one, around):
            yield in_code(one.module, scope, line, "a taken name is replaced on request alone")


def _refusals(one: Registration, scopes: frozenset[int]) -> Iterator[tuple[int, int, int]]:
    """Yield scope, block and line of what raises or warns in some functions."""
    facts = one.module.facts
    for raised in facts.raises:
        if raised.scope in scopes:
            yield raised.scope, raised.block, raised.line
    for call in facts.calls:
        if call.scope in scopes and call.names[0].rpartition(".")[2] in _WARNS:
            yield call.scope, call.block, call.line


def _checkers(repo: Repository, one: Registration, around: frozenset[int]) -> frozenset[int]:
    """Return the functions of the same module that a register function calls."""
    first, count = one.module.first, len(one.module.facts.definitions)
    called = {node - first for scope in around for node in repo.graph.edges[first + scope]}
    return frozenset(place for place in called - around if 0 < place < count)


def _asks_taken(one: Registration, block: int, *, of_key: bool) -> bool:
    """Tell whether a condition around a refusal asks for the key in the mapping."""
    return any(
        around.kind in ("if", "else") and _is_taken(one, around.text, of_key=of_key)
        for around in blocks_from(one.module, block)
    )


def _is_taken(one: Registration, text: str, *, of_key: bool = True) -> bool:
    """Tell whether a condition asks whether the mapping has the key."""
    if of_key and (f"{one.key} in " in text or f"{one.key} not in " in text):
        return True
    return any(f"{lead}{one.written}{tail}" in text for lead, tail in _MEMBERS)


_MEMBERS: Final = ((" in ", ""), ("", ".get()"), ("", "["))
"""What is around a mapping where a condition looks for a key in it."""


def _overrides(one: Registration, around: frozenset[int]) -> Iterator[tuple[int, int]]:
    """Yield the conditions of a register function that let a flag decide over a taken name."""
    facts = one.module.facts
    for place in sorted(around):
        function = facts.definitions[place]
        for block in facts.blocks:
            within = block.kind == "if" and function.line <= block.line <= function.end
            if within and _FLAG.search(block.text) and _is_taken(one, block.text):
                yield place, block.line
