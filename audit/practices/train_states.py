"""Checkpointing: the optimizer's state beside the weights."""

import re
from collections.abc import Iterator
from typing import Final

from audit.practices import learners
from audit.practices.engines import engines
from audit.practices.handing import api, handed
from audit.practices.libraries import called
from audit.practices.ranking import central
from audit.practices.registry import Place, at, in_code, practice
from audit.practices.weights import CHECKPOINTS, GETS, OPTIMIZER, Weights, of_optimizer, weights
from audit.repository import Repository
from audit.sites import Site

OPTIMIZER_KEY: Final = re.compile(
    r"'[\w.]*optim(?!i[sz]ation|i[sz]ed|um|al|istic)\w*'(?=[\]:,)])", re.IGNORECASE
)
OPTIMIZER_FILE: Final = re.compile(
    r"^(f|with|save|load|include|store|write|restore)_optim\w*$|^optim\w*_(path|file|filename)$"
)
"""Parameters by which a function is told to write, or read, the optimizer's state too."""
_STATES: Final = re.compile(r"'model\w*': @[^{}]*'optim\w*': @|'optim\w*': @[^{}]*'model\w*': @")
"""A mapping of the parts of a training state."""
_ABOUT_OPTIMIZER: Final = re.compile(
    r"[@%\w.]*optim\w*(\(\))?\.(param_groups|defaults)[^,}]*|"
    r"[@%\w.]*optim\w*_(name|type|cls|class|config|cfg|args|kwargs)\b|'optim\w*': '\w+'",
    re.IGNORECASE,
)
"""What is said about an optimizer: its name, rate or settings."""
_SHORT_KEY: Final = re.compile(r"'opt': [^,{}]*state_dict\(\)|'params': .*'opt': ")
"""A short key of the optimizer's state, told from options by its value or neighbour."""
_WHOLE_STATE: Final = re.compile(r"state\b")
_FLAX_STATES: Final = (
    "flax.training.train_state.TrainState.create", "flax.training.train_state.TrainState",
    "flax.nnx.Optimizer", "flax.nnx.ModelAndOptimizer",
)  # fmt: skip
_KEEPER: Final = re.compile(r"^([A-Z]\w*)?(Checkpointer|CheckpointManager|Saver|Checkpoint)$")


@practice("checkpoint-train-state", looks_for="optimizer state that is written")
def checkpoint_train_state(repo: Repository) -> Iterator[Place]:
    """The optimizer's state is written together with the weights.

    state_dict() of an optimizer, or a key or attribute name for it in the saved state, in
    a repository that writes weights itself.

    Why:
        Adam's moments are part of the training state: weights alone restart the run with a
        jump in the loss.
    Fix:
        Save model, optimizer, scheduler and step in one checkpoint.
    Good:
        import torch

        def save(model, optimizer, step, path):
            state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step}
            torch.save(state, path)
    Bad:
        import torch

        def save(model, optimizer, path):
            torch.save(model.state_dict(), path)
    Limits:
        The state may be collected in one function and written in another; both must exist.
    Drop-in: codex_ml.checkpointing.CheckpointManager
    """
    yield from central(repo, _written(repo), CHECKPOINTS)


def _written(repo: Repository) -> Iterator[Place]:
    known = weights(repo)
    for site, name in called(repo, "train-state-writers"):
        yield at(site, f"{name} writes the optimizer's state")
    for site, name in learners.called(repo, *learners.SAVES):
        yield at(site, f"{name} keeps the optimizer's state with the weights")
    for site in engines(repo, "save_state", "save_checkpoint", "_save_optimizer_and_scheduler"):
        yield at(site, "the engine writes the optimizer's state")
    for site in known.writes:
        given = (one for text in site.arguments() for one in handed(repo, site, text))
        if any(map(_names_state, given)):
            yield at(site, "the optimizer's state is written")
        elif keeps_all(repo, site):
            yield at(site, "a training state with the optimizer's is written")
    if known.writes:
        yield from _collected(repo, known)


def _names_state(text: str) -> bool:
    """Tell whether a payload holds an optimizer's state, not only its name or rate."""
    told = api(_ABOUT_OPTIMIZER.sub("", text))
    return bool(OPTIMIZER.search(told) or _SHORT_KEY.search(told))


def keeps_all(repo: Repository, site: Site) -> bool:
    """Tell whether a JAX library writes or reads Flax's state, whose part the optimizer's is."""
    return (
        site.names[0].startswith(("orbax.", "flax."))
        and any(map(_WHOLE_STATE.search, site.arguments()))
        and not any(".params" in text for text in site.arguments())
        and (any(repo.calls(*_FLAX_STATES)) or any(repo.classes(r"^flax\.[\w.]*TrainState$")))
    )


def _collected(repo: Repository, known: Weights) -> Iterator[Place]:
    """Yield where the optimizer's state becomes part of what is saved."""
    gets = [s for s in repo.methods(*GETS) if of_optimizer(s) and not known.in_optimizer(s)]
    gets.sort(key=lambda site: site.node not in known.around)
    for site in gets:
        yield at(site, "the optimizer's state is part of what is saved")
    for module, one in repo.assigns(r"\[f?'\w*optim\w*'\]"):
        if module.first + one.scope in known.managers and "state" in one.value + one.target:
            yield in_code(module, one.scope, one.line, "the optimizer's state is saved by a key")
    writers = {one.node for one in known.writes}
    for module, place, definition in repo.definitions:
        here = module.first + place
        if here in known.around and any(map(OPTIMIZER_KEY.search, definition.returns)):
            yield in_code(module, place, definition.line, "the saved state names the optimizer")
        elif (
            here in known.saving
            and any(map(OPTIMIZER_FILE.search, definition.params))
            and writers & repo.graph.within([here], 1, up=False)
        ):
            yield in_code(module, place, definition.line, "the optimizer's state is written")
    for site in handed_on(repo, known):
        yield at(site, "the optimizer is part of the state that is handed on")
    own = any(
        one.annotation and module.facts.definitions[one.scope].kind == "class"
        for module, one in repo.assigns("^opt_state$")
    )
    for node in sorted(known.saving):
        for site in repo.calls(repo.program.symbol(node)):
            if any(
                _SHORT_KEY.search(text) or (own and re.search(r"[.@]\w*state$", text))
                for text in site.arguments()
            ):
                yield at(site, "a state with the optimizer's is handed to what writes it")
    updated = (
        site
        for site in repo.methods("update")
        if site.node in known.managers and not known.in_optimizer(site)
    )
    for site in (*registered(repo), *filter(_of_state, updated)):
        yield at(site, "the optimizer is handed to what keeps checkpoints")


def handed_on(repo: Repository, known: Weights) -> Iterator[Site]:
    """Yield calls of the checkpoint modules that hand on model and optimizer in a mapping."""
    for place in sorted(known.rooms):
        for site in repo.by_scope.get(place, ()):
            if any(map(_STATES.search, site.arguments())):
                yield site


def _of_state(site: Site) -> bool:
    return any(OPTIMIZER.search(api(text)) for text in site.arguments())


def named_keepers(repo: Repository) -> Iterator[Site]:
    """Yield calls that register an optimizer with a keeper of checkpoints by a method for it."""
    keepers = ("add_recoverable", "add_recoverables", "register_for_checkpointing")
    return filter(_of_state, repo.methods(*keepers))


def registered(repo: Repository) -> Iterator[Site]:
    """Yield calls that hand an optimizer to a keeper of checkpoints."""
    yield from named_keepers(repo)
    for name, sites in repo.by_method.items():
        if _KEEPER.search(name):
            for site in sites:
                if _of_state(site) or any(OPTIMIZER.search(key) for key, _ in site.call.kwargs):
                    yield site
