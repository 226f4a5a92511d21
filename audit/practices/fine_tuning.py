"""Fine-tuning: adapters, frozen parts, merging."""

import re
from collections.abc import Iterator
from typing import Final

from audit.practices.registry import Place, at, in_code, practice
from audit.practices.weights import central, libraries
from audit.repository import Repository

_ADAPTER: Final = re.compile(r"^self\.(\w+_)?(lora|adapter|ia3|prefix|prompt_emb)(_|$|s\b|[A-Z])")
_LOW_RANK: Final = re.compile(r"nn\.(Parameter|Linear|ParameterDict|ModuleDict|Embedding)|Linear")
_WEIGHTS: Final = re.compile(r"parameters\(\)|\.(weight|bias)\b")
_PART: Final = re.compile(r"^(self|@\w+)(\.\w+)+\.requires_grad_$")
"""A part of a model: an attribute of an object or parameter."""
_MERGES: Final = r"^(merge_and_unload|merge_adapter|merge_lora|merge_lora_weights)$"


@practice("finetune-adapters", looks_for="low-rank or other adapters that are trained")
def finetune_adapters(repo: Repository) -> Iterator[Place]:
    """Adapters are trained instead of all weights.

    peft's adapters are made, or a module holds its own adapter parameters.

    Why:
        Adapters fit a large model to a task on one device and leave the base untouched.
    Fix:
        Wrap the model with peft.get_peft_model and a LoraConfig.
    Good:
        from peft import LoraConfig, get_peft_model

        def wrap(model):
            return get_peft_model(model, LoraConfig(r=8, target_modules=["q_proj"]))
    Bad:
        from peft import PeftModel

        def load(model, path):
            return PeftModel.from_pretrained(model, path)
    Limits:
        Own adapters are recognised by the names of their module's attributes.
    """
    for site, library in libraries(repo, "adapter-makers"):
        yield at(site, f"{library} makes trainable adapters")
    own = (
        in_code(module, one.scope, one.line, "the module holds adapter parameters")
        for module, one in repo.assigns(_ADAPTER.pattern)
        if _LOW_RANK.search(one.value)
    )
    yield from central(repo, own)


@practice("finetune-freeze", looks_for="parameters of a chosen part that stop to learn")
def finetune_freeze(repo: Repository) -> Iterator[Place]:
    """A chosen part of a model can be frozen for training.

    requires_grad is set to False on parameters that are selected: by a condition, or as
    those of one part of a model.

    Why:
        Freezing what need not change saves memory and keeps what was learned before.
    Fix:
        Set requires_grad to False for the parameters of the named modules.
    Good:
        def freeze(model, prefix):
            for name, parameter in model.named_parameters():
                if name.startswith(prefix):
                    parameter.requires_grad = False
    Bad:
        import torch

        def saliency(model, image):
            image.requires_grad = True
            return torch.autograd.grad(model(image).max(), image)
    Limits:
        Whether the frozen model is trained afterwards is not followed.
    """
    yield from central(repo, _frozen(repo))


def _frozen(repo: Repository) -> Iterator[Place]:
    for module, one in repo.assigns(r"\.requires_grad$"):
        if one.value.startswith("False") and _WEIGHTS.search(one.target):
            yield in_code(module, one.scope, one.line, "selected parameters are frozen")
    for site in repo.methods("requires_grad_"):
        chosen = _PART.search(site.names[0]) or any(map(_WEIGHTS.search, site.names))
        if site.call.args[:1] == ("False",) and chosen:
            yield at(site, "selected parameters are frozen")


@practice("finetune-merge", looks_for="adapters that are merged into the base weights")
def finetune_merge(repo: Repository) -> Iterator[Place]:
    """Adapters can be merged into the base weights.

    peft's merge methods are called, or an own function of that kind is defined.

    Why:
        A merged model serves at the speed of the base model and needs no adapter library.
    Fix:
        Offer a command that calls merge_and_unload and saves the result.
    Good:
        def merge(model, path):
            model.merge_and_unload().save_pretrained(path)
    Bad:
        def merge_configs(base, override):
            return {**base, **override}
    Limits:
        Own merges are recognised by the names that peft and LoRA papers use.
    """
    says = "adapters are merged into the base weights"
    own = (in_code(module, place, one.line, says) for module, place, one in repo.functions(_MERGES))
    yield from central(repo, own)
    for site in repo.methods("merge_and_unload", "merge_adapter", "merge_lora", "fuse_lora"):
        yield at(site, says)
