"""Training: what its users hook into the loop, and what ends it early."""

import re
from collections.abc import Iterator
from typing import Final

from audit.code.modules import Module
from audit.practices.gradient_guards import losses
from audit.practices.libraries import library
from audit.practices.loops import (
    classes_around,
    derives,
    own_name,
    runs_training,
    scope_at,
    spread,
    training_files,
)
from audit.practices.options import configured
from audit.practices.origins import of_topic
from audit.practices.registry import Place, at, in_code, practice
from audit.repository import Repository
from audit.sites import Site

_HOOK: Final = re.compile(
    r"^(on|before|after)_(\w+_)?(train|fit|epoch|step|batch|rollout|iteration|update|backward|"
    r"optimizer|training|loss|forward|eval\w*)(_\w+)?$"
)


_HOOKS: Final = re.compile(r"callback|hook|event_handler|listener", re.IGNORECASE)


_ELEMENT: Final = re.compile(r"(callback|handler|listener)s?(\(\))?\[\]$")


_MODULE_HOOK: Final = re.compile(r"forward|backward|module|state_dict|remov|grad|save|load|param")


_RUNS: Final = re.compile(
    r"(^self|(^|[._:])(\w*(run|event|fire|trigger|emit|dispatch|notify|hooks?|callbacks?|call)))$"
)


_ITEM: Final = re.compile(r"\[\](\[\d\]|\.\w*(handler|callback|func|fn))?$")


_STOPPER: Final = re.compile(r"early_?stop|stop_early|stop_training|no_\w*improvement|stop_train")


_COMPARES: Final = re.compile(r" (>=|>|<|<=|==) ")
_DECIDES: Final = re.compile(rf"{_COMPARES.pattern}|^(self\.|@)[\w.]+\(\)$")
"""A comparison, or what a function of the user says."""


_OUT_OF_PATIENCE: Final = re.compile(
    r"(>=|>|==) \S*(patience|early_?stop|before_stop|(without|no)_improve\w*|max_(bad|stale|stall)_)|"
    r"\w*(early_?stop|stop_early)\w*\(\)"
)


_INTERRUPTS: Final = re.compile(
    r"(Train(ing)?_?(Interrupt|Stop)|(Stop|Interrupt)_?Training|EarlyStop)\w*$"
)


@practice("train-callbacks", looks_for="hooks of users that the training loop calls")
def train_callbacks(repo: Repository) -> Iterator[Place]:
    """Users can hook into the training loop.

    The loop calls methods of callbacks at named points, or runs the functions that
    users registered; or it calls several empty methods of its own class that users fill
    in; or callbacks are handed on to the engine that trains.

    Why:
        Logging, early stopping or sampling should not need a fork of the loop.
    Fix:
        Take a list of callbacks and call each at the start and end of step and epoch.
    Good:
        def fit(model, optimizer, batches, callbacks):
            for batch in batches:
                model(batch).backward()
                optimizer.step()
                for callback in callbacks:
                    callback.on_step_end(model)
    Bad:
        def watch(model):
            handles = [m.register_forward_hook(print) for m in model.modules()]
            return handles
    Drop-in: codex_ml.training.Callback
    """
    if not runs_training(repo):
        return
    found = [*of_topic(repo, "callback-classes", "is called by the loop of {}")]
    found += [at(s, f"calls {s.method} of callbacks") for s in _hook_calls(repo)]
    near = _near_training(repo)
    found += [at(s, "runs the registered callbacks") for s in _registered(repo) if s.node in near]
    found += [at(s, f"calls {s.method}, which users fill in") for s in _filled_in(repo)]
    found += [
        at(site, "hands callbacks on to the trainer")
        for site, value in repo.given("callbacks", "callback")
        if value not in ("None", "[]")
        and re.search(r"Trainer|super\(\)|\.(fit|learn)$|__init__$", site.names[0])
    ]
    yield from spread(found, training_files(repo))


def _hook_calls(repo: Repository) -> Iterator[Site]:
    for method, sites in repo.by_method.items():
        for site in sites if _HOOK.match(method) else ():
            if _HOOKS.search(" ".join(site.receivers)) or site.within("for", _HOOKS.pattern):
                yield site
    for site in repo.all_calls:
        first = site.call.args[0] if site.call.args else ""
        if first[:3] in ("'on", "'be", "'af") and _HOOK.match(first.strip("'")):
            if _RUNS.search(site.names[0]):
                yield site
        elif site.names[0] == "builtins.getattr()" and site.within("for", _HOOKS.pattern):
            yield site
    for site in repo.methods("run_event", "fire", "fire_event", "trigger", "dispatch", "notify"):
        if any(map(_ELEMENT.search, site.receivers)):
            yield site


def _filled_in(repo: Repository) -> Iterator[Site]:
    """Yield calls of a loop's class to methods of its own that do nothing, at several named
    points; a single one only tells training from evaluation."""
    found: list[Site] = []
    for method in filter(_HOOK.match, repo.by_method):
        for site in repo.methods(method):
            node = repo.program.resolve(site.module, site.call.names[0])[1]
            filled = node < 0 or not repo.program.definition(node).stub
            if not filled and site.path in training_files(repo):
                found.append(site)
    if len({site.method for site in found}) > 1:
        yield from found


def _near_training(repo: Repository) -> frozenset[int]:
    """Return the functions of modules that train, that these use, or that use them."""
    files = training_files(repo)
    owner = repo.program.owner
    own = [module.first + place for module, place, _ in repo.definitions if module.path in files]
    reached = repo.graph.within(own, 2, up=False) | repo.graph.within(own, 1, up=True)
    rooms = {owner[node].first for node in reached} | {owner[node].first for node in own}
    return frozenset(
        module.first + place for module, place, _ in repo.definitions if module.first in rooms
    )


def _registered(repo: Repository) -> Iterator[Site]:
    for site in repo.all_calls:
        name = site.names[0]
        if (
            _ITEM.search(name)
            and _HOOKS.search(name)
            and not _MODULE_HOOK.search(name.lower())
            and not name.endswith("[][1][0]")
        ):
            yield site


@practice("train-early-stopping", looks_for="a stop of training that a metric decides")
def train_early_stopping(repo: Repository) -> Iterator[Place]:
    """Training can stop early because a metric says so.

    An early-stopping callback of a library, an own one, or a patience counter that is
    compared.

    Why:
        It saves the compute after the best point and keeps the model from over-fitting.
    Fix:
        Count evaluations without improvement and leave the loop at the patience.
    Good:
        class EarlyStopping:
            def __init__(self, patience):
                self.patience, self.waited = patience, 0
            def __call__(self, improved):
                self.waited = 0 if improved else self.waited + 1
                return self.waited >= self.patience
    Bad:
        def answer(model, prompt):
            return model.generate(prompt, early_stopping=True)
    Drop-in: codex_ml.training.train
    """
    found = [*of_topic(repo, "early-stopping", "uses {}")]
    found += [
        at(site, "the callback of a trial stops by its metric")
        for site in repo.methods("should_prune")
        if derives(repo, site.module, site.call.scope, r"Callback$")
    ]
    found += [
        at(site, "the booster stops by its metric")
        for site, value in repo.given("early_stopping_rounds", "early_stopping")
        if value not in ("None", "False", "0")
        and library("boosters", (*site.names, *site.receivers))
    ]
    found += [at(site, "stops by a metric") for site in configured(repo, "^'EarlyStopping")]
    found += [at(site, "asks the user's function whether to stop") for site in _asked(repo)]
    for module, place, one in repo.definitions:
        if not _STOPPER.search(own_name(one)) or one.stub:
            continue
        if (
            _decides(module, place)
            if one.kind == "class"
            else any(map(_DECIDES.search, one.returns))
        ):
            found.append(in_code(module, place, one.line, "stops training by a metric"))
    for module in repo.product:
        found += _patience(module)
        found += [
            in_code(module, one.scope, one.line, "leaves training by an exception")
            for one in module.facts.raises
            if one.block >= 0 and _INTERRUPTS.search(one.name)
        ]
    yield from spread(found, training_files(repo))


def _asked(repo: Repository) -> Iterator[Site]:
    """Yield conditions of a training loop that hand the loss to a function of the user."""
    for node, texts in losses(repo).items():
        for site in repo.by_scope.get(node, ()):
            if (
                re.fullmatch(r"@\w+", site.names[0])
                and any(text in one for one in site.arguments() for text in texts)
                and any(
                    one.kind == "if" and one.line == site.line for one in site.module.facts.blocks
                )
            ):
                yield site


def _decides(module: Module, scope: int) -> bool:
    """Tell whether a class has a method that compares something."""
    definitions = module.facts.definitions
    methods = [one for one in definitions if one.parent == scope and not one.stub]
    return any(
        one.line <= block.line <= one.end and block.kind == "if"
        for one in methods
        for block in module.facts.blocks
    ) or any(_COMPARES.search(text) for one in methods for text in one.returns)


def _patience(module: Module) -> Iterator[Place]:
    for block in module.facts.blocks:
        if (
            block.kind == "if"
            and _OUT_OF_PATIENCE.search(block.text)
            and not re.search(r"finite|nan", block.text)
        ):
            scope = scope_at(module, block.line)
            around = [own_name(one) for _, one in classes_around(module, scope)]
            if not any(re.search(r"(_lr|sched|plateau)", one) for one in around):
                yield in_code(module, scope, block.line, "stops at the patience")
