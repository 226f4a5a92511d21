"""Where product code keeps implementations by name: the statements of register functions."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from audit.code.modules import Module
from audit.facts.model import Definition
from audit.practices.decorating import at_import, decorators
from audit.repository import Repository, once

_ITEM: Final = re.compile(r"(?P<store>([:\w.@]+(\(\))?|\{\})(\['[^']*'\])?)\[(?P<key>.*)\]$")
_PAIR: Final = re.compile(r"\{(?P<key>[^{}:]+): (?P<value>[^{}]+)\}$")
_REGISTERS: Final = re.compile(r"regist|^add_\w*(class|type|backend|plugin|factory|provider)$")
_OTHERS: Final = re.compile(
    r"hook|buffer|param|event|callback|checkpoint|state|unregister|signal|worker|_pool(?![a-z])"
)
"""Words of register functions that keep no implementations by name."""
_CALLED: Final = re.compile(r"^(add|insert|put|__call__|__setitem__)$")
_REGISTRY_CLASS: Final = re.compile(r"Regist|Factory|PluginManager")
_MAPPINGS: Final = re.compile(r"^(builtins\.dict|collections\.(UserDict|OrderedDict)|typing\.Dict)")
_METACLASS: Final = re.compile(r"^(builtins\.type|abc\.ABCMeta)\b|Meta$")


class Registration(NamedTuple):
    """A statement that stores a named implementation, in a function that others may call."""

    module: Module
    scope: int
    function: int
    """Index of the outermost function around the statement."""
    written: str
    """The mapping as the statement names it."""
    store: str
    """Absolute text of the mapping; of an attribute with its class: ``pkg.mod:Registry.items``."""
    key: str


class _Stored(NamedTuple):
    scope: int
    store: str
    key: str
    value: str


@once
def registrations(repo: Repository) -> tuple[Registration, ...]:
    """Return the statements of register functions that map a name to an implementation."""
    return tuple(_registrations(repo))


def _registrations(repo: Repository) -> Iterator[Registration]:
    for module in repo.product:
        definitions = module.facts.definitions
        for one in _stored(module):
            functions = _functions(definitions, one.scope)
            if not functions or _is_about_classes(definitions[functions[0]], one):
                continue
            kept = one._replace(store=_store(module, functions[-1], one.store))
            if (
                _is_argument(module, kept) and _registers(repo, module, functions, kept)
            ) or _subclasses(repo, module, functions, kept):
                store = _identity(repo, module, functions[-1], kept.store)
                yield Registration(module, one.scope, functions[-1], one.store, store, one.key)


def _store(module: Module, function: int, written: str) -> str:
    """Return a mapping as its own class sees it, that which a function hands out too."""
    definitions = module.facts.definitions
    if written.endswith("()"):
        place = module.by_name.get(written[1:-2]) if written[0] == ":" else None
        handed = definitions[place].returns if place is not None else ()
        written = handed[0] if len(handed) == 1 else ""
    owner = definitions[definitions[function].parent].name
    own = f":{owner}." if owner else ""
    return f"self.{written.removeprefix(own)}" if own and written.startswith(own) else written


def _is_about_classes(function: Definition, one: _Stored) -> bool:
    """Tell whether a decorator stores something else under what it decorates: no name for it."""
    return (
        one.key in function.returns
        and one.key[:1] == "@"
        and not re.search(rf"{one.key}\b", one.value)
    )


def _stored(module: Module) -> Iterator[_Stored]:
    """Yield what a module stores under keys: by an item, ``setdefault`` or ``update``."""
    for one in module.facts.assigns:
        if one.target[-1:] == "]" and one.operator == "=" and (found := _ITEM.match(one.target)):
            yield _Stored(one.scope, found["store"], found["key"], one.value)
    for call in module.facts.calls:
        if call.args and call.scope:
            store, _, last = call.names[0].rpartition(".")
            if last == "setdefault" and len(call.args) == 2:
                yield _Stored(call.scope, store, *call.args)
            elif last == "update" and (pair := _PAIR.match(call.args[0])):
                yield _Stored(call.scope, store, pair["key"], pair["value"])


def _is_argument(module: Module, one: _Stored) -> bool:
    """Tell whether what is stored is an argument, or made from the arguments.

    What is looked up in an argument by the same key is an attribute of the name, no
    implementation.
    """
    if re.fullmatch(r"@\w+\[\]", one.value):
        return False
    if "@" in one.value or not one.value.endswith("()"):
        return "@" in one.value
    return "@" in one.key or (one.key.startswith(f"{one.value}.") and _is_given(module, one, "@"))


def _is_given(module: Module, one: _Stored, wanted: str) -> bool:
    """Tell whether what a statement stores is made by a call that is given something."""
    return any(
        call.scope == one.scope
        and one.value[:-2] in call.names
        and any(wanted in text for text in (*call.args, *(text for _, text in call.kwargs)))
        for call in module.facts.calls
    )


def _is_handed_on(module: Module, one: _Stored) -> bool:
    """Tell whether a statement stores an argument, or what is made with one, by another."""
    return "@" in one.key and ("@" in one.value or _is_given(module, one, "@"))


def _functions(definitions: tuple[Definition, ...], place: int) -> list[int]:
    """Return the functions around a scope, innermost first."""
    found = []
    while place > 0:
        if definitions[place].kind == "function":
            found.append(place)
        place = definitions[place].parent
    return found


def _registers(repo: Repository, module: Module, functions: list[int], one: _Stored) -> bool:
    """Tell whether the functions around a statement make it one that registers: by their name,
    by what they return, by how they are used."""
    definitions = module.facts.definitions
    names = [definitions[place].name.rpartition(".")[2] for place in functions]
    named_so = any(_REGISTERS.search(name) and not _OTHERS.search(name) for name in names)
    if not one.store:
        return False
    if one.store[0] == "s" and one.store.startswith("self"):
        return _in_class(repo, module, functions, one, names, named_so=named_so)
    if one.store.startswith("{}"):
        return named_so and len(functions) > 1
    if one.store[0] == "@" and _is_keywords(definitions[functions[0]], one.store[1:]):
        return False
    if named_so or _decorates(module, definitions[functions[0]], one):
        return True
    outer = functions[-1]
    return (
        one.store[0] == ":"
        and _is_handed_on(module, one)
        and definitions[outer].parent == 0
        and at_import(repo, module, definitions[outer].name)
    )


def _in_class(
    repo: Repository,
    module: Module,
    functions: list[int],
    one: _Stored,
    names: list[str],
    *,
    named_so: bool,
) -> bool:
    """Tell whether a method registers: of a registry, in a mapping that all users share, or
    behind a decorator that an object of the class offers."""
    definitions = module.facts.definitions
    owner = definitions[functions[-1]].parent
    if definitions[owner].kind != "class":
        return False
    if _is_registry(repo, module, owner) and any(map(_CALLED.match, names)):
        return True
    if named_so and (
        _is_registry(repo, module, owner)
        or any(map(_MAPPINGS.match, repo.program.ancestry(module.first + owner)))
        or _is_shared(module, owner, one.store.partition(".")[2])
    ):
        return True
    node = module.first + functions[-1]
    return _is_handed_on(module, one) and any(
        node in repo.graph.within([decorator], 3, up=False)
        for decorator in decorators(repo).get(module.first + owner, ())
    )


def _is_keywords(function: Definition, name: str) -> bool:
    """Tell whether a name is the one of a function's further keywords."""
    kinds = dict(zip(function.params, function.kinds, strict=False))
    return kinds.get(name.partition(".")[0]) == "^"


def _decorates(module: Module, function: Definition, one: _Stored) -> bool:
    """Tell whether a function stores in a module's mapping what it returns: a decorator."""
    if any(text.startswith(f"{one.store}[") for text in function.returns):
        return False  # a cache
    taken = [text for text in function.params if text not in ("self", "cls")]
    given = f"@{taken[0]}" if len(taken) == 1 else ""
    return (
        bool(given)
        and one.store[0] == ":"
        and given in function.returns
        and (bool(re.search(rf"{given}\b", one.value)) or _is_given(module, one, given))
    )


def _subclasses(repo: Repository, module: Module, functions: list[int], one: _Stored) -> bool:
    """Tell whether a class keeps what is derived from it: a metaclass, a subclass hook."""
    definitions = module.facts.definitions
    name = definitions[functions[-1]].name.rpartition(".")[2]
    if name == "__init_subclass__":
        return one.value == "self"
    owner = definitions[functions[-1]].parent
    if name not in ("__new__", "__init__") or definitions[owner].kind != "class":
        return False
    made = one.value == "self" or one.value.endswith(".__new__()")
    return made and any(map(_METACLASS.search, repo.program.ancestry(module.first + owner)))


def _is_registry(repo: Repository, module: Module, owner: int) -> bool:
    """Tell whether a class says that it keeps implementations."""
    name = module.facts.definitions[owner].name.rpartition(".")[2]
    ancestry = repo.program.ancestry(module.first + owner)
    texts = (name, *(one.rpartition(":")[2] for one in ancestry))
    return any(map(_REGISTRY_CLASS.search, texts))


def _is_shared(module: Module, owner: int, attribute: str) -> bool:
    """Tell whether all users see one mapping: of the class, or of its one instance."""
    one = module.facts.definitions[owner]
    own = attribute.partition("[")[0]
    return (
        f":{one.name}()" in module.values.values()
        or any(base.startswith("metaclass=") and "Singleton" in base for base in one.bases)
        or any(
            kept.scope == owner and kept.target.rpartition(".")[2] == own
            for kept in module.facts.assigns
        )
    )


def _identity(repo: Repository, module: Module, function: int, store: str) -> str:
    if store.startswith("self"):
        definitions = module.facts.definitions
        owner = definitions[definitions[function].parent].name
        return f"{module.dotted}:{owner}{store.removeprefix('self')}"
    if store.startswith("{}"):
        return f"{module.dotted}:{module.facts.definitions[function].name}{store}"
    return repo.program.resolve(module, store)[0]


def inside(one: Registration) -> frozenset[int]:
    """Return the functions around a registration, those that it is nested in too."""
    return frozenset({one.function, *_functions(one.module.facts.definitions, one.scope)})
