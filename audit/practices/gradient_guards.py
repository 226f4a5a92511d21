"""Training: gradients that are clipped and checked before the step."""

import re
from collections.abc import Collection, Iterator
from typing import Final

from audit.practices.loops import (
    backward_calls,
    enclosing,
    library_calls,
    own_name,
    runs_training,
    scope_at,
    spread,
    training_files,
)
from audit.practices.options import configured, handed, recorded
from audit.practices.registry import Place, at, in_code, practice
from audit.repository import Repository, once
from audit.sites import Site

_CLIP: Final = re.compile(r"^_?(\w+_)?clip_(by_)?\w*(grad|global_norm)\w*$|^unitwise_norm$")


_CLIPS: Final = frozenset({"max_grad_norm", "gradient_clip_val", "gradient_clipping"})
"""Options by which engines are told to clip."""
_NON_FINITE: Final = ("isfinite", "isnan", "isinf")


_NOT_LOSS: Final = re.compile(r"norm_type|prob|reward|@ord\b|teacher|latent|encode\(")


_GUARD: Final = re.compile(
    r"(on|terminate|stop|detect|skip)\w*_(nan|inf|finite|overflow)|"
    r"nan_\w*(detect|guard|monitor|stop)|overflow|non_?finite"
)


_OVERFLOWS: Final = re.compile(
    r"^_?(check|has|is|test)_(\w+_)?(overflow|inf_or_nan|nan_or_inf)(ed|s)?$"
)
_TRAINS: Final = re.compile(r"(^|_)train|(^|_)fit(_|$)")
_OPTIMIZER: Final = re.compile(r"optim|scaler")
_LOSS: Final = re.compile(r"loss|grad|backward|objective", re.IGNORECASE)


@practice("train-grad-clipping", looks_for="clipping of gradient norm or value")
def train_grad_clipping(repo: Repository) -> Iterator[Place]:
    """Gradients are clipped before the step.

    Why:
        One bad batch can otherwise undo hours of training.
    Fix:
        Call `torch.nn.utils.clip_grad_norm_` between backward and step; unscale first
        where a GradScaler is used.
    Good:
        import torch
        def step(model, optimizer, loss):
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
    Bad:
        import torch
        def ratio(new, old):
            return torch.clamp(new / old, 0.8, 1.2)
    Drop-in: codex_ml.training.train
    """
    found = [at(s, f"clips with {what}") for s, what in library_calls(repo, "gradient-clipping")]
    for method, sites in repo.by_method.items():
        if _CLIP.match(method):
            found += [at(site, f"calls {method}") for site in sites]
    if found:
        found += [
            in_code(module, place, one.line, f"{one.name} clips")
            for module, place, one in repo.functions(r"^clip_grad(s|_norm_?|_value_|_by_\w+)?$")
        ]
    for one in handed(repo, "gradient_clip_val", "gradient_clipping", "max_grad_norm", "clip_grad"):
        found.append(one.place("passes {} to the engine"))
    for site, value in repo.given("clipnorm", "clipvalue", "global_clipnorm"):
        if value != "None" and re.search(r"optim|Adam|SGD|RMSprop", site.names[0]):
            found.append(at(site, "the Keras optimizer clips"))
    found += recorded(repo, "gradient_clipping")
    if runs_training(repo):
        found += [
            in_code(module, scope_at(module, one.line), one.line, "is an option of the engine")
            for module in repo.product
            for one in module.facts.records
            if not _CLIPS.isdisjoint(one.keys)
        ]
    if any(repo.calls("deepspeed.initialize")):
        found += [
            in_code(module, one.scope, one.line, "sets the clipping of the DeepSpeed engine")
            for module, one in repo.assigns(r"(^|[.'])gradient_clipping('\])?$")
            if one.value not in ("None", "0", "0.0")
        ]
    found += [
        at(site, "clamps gradients")
        for site in repo.methods("clamp_", "clip_")
        if any(re.search(r"\.grad\b", one) for one in site.receivers)
    ]
    yield from spread(found, training_files(repo))


@practice("train-nonfinite-guard", looks_for="a check of loss or gradients for NaN and infinity")
def train_nonfinite_guard(repo: Repository) -> Iterator[Place]:
    """Non-finite losses or gradients are noticed and acted on.

    A check on loss or gradients that decides something, or a gradient scaler that
    skips such steps in the own loop.

    Why:
        One NaN spreads to every weight; without a guard the next checkpoint is worthless.
    Fix:
        Check `torch.isfinite(loss)` (and the gradient norm) before the step; skip or stop.
    Good:
        import torch
        def step(model, optimizer, batch):
            loss = model(batch)
            if not torch.isfinite(loss):
                raise FloatingPointError("the loss is not finite")
            loss.backward()
            optimizer.step()
    Bad:
        import numpy as np
        def clean(column):
            return column[~np.isnan(column)]
    Drop-in: codex_ml.training.train
    """
    known = losses(repo)
    training = repo.graph.within(known, 1, up=True)
    checks = [
        at(site, f"checks {site.method} of loss or gradients")
        for site in repo.methods(*_NON_FINITE)
        if not _NOT_LOSS.search(_subject(site))
        and (_LOSS.search(_subject(site)) or _is_loss(site, known) or _guards(site, training))
    ]
    checks += [at(s, f"stops with {what}") for s, what in library_calls(repo, "nonfinite-guards")]
    checks += [at(s, "stops at a bad loss") for s in configured(repo, "^'CheckInvalidLossHook'")]
    checks += [*_unequal(repo), *_replaced(repo), *_overflows(repo)]
    checks += [
        at(site, "training stops at a loss that is not finite")
        for site, value in repo.given("terminate_on_nan")
        if value != "False"
    ]
    checks += [
        at(site, "clipping raises an error for gradients that are not finite")
        for site, value in repo.given("error_if_nonfinite")
        if value != "False"
    ]
    scaled = [
        at(site, "the gradient scaler skips steps that are not finite")
        for site in repo.methods("step")
        if any(re.search(r"scaler\b|GradScaler", one) for one in site.receivers) and site.call.args
    ]
    yield from spread([*checks, *scaled], training_files(repo))


def _unequal(repo: Repository) -> Iterator[Place]:
    """Yield conditions that a loss differs from itself, as NaN alone does."""
    for module in repo.product:
        for block in module.facts.blocks:
            if block.kind == "if" and " != " in block.text:
                left, _, right = block.text.partition(" != ")
                scope = scope_at(module, block.line)
                known = losses(repo).get(module.first + scope, ()) if left == right else ()
                if any(left.startswith(text) for text in known):
                    yield in_code(module, scope, block.line, "compares the loss with itself")


def _overflows(repo: Repository) -> Iterator[Place]:
    """Yield conditions that ask an own function whether gradients overflow."""
    for method in filter(_OVERFLOWS.search, repo.by_method):
        for site in repo.methods(method):
            if any(one.kind == "if" and one.line == site.line for one in site.module.facts.blocks):
                yield at(site, f"asks {method} about gradients")


def _replaced(repo: Repository) -> Iterator[Place]:
    for site in repo.methods("nan_to_num", "nan_to_num_"):
        if any(".grad" in text for text in (*site.call.args, *site.receivers)):
            yield at(site, "replaces gradients that are not finite")


@once
def losses(repo: Repository) -> dict[int, set[str]]:
    """Return the texts that are differentiated, by the function that does so."""
    found: dict[int, set[str]] = {}
    for site in backward_calls(repo):
        known = found.setdefault(site.node, set())
        known |= {text for text in (*site.receivers, *site.call.args[:1]) if len(text) > 2}
    return found


def _is_loss(site: Site, known: dict[int, set[str]]) -> bool:
    """Tell whether a check is of a value that its function differentiates."""
    texts = known.get(site.node, ())
    subjects = _subject(site).split(" | ")
    return any(subject.startswith(text) for text in texts for subject in subjects)


def _subject(site: Site) -> str:
    """Return what a check is applied to: its argument, that which is made from, or what it is
    called on."""
    if not site.call.args:
        return " ".join(site.receivers)
    first = site.call.args[0]
    made = first.split(" | ")
    inner = (
        one.args[0]
        for one in site.module.facts.calls
        if one.scope == site.call.scope and one.args and f"{one.names[0]}()" in made
    )
    return " ".join((first, *inner))


def _guards(site: Site, training: Collection[int]) -> bool:
    """Tell whether a check stands in code that is named for it, or decides in code that trains
    or is about losses."""
    around = " ".join(own_name(one) for _, one in enclosing(site.module, site.call.scope))
    if _GUARD.search(around):
        return True
    decides = any(one.kind == "if" and one.line == site.line for one in site.module.facts.blocks)
    own = own_name(site.scope)
    trains = site.node in training or (
        _TRAINS.search(own) and _OPTIMIZER.search(" ".join(site.scope.params))
    )
    return decides and bool(trains or _LOSS.search(own))
