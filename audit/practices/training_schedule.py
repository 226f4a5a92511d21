"""Training: the learning rate over time."""

import re
from collections.abc import Iterator
from typing import Final

from audit.code.modules import Module
from audit.facts.model import Assign
from audit.practices.loops import (
    derives,
    library_calls,
    own_name,
    spread,
    training_files,
    trains,
)
from audit.practices.options import configured, handed, recorded
from audit.practices.registry import Place, at, in_code, practice
from audit.repository import Repository
from audit.sites import Site, blocks_from, last

OPTIMIZER_CLASS: Final = r"torch\.optim\.(optimizer\.)?\w+$"


_LR: Final = re.compile(r"(param_groups?\b.*|\[\])\['lr'\]$")


_LR_OPTIONS: Final = ("lr_scheduler_type", "lr_scheduler_kwargs", "warmup_ratio")


_SCHEDULED: Final = re.compile(
    r"(linear|cosine|warmup|decay|anneal|poly\w*|step|exp\w*)_?\w*sched\w*\(\)", re.IGNORECASE
)
"""A function or class that makes a schedule; a constant one changes nothing."""
_SCHEDULERS: Final = (
    r"^torch\.optim\.lr_scheduler\.|^(fvcore\.common|classy_vision\.optim)\.param_scheduler\."
)
"""Base classes of schedules."""
_SCHEDULER: Final = re.compile(
    r"(lr|learning_rate|warmup)\w*_?sched|lr_scheduler|^scheduler$|"
    r"^:?(get|build|create|make|init|setup|configure|prepare)_(?!\w*(noise|diffus|sampl|job|task))"
    r"(\w+_)?sched(uler)?s?(_\w+)?\(\)$"
)


def arithmetic(one: Assign) -> bool:
    """Tell whether an assignment computes."""
    return any(sign in one.value for sign in (" / ", " // ", " * ", " % ")) or one.operator != "="


@practice("train-lr-schedule", looks_for="a scheduler or computed learning rates")
def train_lr_schedule(repo: Repository) -> Iterator[Place]:
    """The learning rate follows a schedule.

    A scheduler of a library, one that is derived from it, or code that writes a
    computed learning rate into the optimizer's parameter groups.

    Why:
        Warm-up and decay decide whether large models converge; a constant rate leaves
        loss on the table.
    Fix:
        Make a `torch.optim.lr_scheduler` beside the optimizer and step it after each update.
    Good:
        import torch
        def build(optimizer, steps):
            return torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps)
    Bad:
        import torch
        def build(model):
            return torch.optim.AdamW(model.parameters(), lr=1e-3)
    Drop-in: codex_ml.training.schedule
    """
    made = [at(s, f"makes {what}") for s, what in library_calls(repo, "lr-schedulers")]
    made += _chosen(repo)
    steps = _scheduler_steps(repo) if trains(repo) else ()
    stepped = [at(s, "steps the learning-rate scheduler") for s in steps]
    handed_on = [one.place("hands {} to the engine") for one in handed(repo, *_LR_OPTIONS)]
    handed_on += [
        at(site, "sets the rate of the optimizer")
        for site in repo.methods("set_lr", "set_learning_rate")
        if any(re.search(r"optim", one, re.IGNORECASE) for one in site.receivers)
    ]
    handed_on += [
        at(site, "a schedule gives the learning rate")
        for site, value in repo.given("learning_rate", "lr")
        if _SCHEDULED.search(value)
    ]
    handed_on += [
        in_code(module, one.scope, one.line, "a schedule gives the learning rate")
        for module, one in repo.assigns(r"\[.*'(learning_rate|lr)'.*\]$|\.(learning_rate|lr)$")
        if _SCHEDULED.search(one.value)
    ]
    yield from spread([*made, *stepped, *handed_on, *_written_rates(repo)], training_files(repo))


def _chosen(repo: Repository) -> Iterator[Place]:
    """Yield schedulers that are chosen by a name, own ones, and those given to an engine."""
    for site in repo.calls("builtins.getattr"):
        if site.call.args and site.call.args[0].split(" | ")[0] == "torch.optim.lr_scheduler":
            yield at(site, "makes the torch scheduler of a name")
    for module, place, one in repo.classes(_SCHEDULERS):
        yield in_code(module, place, one.line, f"{one.name} is a scheduler")
    for module, place, one in repo.functions("^configure_optimizers$"):
        if any("'lr_scheduler'" in text for text in one.returns):
            yield in_code(module, place, one.line, "gives the engine a scheduler")
    for site in configured(repo, r"^'\w+(LR|ParamScheduler)'"):
        yield at(site, "chooses a scheduler by its name")
    yield from recorded(repo, "scheduler")


def _scheduler_steps(repo: Repository) -> Iterator[Site]:
    for site in repo.methods("step"):
        held = any(map(_SCHEDULER.search, (last(one).lstrip("@") for one in site.receivers)))
        if held and len(site.call.args) <= 1:
            yield site


def _written_rates(repo: Repository) -> Iterator[Place]:
    for module, one in repo.assigns(r"\['lr'\]$"):
        computed = one.value[:1] in "@:%(" or "(" in one.value or arithmetic(one)
        if not (computed and _is_rate(module, one)) or own_name(
            module.facts.definitions[one.scope]
        ).startswith("_init"):
            continue
        if not derives(repo, module, one.scope, OPTIMIZER_CLASS):
            yield in_code(module, one.scope, one.line, "writes a computed learning rate")


def _is_rate(module: Module, one: Assign) -> bool:
    """Tell whether a target is the rate of a parameter group, by its name or its loop."""
    return bool(_LR.search(one.target)) or any(
        block.kind == "for" and "param_groups" in block.text
        for block in blocks_from(module, one.block)
    )
