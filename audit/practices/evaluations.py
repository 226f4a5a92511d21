"""Code that evaluates, as several capabilities ask about it."""

import re
from collections.abc import Collection, Iterator
from functools import lru_cache
from typing import Final

from audit.code.modules import Module
from audit.facts.model import Definition
from audit.practices.loops import (
    backward_calls,
    classes_around,
    derives,
    library_calls,
    loops_around,
    own_name,
    words,
)
from audit.repository import Repository, once
from audit.sites import Site

_EVALUATES: Final = re.compile(
    r"(^|_)(eval(uate|uation|uator)?)(?=_|$|s$)|"
    r"(^|_)validat(e|ion|or)($|_(step|epoch|loop|model|one_epoch|data|set|batch|and_(save|log|test|report|checkpoint))|$)|"
    r"^_?((run|do)_)?(test|valid|val)(_(one_)?(epoch|step|loop|model|fn|func|set|batch))?$"
)


_NO_EVALUATION: Final = re.compile(
    r"^_?(on|build|get|create|make|log|print|setup|init|add|set|should|is|has|load|parse|save|"
    r"prepare|register|maybe|check|format|resolve|no)_|gradient|_(args|config|callback|metrics?|factory|decorator|mode)$"
)


_EVALUATING_CLASS: Final = re.compile(
    r"(^|_)(valid|val|validation|eval|evaluation|test)_?(epoch|loop|runner|step)$"
)


_PREDICTS: Final = frozenset({"predict", "generate", "forward", "infer", "act", "get_action"})


_ANSWERS: Final = re.compile(
    r"(^|_)(complet(e|ion)s?(_fn)?|generate(_until)?|chat|predict|infer|loglikelihood|solver)$"
)
_ACTS: Final = frozenset(
    {"predict", "act", "get_action", "select_action", "compute_action", "choose_action"}
)
_LEARNS: Final = frozenset({"backward", "learn", "train", "update", "push", "store", "remember"})
_STEP: Final = re.compile(r"^(validation|valid|val|test|eval)_step$")
_FRAMEWORK: Final = r"(LightningModule|keras\.Model|ModelPT|ComposerModel)$"
"""Base classes whose trainer runs the evaluation step without gradients."""


_GRADIENTS_OFF: Final = re.compile(r"(^|[.:])(no_grad|inference_mode|_no_grad)(\(\))?$")


# ---------------------------------------------------------------- evaluation
@lru_cache(1 << 14)
def says_evaluation(text: str) -> bool:
    """Tell whether a name of a function, class, parameter or key is about evaluation."""
    snake = words(text)
    return bool(_EVALUATES.search(snake)) and not _NO_EVALUATION.search(snake)


@once
def gradients_off(repo: Repository) -> dict[int, int]:
    """Return the definitions that switch gradients off, with the line where they do."""
    found: dict[int, int] = {}
    for module, place, one in repo.definitions:
        if any(map(_GRADIENTS_OFF.search, one.decorators)):
            found[module.first + place] = one.line
    for name in ("no_grad", "inference_mode", "set_grad_enabled", "eval"):
        for site in repo.methods(name):
            if name != "eval" or not (site.call.args or site.names[0].startswith("builtins.")):
                found.setdefault(site.node, site.line)
    return found


@once
def evaluations(repo: Repository) -> dict[int, tuple[Module, int, Definition]]:
    """Return the functions that evaluate a model, by node.

    A function that its name, or its class's, calls an evaluation, with gradients off in
    what it leads to; or one that loops without gradients and adds up numbers.
    """
    off = gradients_off(repo)
    leading = repo.graph.within(off, 4, up=True)
    methods = {own_name(repo.program.definition(node)) for node in leading} & _PREDICTS
    no_gradients = not any(backward_calls(repo))
    shown = _shown(repo)
    found = {}
    for module, place, one in repo.definitions:
        node = module.first + place
        if one.kind != "function" or one.stub or _switches_mode(one) or node in shown:
            continue
        if (
            says_evaluation(own_name(one))
            or _in_evaluator(module, place)
            or _runs_evaluation(module, one)
        ):
            calls = repo.by_scope.get(node, ())
            quiet = (
                node in leading
                or any(site.method in methods for site in calls)
                or (no_gradients and _asks_a_model(repo, node))
                or _runs_in_framework(repo, module, place)
                or _applies(repo, module, node)
            )
            if quiet and _loops_or_reports(repo, module, place):
                found[node] = (module, place, one)
        elif (
            node in off
            and (
                _sums_up(repo, node) or _measures(repo, node) or _in_evaluating_class(module, place)
            )
        ) or _rolls_out(repo.by_scope.get(node, ())):
            found[node] = (module, place, one)
    for site, _ in library_calls(repo, "evaluation-loops"):
        where = site.node
        found.setdefault(where, (site.module, site.call.scope, site.scope))
    return found


def _switches_mode(one: Definition) -> bool:
    """Tell whether a method overrides ``eval()``, which only sets a module's mode."""
    return one.name.endswith(".eval") and "self" in one.returns


def _shown(repo: Repository) -> frozenset[int]:
    """Return the functions that a page of a demonstration calls: what users ask, however named."""
    sites = repo.calls("gradio.Interface", "gradio.ChatInterface", "gradio.Blocks().load")
    handed = ((one, one.call.keyword("fn") or "".join(one.call.args[:1])) for one in sites)
    return frozenset(
        node for one, text in handed if (node := repo.program.resolve(one.module, text)[1]) >= 0
    )


def inline_evaluations(repo: Repository) -> Iterator[Site]:
    """Yield numbers that a training function takes from its model in ``eval()``, without
    gradients, between its steps; and what it does with the batches of another set."""
    training = {site.node for site in backward_calls(repo)}
    for site in repo.methods("set_grad_enabled"):
        if any(map(_PHASE.search, site.call.args)) and site.node in training:
            yield site
    for site in repo.methods("enable_grad"):
        assigns = (one for one in site.module.facts.assigns if one.line == site.line)
        if any(_MODE.search(one.value) for one in assigns):
            yield site
    for site in repo.methods("eval"):
        node = site.node
        if node in training and not site.call.args:
            for one in repo.by_scope[node]:
                quiet = one.within("with", "no_grad|inference_mode")
                if quiet and (one.method in ("item", "mean", "compute") or _over_other_set(one)):
                    yield one


def _over_other_set(site: Site) -> bool:
    """Tell whether a call asks the repository's code in a loop over the evaluation's batches."""
    return ":" in site.names[0] and any(
        one.kind == "for" and _OTHER_SET.search(one.text) for one in site.blocks()
    )


_PHASE: Final = re.compile(r"train|phase")
_MODE: Final = re.compile(r"enable_grad\(\) if \S*train\S* else [\w.]*no_grad")
"""Gradients by the phase: the same step trains and evaluates."""
_OTHER_SET: Final = re.compile(
    r"(?<![a-z])(eval|val|valid|validation|test|dev)_?(batch|loader|data|iter|set|dl)",
    re.IGNORECASE,
)


def _asks_a_model(repo: Repository, node: int) -> bool:
    """Tell whether a function asks a model, in process or behind an API, for many answers."""
    calls = repo.by_scope.get(node, ())
    return any(map(loops_around, calls)) and any(
        _ANSWERS.search(words(site.method))
        for near in repo.graph.within([node], 2, up=False)
        for site in repo.by_scope.get(near, ())
    )


def _applies(repo: Repository, module: Module, node: int) -> bool:
    """Tell whether a function of JAX code only applies a model: there gradients are asked for."""
    if not any(one.target.partition(".")[0] in ("jax", "flax") for one in module.facts.imports):
        return False
    near = repo.graph.within([node], 2, up=False)
    methods = {site.method for one in near for site in repo.by_scope.get(one, ())}
    return not methods.isdisjoint(("apply", "apply_fn")) and methods.isdisjoint(
        ("grad", "value_and_grad", "apply_gradients")
    )


def _runs_in_framework(repo: Repository, module: Module, scope: int) -> bool:
    """Tell whether a trainer that switches gradients off runs a method: ``validation_step``."""
    return bool(_STEP.search(own_name(module.facts.definitions[scope]))) and derives(
        repo, module, scope, _FRAMEWORK
    )


def _rolls_out(calls: Collection[Site]) -> bool:
    """Tell whether a function plays episodes with a policy and averages what they give."""
    methods = {site.method for site in calls}
    if methods.isdisjoint(("mean", "fmean")) or "reset" not in methods:
        return False
    acts = any(loops_around(s) and s.method in _ACTS for s in calls)
    steps = any(loops_around(s) and s.method == "step" and s.call.args for s in calls)
    return acts and steps and methods.isdisjoint(_LEARNS)


def _in_evaluator(module: Module, scope: int) -> bool:
    """Tell whether a method that runs something belongs to a class named for evaluation."""
    own = own_name(module.facts.definitions[scope])
    return own in ("__call__", "run", "forward", "compute_metrics", "step") and any(
        says_evaluation(one.name) for _, one in classes_around(module, scope)
    )


def _runs_evaluation(module: Module, one: Definition) -> bool:
    """Tell whether a function runs a module that is named for evaluation (``val.py``), or
    is given the evaluator that it feeds."""
    stem = module.path.rpartition("/")[2].removesuffix(".py")
    if own_name(one) in ("run", "main", "inference") and says_evaluation(stem):
        return True
    return bool({"evaluator", "evaluators"} & set(one.params)) and "inference" in own_name(one)


def _in_evaluating_class(module: Module, scope: int) -> bool:
    """Tell whether a public method that returns something is of a class named for one
    evaluation: ``ValidEpoch.batch_update``."""
    one = module.facts.definitions[scope]
    return (
        bool(one.returns)
        and not own_name(one).startswith("_")
        and any(_EVALUATING_CLASS.search(words(c.name)) for _, c in classes_around(module, scope))
    )


def _loops_or_reports(repo: Repository, module: Module, scope: int) -> bool:
    one = module.facts.definitions[scope]
    calls = repo.by_scope.get(module.first + scope, ())
    return bool(one.returns) or any(
        loops_around(site) or (site.method in _SAYS and any("{" in text for text in site.call.args))
        for site in calls
    )


_SAYS: Final = ("print", "info", "log", "log_metrics", "log_dict")


def _measures(repo: Repository, node: int) -> bool:
    """Tell whether a function loops without gradients and returns what a metric says."""
    looping = any(
        loops_around(site) and site.within("with", "no_grad|inference_mode")
        for site in repo.by_scope.get(node, ())
    )
    return looping and any(map(_MEASURED.search, repo.program.definition(node).returns))


_MEASURED: Final = re.compile(r"[.:]_?(compute_)?(metrics?|scores?|accuracy)\(\)$")


def _sums_up(repo: Repository, node: int) -> bool:
    """Tell whether a function loops over model calls and reduces what they give."""
    calls = repo.by_scope.get(node, ())
    names = [own_name(repo.program.definition(node)), *(name for s in calls for name in s.names)]
    loss = any(
        re.search(r"loss|criterion|accuracy|metric|cross_entropy|nll", name) for name in names
    )
    one = repo.program.definition(node)
    whole = any(map(_GRADIENTS_OFF.search, one.decorators)) or any(
        s.method == "eval" for s in calls
    )
    reduced = any(
        s.method in ("item", "mean", "compute")
        and loops_around(s)
        and (whole or s.within("with", "no_grad|inference_mode"))
        for s in calls
    )
    return loss and reduced and not any(s.method == "backward" for s in calls)
