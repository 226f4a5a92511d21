"""Checkpointing: what makes restored runs complete and loading harmless."""

import re
from collections.abc import Iterator
from typing import Final

from audit.practices.handing import api
from audit.practices.libraries import called
from audit.practices.loops import derives
from audit.practices.ranking import apart, central
from audit.practices.registry import Place, at, in_code, practice
from audit.practices.weights import CHECKPOINTS, weights
from audit.repository import Repository
from audit.sites import Site

_GENERATOR: Final = re.compile(r"torch\.Generator\(|rng|generator|random", re.IGNORECASE)
_KEY: Final = re.compile(r"^(\w+_)?(rng|prng|key)(_key|s)?$")
_FROM_FILE: Final = re.compile(
    r"((torch|pickle|numpy|json|joblib)\.load|load_checkpoint)\(\)(\[|\.get)"
)


@practice("checkpoint-rng-state", looks_for="random-number-generator states in checkpoints")
def checkpoint_rng_state(repo: Repository) -> Iterator[Place]:
    """Random-number-generator states are saved in checkpoints and restored.

    Getters of generator states in functions that have no setter (a pair in one function
    only protects a block of code), together with setters elsewhere; setters that are given
    what was read from a file; or a trainer's own hooks for them.

    Why:
        A resumed run that draws other numbers sees other batches, dropout and noise: it
        cannot be compared with the run that was not interrupted.
    Fix:
        Save the states of Python, NumPy, torch and every device, per rank, and restore them.
    Good:
        import torch

        def save(model, path):
            torch.save({"model": model.state_dict(), "rng": torch.get_rng_state()}, path)

        def load(model, path):
            state = torch.load(path, weights_only=True)
            model.load_state_dict(state["model"])
            torch.set_rng_state(state["rng"])
    Bad:
        import torch

        def save(model, path):
            torch.save(model.state_dict(), path)

        def draw_without_trace(seed):
            state = torch.get_rng_state()
            torch.manual_seed(seed)
            sample = torch.rand(1)
            torch.set_rng_state(state)
            return sample
    Limits:
        That the saved and the restored state are the same is not proved.
    Drop-in: codex_ml.checkpointing.CheckpointManager
    """
    known = weights(repo)
    states = [module.first + place for module, place, _ in repo.functions(r"^(_?get_)?state_dict$")]
    reach = known.around | repo.graph.within(states, 1, up=False)
    gets = [site for site, _ in called(repo, "rng-getters") if not _recomputes(repo, site)]
    gets += [s for s in repo.methods("get_state", "get_states") if _of_generator(s)]
    sets = [site for site, _ in called(repo, "rng-setters") if not _recomputes(repo, site)]
    sets += [s for s in repo.methods("set_state", "set_states") if _of_generator(s)]
    saved = [s for s in gets if s.node in reach and s.node not in {one.node for one in sets}]
    restored = [s for s in sets if s.node not in {one.node for one in gets}]
    hooks = [*repo.methods("_save_rng_state", "_load_rng_state")]
    read = [s for s in restored if any(map(_FROM_FILE.search, s.call.args))]
    found = {*saved, *restored} if saved and restored and known.writes else {*read, *hooks}
    yield from _in_state(repo) if known.writes else ()
    says = "random states travel with the checkpoint"
    yield from apart(at(site, says) for site in (*gets, *sets, *hooks) if site in found)


def _in_state(repo: Repository) -> Iterator[Place]:
    """Yield where the training state has a random key, or a NumPy generator gets its state."""
    for module, place, one in repo.classes(r"^flax\.[\w.]*TrainState$"):
        for field in module.facts.assigns:
            if field.scope == place and _KEY.search(field.target):
                yield in_code(module, place, one.line, "the training state holds a random key")
    for module, made in repo.assigns(r"\.bit_generator\.state$"):
        yield in_code(module, made.scope, made.line, "a generator gets its state back")


def _recomputes(repo: Repository, site: Site) -> bool:
    """Tell whether a state is kept for the backward pass, which computes something again."""
    graph, owner = repo.graph, repo.program.owner
    return any(
        derives(repo, owner[node], node - owner[node].first, r"autograd\.([Ff]unction|Function)\b")
        for node in (site.node, *graph.callers[site.node])
    )


def _of_generator(site: Site) -> bool:
    """Tell whether a method is called on a random generator, by its API or what made it."""
    return any(_GENERATOR.search(api(one)) for one in site.receivers)


@practice("checkpoint-safe-load", looks_for="weights read by safetensors or with weights_only")
def checkpoint_safe_load(repo: Repository) -> Iterator[Place]:
    """Weights are loaded without running code from the file.

    safetensors, or torch.load with weights_only=True (or a parameter whose default is True).

    Why:
        Unpickling a checkpoint from elsewhere runs whatever its author put into it.
    Fix:
        Pass weights_only=True, or read safetensors.
    Good:
        import torch

        def load(path):
            return torch.load(path, map_location="cpu", weights_only=True)
    Bad:
        import torch

        def load(path):
            return torch.load(path, map_location="cpu", weights_only=False)
    Limits:
        Other, unsafe loads beside a safe one are the matter of
        security-no-unsafe-deserialization.
    Drop-in: codex_ml.checkpointing.CheckpointManager
    """
    safe = [site for site, value in repo.given("weights_only") if _is_true(site, value)]
    safe += [site for site, value in repo.given("**") if "'weights_only': True" in value]
    safe += [
        site for site in repo.methods("setdefault") if site.call.args == ("'weights_only'", "True")
    ]
    safe += repo.calls("torch.serialization.add_safe_globals", "torch.serialization.safe_globals")
    for site, _ in called(repo, "safe-readers"):
        if "load" in site.method or site.method in ("safe_open", "HuggingFaceStorageReader"):
            safe.append(site)
    says = "weights are read without running code from the file"
    yield from central(repo, (at(site, says) for site in safe), CHECKPOINTS)


def _is_true(site: Site, value: str) -> bool:
    defaults = dict(site.scope.defaults)
    return value.startswith("True") or defaults.get(value.partition(" ")[0][1:]) == "True"
