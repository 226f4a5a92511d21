"""Idioms of training and evaluation code that several capabilities ask about."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache
from typing import Final

from audit.code.modules import Module
from audit.facts.model import Block, Definition
from audit.practices import learners
from audit.practices.instantiated import instantiated
from audit.practices.libraries import named
from audit.practices.origins import partials
from audit.practices.ranking import is_corner
from audit.practices.registry import Place
from audit.repository import Repository, once
from audit.sites import Site

_BACKWARD: Final = ("backward", "manual_backward", "backward_step", "backward_pass")
_GRADIENTS: Final = (
    "jax.grad", "jax.value_and_grad", "flax.nnx.value_and_grad", "flax.nnx.grad",
    "mlx.nn.value_and_grad", "mlx.core.value_and_grad", "mlx.core.grad",
    "tensorflow.GradientTape().gradient", "equinox.filter_value_and_grad", "equinox.filter_grad",
    "megatron.core.pipeline_parallel.get_forward_backward_func()",
    "megatron.core.pipeline_parallel.schedules.get_forward_backward_func()",
)  # fmt: skip
_OPTIMIZER: Final = re.compile(r"optim|scaler\b|\bopt\b|Optimizer|GradScaler", re.IGNORECASE)
_IS_OPTIMIZER: Final = re.compile(r"(^@|\.)optim(izer)?$")
_NO_OPTIMIZER: Final = re.compile(r"sched|profil|\benvs?\b|simulator", re.IGNORECASE)
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@lru_cache(1 << 15)
def words(name: str) -> str:
    """Write an identifier in snake case: ``EarlyStopping`` becomes ``early_stopping``."""
    return _CAMEL.sub("_", name).lower()


def own_name(one: Definition) -> str:
    """Return the last part of a definition's name in snake case."""
    return _own(one.name)


@lru_cache(1 << 15)
def _own(name: str) -> str:
    return words(name.rpartition(".")[2])


def spread(places: Iterable[Place], first: Collection[str] = ()) -> Iterator[Place]:
    """Yield the first place of each file before the second of any.

    Files in `first` come first, code before settings, then those near the root and with most
    places; those aside of the main path last.
    """
    listed = list(places)
    count = Counter(one.path for one in listed)
    every = sorted(
        listed,
        key=lambda one: (
            is_corner(one.path),
            one.path not in first,
            not one.path.endswith(".py"),
            one.path.count("/"),
            -count[one.path],
        ),
    )
    rest: list[Place] = []
    seen: set[str] = set()
    for one in every:
        if one.path in seen:
            rest.append(one)
        else:
            seen.add(one.path)
            yield one
    yield from rest


def library_calls(repo: Repository, topic: str) -> Iterator[tuple[Site, str]]:
    """Yield calls of a topic's libraries with what they are called; a wildcard takes what a
    library offers, not the methods of what it returns."""
    for name, what in named(topic).items():
        for site in repo.calls(name):
            if "()" in name or any(_offers(name, one) for one in site.names):
                yield site, what
    yield from partials(repo, topic)


def _offers(name: str, called: str) -> bool:
    """Tell whether a text is a name of the table, or what a library of the table offers."""
    offered = called.startswith(name[:-1]) if name.endswith("*") else called == name
    return offered and "()" not in called


@once
def learns(repo: Repository) -> bool:
    """Tell whether product code uses a library of arrays or models at all."""
    return any(
        one.target.partition(".")[0] in named("array-libraries")
        for module in repo.product
        for one in module.facts.imports
    )


def scope_at(module: Module, line: int) -> int:
    """Return the innermost definition around a line."""
    definitions = module.facts.definitions
    inside = [place for place, one in enumerate(definitions) if one.line <= line <= one.end]
    return max(inside, key=lambda place: definitions[place].line, default=0)


def enclosing(module: Module, scope: int) -> Iterator[tuple[int, Definition]]:
    """Yield a definition and those around it, innermost first, the module left out."""
    while scope > 0:
        one = module.facts.definitions[scope]
        yield scope, one
        scope = one.parent


def outermost(module: Module, scope: int) -> int:
    """Return the function around nested functions that holds a scope."""
    definitions = module.facts.definitions
    while scope > 0 and definitions[definitions[scope].parent].kind == "function":
        scope = definitions[scope].parent
    return scope


def derives(repo: Repository, module: Module, scope: int, pattern: str) -> bool:
    """Tell whether a class around a scope is derived from one whose name the pattern finds."""
    return any(
        re.search(pattern, name)
        for place, one in classes_around(module, scope)
        for name in repo.program.ancestry(module.first + place)
    )


def classes_around(module: Module, scope: int) -> Iterator[tuple[int, Definition]]:
    """Yield the classes around a scope, innermost first."""
    return ((place, one) for place, one in enclosing(module, scope) if one.kind == "class")


def loops_around(site: Site) -> tuple[Block, ...]:
    """Return the loops around a call inside its definition, innermost first."""
    return tuple(one for one in site.blocks() if one.kind in ("for", "while"))


# ------------------------------------------------------------------ training
@once
def backward_calls(repo: Repository) -> tuple[Site, ...]:
    """Return calls that compute gradients of a loss, those of autograd functions left out."""
    return tuple(
        site
        for site in (*repo.methods(*_BACKWARD), *repo.calls(*_GRADIENTS))
        if not derives(repo, site.module, site.call.scope, r"autograd\.([Ff]unction|Function)\b")
    )


def is_optimizer_step(site: Site, *, beside_backward: bool = False) -> bool:
    """Tell whether a call named ``step`` updates parameters.

    The receiver says so: an optimizer or scaler by what it resolves to, or by the
    attribute or parameter that holds it. Beside a backward call any step without
    data, that is no scheduler's, profiler's or environment's, is one.
    """
    receivers = site.receivers
    if any(map(_IS_OPTIMIZER.search, receivers)):
        return True
    if any(map(_NO_OPTIMIZER.search, receivers)):
        return False
    if any(map(_OPTIMIZER.search, receivers)):
        return True
    return beside_backward and not site.call.args


_STEPPING: Final = re.compile(r"train|step|fit|update|optim")


def _steps_by_name(site: Site) -> bool:
    """Tell whether a training function steps an object that it holds under a computed name."""
    looked_up = site.receivers == ("builtins.getattr()",)
    return looked_up and len(site.call.args) <= 1 and bool(_STEPPING.search(own_name(site.scope)))


def optimizer_steps(repo: Repository) -> Iterator[Site]:
    """Yield calls that update parameters, an optimizer's own ``step`` left out."""
    for site in repo.methods("step"):
        known = is_optimizer_step(site) or _steps_by_name(site)
        if known and not _is_optimizers_own(repo, site):
            yield site
    yield from repo.methods("apply_gradients", "apply_updates", "optimizer_step", "lr_step")
    for site in repo.methods("update"):  # MLX and NNX: optimizer.update(model, gradients)
        known = any("optim" in one.lower() for one in site.receivers)
        if known and (len(site.call.args) == 2 or _is_given_gradients(site)):
            yield site


def _is_given_gradients(site: Site) -> bool:
    """Tell whether the only argument of a call is what JAX computed as gradients."""
    return len(site.call.args) == 1 and "grad()(" in site.call.args[0]


def _is_optimizers_own(repo: Repository, site: Site) -> bool:
    """Tell whether a call is in the ``step`` of an optimizer or scaler that wraps another."""
    scope = site.call.scope
    if own_name(site.scope) != "step":
        return False
    owners = (one for _, one in classes_around(site.module, scope))
    return any(_OPTIMIZER.search(one.name) for one in owners) or derives(
        repo, site.module, scope, _OPTIMIZER.pattern
    )


@once
def training_files(repo: Repository) -> frozenset[str]:
    """Return the files whose functions lead to a backward call."""
    nodes = {site.node for site in backward_calls(repo)}
    leading = repo.graph.within(nodes, 2, up=True)
    return frozenset(repo.program.owner[node].path for node in leading)


@once
def trains(repo: Repository) -> bool:
    """Tell whether product code takes part in training: gradients, an optimizer, a trainer."""
    return runs_training(repo) or any(repo.classes(r"torch\.optim\."))


@once
def runs_training(repo: Repository) -> bool:
    """Tell whether product code runs training, with a loop of its own or a trainer's."""
    return (
        any(own_name(site.scope) != "backward" for site in backward_calls(repo))
        or any(repo.classes(r"(^|[.:])\w*(Trainer|TrainingArguments|LightningModule)$"))
        or any(repo.calls("transformers.TrainingArguments", *named("trainers")))
        or any(repo.methods("train_on_batch"))
        or any(instantiated(repo, "trainers"))
        or any(learners.called(repo, *learners.TRAINS))
    )


def function_calls(repo: Repository, site: Site) -> Iterator[Site]:
    """Yield the calls of the function around a call, those of nested functions included."""
    module = site.module
    home = outermost(module, site.call.scope)
    for place, _ in enumerate(module.facts.definitions):
        if place == site.call.scope or (place and outermost(module, place) == home):
            yield from repo.by_scope.get(module.first + place, ())


def steps_beside(repo: Repository, site: Site) -> bool:
    """Tell whether the function around a call steps an optimizer, or one nested in it."""
    return any(
        one.method == "step" and is_optimizer_step(one, beside_backward=True)
        for one in function_calls(repo, site)
    )
