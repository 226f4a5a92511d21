"""Checkpointing: training goes on from what was written."""

import re
from collections.abc import Iterator
from typing import Final

from audit.practices.engines import engines
from audit.practices.handing import handed
from audit.practices.libraries import called, library
from audit.practices.origins import called_anywhere
from audit.practices.ranking import central
from audit.practices.registry import Place, at, in_code, practice
from audit.practices.train_states import (
    OPTIMIZER_FILE,
    OPTIMIZER_KEY,
    checkpoint_train_state,
    handed_on,
    keeps_all,
    named_keepers,
    registered,
)
from audit.practices.weights import CHECKPOINTS, PUTS, Weights, of_optimizer, weights
from audit.repository import Repository
from audit.sites import Site

_READ_STATE: Final = re.compile(
    r"(load|restore)\w*\(\)(\[|\.(get|pop)\()'\w*opt(im\w*)?(_state\w*)?'"
)
"""The optimizer's part of what was read from a file."""
_STEP: Final = r"(global_?|current_?|num_?)?(step|epoch|iter|iteration|update|timestep)(s|_num)?"
_PROGRESS: Final = re.compile(rf"\b\w*{_STEP}\w*$|\['{_STEP}'\]$")
_LOADED_PROGRESS: Final = re.compile(
    rf"(load\w*\(\).*|@\w*(state|checkpoint|ckpt)\w*)\['{_STEP}'\]"
)
_RUNS: Final = re.compile(r"Engine|Trainer|Runner|Loop|Learner|Recipe|TrainState|Progress")


@practice("checkpoint-resume", looks_for="optimizer state that is restored from a checkpoint")
def checkpoint_resume(repo: Repository) -> Iterator[Place]:
    """Training continues from a checkpoint with its optimizer state.

    load_state_dict of an optimizer with a state that comes from storage, a library call
    that restores the whole training state, or a step or epoch that is set from a loaded state
    whose optimizer is saved too.

    Why:
        Long runs are interrupted; without resume all steps since the start are lost.
    Fix:
        Restore model, optimizer, scheduler and step, and start the loop at the restored step.
    Good:
        import torch

        def resume(model, optimizer, path):
            state = torch.load(path, weights_only=True)
            model.load_state_dict(state["model"])
            optimizer.load_state_dict(state["optimizer"])
            return state["step"]
    Bad:
        import torch

        def warm_start(model, path):
            model.load_state_dict(torch.load(path, weights_only=True)["model"])
    Limits:
        That the loop really starts at the restored step is not proved.
    Drop-in: codex_ml.checkpointing.CheckpointManager
    """
    yield from central(repo, _restored(repo), CHECKPOINTS)


def _restored(repo: Repository) -> Iterator[Place]:
    known = weights(repo)
    for site in known.puts:
        if of_optimizer(site) and not known.in_optimizer(site):
            yield at(site, "the optimizer's state is restored from a checkpoint")
    for site in engines(repo, "load_state", "load_checkpoint", "_load_optimizer_and_scheduler"):
        yield at(site, "the engine restores the optimizer's state")
    for site in known.puts if any(registered(repo)) else ():
        if site.names[0].startswith("@") if any(named_keepers(repo)) else "[]." in site.names[0]:
            yield at(site, "what is registered, the optimizer too, gets its state back")
    for site in repo.methods("resume_or_load"):
        yield at(site, "training is resumed from the last checkpoint")
    for site, name in called(repo, "train-state-readers"):
        yield at(site, f"{name} restores the optimizer's state")
    yield from _parts(repo, known)
    yield from _progress(repo, known)
    yield from _told(repo)
    yield from _read_back(repo)


def _told(repo: Repository) -> Iterator[Place]:
    """Yield where another library's trainer is told to resume."""
    for site, value in repo.given("resume_from_checkpoint", "ckpt_path", "load_path"):
        starts = site.method in ("train", "fit") or (
            library("trainers", site.names) and site.call.keyword("ckpt_path") is None
        )
        if value != "None" and starts:
            yield at(site, "training is started from a checkpoint")
    for module, one in repo.assigns(r"^[\w.@]+\.resume$"):
        if one.value == "True" and any(repo.calls("mmengine.runner.Runner*")):
            yield in_code(module, one.scope, one.line, "the runner is told to resume")


def _read_back(repo: Repository) -> Iterator[Place]:
    """Yield where the optimizer's part of a state comes back without a method of its own."""
    for site in repo.calls("tensorflow.train.Checkpoint"):
        if site.call.keyword("optimizer") and _restores_beside(repo, site):
            yield at(site, "what is registered, the optimizer too, gets its state back")
    for module, place, definition in repo.definitions:
        if any(map(_READ_STATE.search, definition.returns)):
            yield in_code(module, place, definition.line, "the optimizer's state is read back")


def _restores_beside(repo: Repository, site: Site) -> bool:
    restores = ("restore", "restore_or_initialize", "read")
    return any(one.module is site.module for one in repo.methods(*restores))


def _parts(repo: Repository, known: Weights) -> Iterator[Place]:
    """Yield where the parts of a training state get their own back, the optimizer one of them."""
    for site in repo.methods(*PUTS) if any(handed_on(repo, known)) else ():
        if site.node in known.rooms and site.names[0].startswith(("@", "[]", "%")):
            yield at(site, "every part of the state that is handed on gets its own back")
    for site in known.puts:
        if any(map(OPTIMIZER_FILE.search, site.scope.params)):
            yield at(site, "the optimizer's state is restored from its file")


def _progress(repo: Repository, known: Weights) -> Iterator[Place]:
    """Yield where a whole training state, or its step, is restored."""
    for site, name in called_anywhere(repo, "weight-restorers"):
        texts = [one for value in site.arguments() for one in handed(repo, site, value)]
        if any(OPTIMIZER_KEY.search(text) or "opt_state" in text for text in texts) or keeps_all(
            repo, site
        ):
            yield at(site, f"{name} restores a state with the optimizer's")
    saved = known.reads and any(checkpoint_train_state(repo))
    for site in known.restores if saved else ():
        if any(name.startswith("jax.experimental.array_serialization.") for name in site.names):
            yield at(site, "the arrays of a state with the optimizer's are restored")
    trainers = {
        known.owner(module.first + one.scope) for module, one in repo.assigns(r"^self\.\w*optim")
    }
    for module, one in repo.assigns(_PROGRESS.pattern) if saved else ():
        owner = known.owner(module.first + one.scope)
        if _LOADED_PROGRESS.search(one.value) and (
            owner < 0 or owner in trainers or _runs_on(repo, owner, module.first + one.scope)
        ):
            yield in_code(module, one.scope, one.line, "the step is restored from a checkpoint")


def _runs_on(repo: Repository, owner: int, scope: int) -> bool:
    """Tell whether the step is restored by the load_state_dict of what runs the training."""
    program = repo.program
    return program.definition(scope).name.endswith("load_state_dict") and bool(
        _RUNS.search(program.definition(owner).name)
    )
