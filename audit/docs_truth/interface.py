"""Interfaces: what docstrings say of parameters, what has changed since the last release."""

from collections.abc import Iterator
from typing import Final

from audit.code.modules import Module, is_public
from audit.docs_truth.kinds import kind
from audit.docs_truth.model import HOLDS, Claim, Judged, Unknown, Verdict, Wrong, nearest
from audit.docs_truth.world import Release, World
from audit.facts.model import Definition
from audit.repository import Repository

_WRAPPED: Final = Unknown("a function that a decorator may change")
_OPEN: Final = Unknown("a function that takes any keyword")
_PARSER: Final = "argparse.ArgumentParser"
_PLAIN: Final = frozenset({
    "builtins.staticmethod", "builtins.classmethod", "abc.abstractmethod",
    "functools.cache", "functools.lru_cache()", "typing.override", "contextlib.contextmanager",
    "contextlib.asynccontextmanager", "torch.no_grad()", "torch.inference_mode()", "typing.final",
})  # fmt: skip


@kind("docstring-parameter")
def parameters(world: World) -> Iterator[Judged]:
    """A docstring describes a parameter that the function does not have."""
    for module in world.repo.product:
        for place, one in enumerate(module.facts.definitions):
            for name, line in one.said:
                claim = Claim(module.path, line, f"{one.name}: {name}")
                yield claim, _described(world, module, place, one, name)


def _described(world: World, module: Module, place: int, one: Definition, name: str) -> Verdict:
    if one.kind == "class":
        return _of_class(world, module, place, one, name)
    if name in one.params:
        return HOLDS
    if any(text not in _PLAIN for text in one.decorators):
        return _WRAPPED
    if "^" in one.kinds or "*" in one.kinds:
        return _OPEN
    if one.stub:
        return Unknown("a function that is no more than its signature")
    if any(call.scope == place and _PARSER in call.names for call in module.facts.calls):
        return Unknown("a function that reads a command line, whose options it describes")
    return Wrong(f"{one.name}() has no parameter {name}", nearest(name, one.params))


def _of_class(world: World, module: Module, place: int, one: Definition, name: str) -> Verdict:
    node = module.first + place
    known: frozenset[str] | None = world.namespace.members(node)
    for method in ("__init__", "__new__", "__call__"):
        if (found := world.repo.program.method(node, method)) >= 0:
            made = world.repo.program.definition(found)
            if name in made.params:
                return HOLDS
            if "^" in made.kinds or "*" in made.kinds:
                return _OPEN
            known = None if known is None else known | frozenset(made.params)
    if known is None:
        return Unknown("a class whose parameters are not all to be seen")
    if name in known:
        return HOLDS
    if f"_{name}" in known:  # attrs takes it without the underscore
        return HOLDS
    return Wrong(f"{one.name} has no parameter {name}", nearest(name, known))


# ---------------------------------------------------------------- last release
@kind("signature")
def signatures(world: World) -> Iterator[Judged]:
    """A public signature has changed since the last release, and the changelog is silent."""
    release = world.released
    if release is None:
        return
    now = _public(world.repo)
    for symbol, (_, before) in _public(release.repo).items():
        last = before.name.rpartition(".")[2]
        after = now.get(symbol)
        if after is None:
            continue
        claim = Claim(after[0], after[1].line, f"{symbol} since {release.tag}")
        change = _change(before, after[1])
        if not change or _is_told(release, last, before):
            yield claim, HOLDS
        else:
            yield claim, Wrong(change)


def _is_told(release: Release, last: str, before: Definition) -> bool:
    owner = before.name.rpartition(".")[0].rpartition(".")[2]
    told = release.changed
    return last in told if last != "__init__" else owner in told


def _public(repo: Repository) -> dict[str, tuple[str, Definition]]:
    """Return the functions that others may call, by dotted name."""
    return {
        f"{module.dotted}.{one.name}": (module.path, one)
        for module in repo.product
        if is_public(module.dotted) and not module.dotted.endswith("__main__")
        for one in module.facts.definitions
        if one.kind == "function"
        and (is_public(one.name) and (not one.name.rpartition(".")[2].startswith("__")
        or one.name.endswith("__init__")))
        and module.facts.definitions[one.parent].kind != "function"
    }  # fmt: skip


def _change(before: Definition, after: Definition) -> str:
    """Say what a caller of the released function would meet, empty for nothing."""
    if not before.kinds and before.params:
        return ""
    old = dict(zip(before.params, before.kinds, strict=True))
    new = dict(zip(after.params, after.kinds, strict=True))
    given = dict(after.defaults)
    takes_any = "^" in after.kinds
    if after.name != after.name.rpartition(".")[2]:  # nobody passes the first by its name
        for one in (old, new):
            one.update({name: "/" for name in list(one)[:1] if name in ("self", "cls")})
    for name, letter in old.items():
        if name not in new and letter != "/" and not takes_any:
            return f"parameter {name} is gone"
        if name in new and letter != new[name] and new[name] in "/k" and letter == ".":
            return f"parameter {name} is {'keyword' if new[name] == 'k' else 'positional'} only now"
    for name, letter in new.items():
        if name not in old and letter in "/.k" and name not in given:
            return f"parameter {name} is new and required"
    required = [name for name, _ in before.defaults if name in new and name not in given]
    if required:
        return f"parameter {required[0]} is required now"
    positional = [name for name, letter in new.items() if letter in "/."]
    was = [name for name, letter in old.items() if letter in "/."]
    if [one for one in positional if one in was] != [one for one in was if one in positional]:
        return "the order of parameters has changed"
    changed = [name for name, value in before.defaults if name in given and given[name] != value]
    return f"the default of {changed[0]} was {dict(before.defaults)[changed[0]]}" if changed else ""
