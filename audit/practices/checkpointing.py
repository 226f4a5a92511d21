"""Checkpointing: weights are written and read."""

from collections.abc import Iterator
from typing import Final

from audit.practices.engines import deepspeed_engines
from audit.practices.ranking import central
from audit.practices.registry import Place, at, in_code, practice
from audit.practices.weights import CHECKPOINTS, PUTS, of_model, weights
from audit.repository import Repository

_UNPICKLES: Final = ("joblib.load", "pickle.load", "cloudpickle.load", "dill.load")


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
