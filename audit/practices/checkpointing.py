"""Checkpointing: weights and training state are written, read and resumed from."""

import re
from collections.abc import Iterator
from typing import Final

from audit.practices import learners
from audit.practices.libraries import library
from audit.practices.ranking import central
from audit.practices.registry import Place, at, in_code, practice
from audit.practices.weights import (
    CHECKPOINTS,
    GETS,
    OPTIMIZER,
    PUTS,
    Weights,
    api,
    deepspeed_engines,
    engines,
    handed,
    libraries,
    node,
    of_model,
    of_optimizer,
    weights,
)
from audit.repository import Repository, Site

_OPTIMIZER_KEY: Final = re.compile(r"'[\w.]*optim\w*'(?=[\]:,)])", re.IGNORECASE)
_UNPICKLES: Final = ("joblib.load", "pickle.load", "cloudpickle.load", "dill.load")
_OPTIMIZER_FILE: Final = re.compile(
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
_WHOLE_STATE: Final = re.compile(r"state\b")
_FLAX_STATES: Final = (
    "flax.training.train_state.TrainState.create", "flax.training.train_state.TrainState",
    "flax.nnx.Optimizer", "flax.nnx.ModelAndOptimizer",
)  # fmt: skip
_READ_STATE: Final = re.compile(
    r"(load|restore)\w*\(\)(\[|\.(get|pop)\()'\w*opt(im\w*)?(_state\w*)?'"
)
"""The optimizer's part of what was read from a file."""
_STEP: Final = r"(global_?|current_?|num_?)?(step|epoch|iter|iteration|update|timestep)(s|_num)?"
_PROGRESS: Final = re.compile(rf"\b\w*{_STEP}\w*$|\['{_STEP}'\]$")
_LOADED_PROGRESS: Final = re.compile(
    rf"(load\w*\(\).*|@\w*(state|checkpoint|ckpt)\w*)\['{_STEP}'\]"
)
_KEEPER: Final = re.compile(r"^([A-Z]\w*)?(Checkpointer|CheckpointManager|Saver|Checkpoint)$")
_RUNS: Final = re.compile(r"Engine|Trainer|Runner|Loop|Learner|Recipe|TrainState|Progress")


@practice("checkpoint-save", looks_for="calls that write model weights to storage")
def checkpoint_save(repo: Repository) -> Iterator[Place]:
    """Model weights are written to storage.

    A call of torch.save, safetensors, torch.distributed.checkpoint, Orbax or
    save_pretrained that is handed a state dict, a model or a value that APIs name so.

    Why:
        Training that leaves no file behind cannot be used, compared or resumed.
    Fix:
        Write the model's state dict at a regular interval, with the configuration beside it.
    Good:
        import torch

        def save(model, path):
            torch.save(model.state_dict(), path)
    Bad:
        import torch

        def cache(batches, path):
            torch.save([batch.tokens for batch in batches], path)
    Limits:
        A helper that is handed an object without any telling name is not followed further
        than its direct callers.
    Drop-in: codex_ml.checkpointing.CheckpointManager
    """
    known = weights(repo)
    says = "model weights are written"
    yield from central(repo, (at(site, says) for site in known.writes), CHECKPOINTS)


@practice("checkpoint-load", looks_for="stored weights that are put into a model")
def checkpoint_load(repo: Repository) -> Iterator[Place]:
    """Model weights are read from storage and put into a model.

    load_state_dict on something that is no optimizer, scheduler or sampler, with a state
    that comes from a file; a call that reads and restores at once; or a from_pretrained of
    the repository's own that copies tensors.

    Why:
        A checkpoint that is never read back may be unreadable without anybody noticing.
    Fix:
        Read the file, check keys and shapes, and call load_state_dict with strict=True.
    Good:
        import torch

        def load(model, path):
            model.load_state_dict(torch.load(path, weights_only=True))
    Bad:
        def update_target(online, target):
            target.load_state_dict(online.state_dict())
    Limits:
        Weights assigned tensor by tensor count inside a function named from_pretrained, or
        where the tensor is seen to come from a file.
    Drop-in: codex_ml.checkpointing.CheckpointManager
    """
    known = weights(repo)
    puts = [site for site in known.puts if of_model(site)]
    puts += deepspeed_engines(repo, "load_checkpoint")
    says = "stored weights are put into the model"
    found = (at(site, says) for site in (*puts, *known.restores, *known.copies))
    yield from central(repo, found, CHECKPOINTS)
    for module, place, one in repo.functions("^_?from_pretrained$"):
        for site in repo.calls_in(module, place):
            if site.method in ("copy_", *PUTS) or site.names[0] in _UNPICKLES:
                yield in_code(module, place, one.line, "from_pretrained restores stored weights")
                break


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
    for site, name in libraries(repo, "train-state-writers"):
        yield at(site, f"{name} writes the optimizer's state")
    for site, name in learners.called(repo, *learners.SAVES):
        yield at(site, f"{name} keeps the optimizer's state with the weights")
    for site in engines(repo, "save_state", "save_checkpoint", "_save_optimizer_and_scheduler"):
        yield at(site, "the engine writes the optimizer's state")
    for site in known.writes:
        if any(map(_names_state, site.arguments())):
            yield at(site, "the optimizer's state is written")
        elif _keeps_all(repo, site):
            yield at(site, "a training state with the optimizer's is written")
    if known.writes:
        yield from _collected(repo, known)


def _names_state(text: str) -> bool:
    """Tell whether a payload holds an optimizer's state, not only its name or rate."""
    return bool(OPTIMIZER.search(api(_ABOUT_OPTIMIZER.sub("", text))))


def _keeps_all(repo: Repository, site: Site) -> bool:
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
    gets.sort(key=lambda site: node(site) not in known.around)
    for site in gets:
        yield at(site, "the optimizer's state is part of what is saved")
    for module, one in repo.assigns(r"\[f?'\w*optim\w*'\]"):
        if module.first + one.scope in known.managers and "state" in one.value + one.target:
            yield in_code(module, one.scope, one.line, "the optimizer's state is saved by a key")
    writers = {*map(node, known.writes)}
    for module, place, definition in repo.definitions:
        here = module.first + place
        if here in known.around and any(map(_OPTIMIZER_KEY.search, definition.returns)):
            yield in_code(module, place, definition.line, "the saved state names the optimizer")
        elif (
            here in known.saving
            and any(map(_OPTIMIZER_FILE.search, definition.params))
            and writers & repo.graph.within([here], 1, up=False)
        ):
            yield in_code(module, place, definition.line, "the optimizer's state is written")
    for site in _handed_on(repo, known):
        yield at(site, "the optimizer is part of the state that is handed on")
    updated = (site for site in repo.methods("update") if node(site) in known.managers)
    for site in (*_registered(repo), *filter(_of_state, updated)):
        yield at(site, "the optimizer is handed to what keeps checkpoints")


def _handed_on(repo: Repository, known: Weights) -> Iterator[Site]:
    """Yield calls of the checkpoint modules that hand on model and optimizer in a mapping."""
    for place in sorted(known.rooms):
        for site in repo.by_scope.get(place, ()):
            if any(map(_STATES.search, site.arguments())):
                yield site


def _of_state(site: Site) -> bool:
    return any(OPTIMIZER.search(api(text)) for text in site.arguments())


def _named_keepers(repo: Repository) -> Iterator[Site]:
    keepers = ("add_recoverable", "add_recoverables", "register_for_checkpointing")
    return filter(_of_state, repo.methods(*keepers))


def _registered(repo: Repository) -> Iterator[Site]:
    """Yield calls that hand an optimizer to a keeper of checkpoints."""
    yield from _named_keepers(repo)
    for name, sites in repo.by_method.items():
        if _KEEPER.search(name):
            for site in sites:
                if _of_state(site) or any(OPTIMIZER.search(key) for key, _ in site.call.kwargs):
                    yield site


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
    for site in known.puts if any(_registered(repo)) else ():
        if site.names[0].startswith("@") if any(_named_keepers(repo)) else "[]." in site.names[0]:
            yield at(site, "what is registered, the optimizer too, gets its state back")
    for site in repo.methods("resume_or_load"):
        yield at(site, "training is resumed from the last checkpoint")
    for site, name in libraries(repo, "train-state-readers"):
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
    for site in repo.methods(*PUTS) if any(_handed_on(repo, known)) else ():
        if node(site) in known.rooms and site.names[0].startswith(("@", "[]", "%")):
            yield at(site, "every part of the state that is handed on gets its own back")
    for site in known.puts:
        if any(map(_OPTIMIZER_FILE.search, site.scope.params)):
            yield at(site, "the optimizer's state is restored from its file")


def _progress(repo: Repository, known: Weights) -> Iterator[Place]:
    """Yield where a whole training state, or its step, is restored."""
    for site, name in libraries(repo, "weight-restorers"):
        texts = [one for value in site.arguments() for one in handed(repo, site, value)]
        if any(_OPTIMIZER_KEY.search(text) or "opt_state" in text for text in texts) or _keeps_all(
            repo, site
        ):
            yield at(site, f"{name} restores a state with the optimizer's")
    saved = known.reads and any(checkpoint_train_state(repo))
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
