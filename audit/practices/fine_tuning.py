"""Fine-tuning: adapters, frozen parts, merging."""

import re
from collections.abc import Iterator
from typing import Final

from audit.code.modules import Module
from audit.facts.model import Assign
from audit.practices.handing import argument, callers
from audit.practices.libraries import called
from audit.practices.loops import backward_calls, classes_around, derives
from audit.practices.ranking import central
from audit.practices.registry import Place, at, in_code, practice
from audit.repository import Repository
from audit.sites import Site

_ADAPTER: Final = re.compile(
    r"^self\.(\w+_)?(lora|adapter|ia3|prefix|prompt_emb|soft_(prompt|embedding)|"
    r"(learned|learnable|virtual)_prompt|prompt_tokens)(_|$|s\b|[A-Z])"
)
_LOW_RANK_FIELD: Final = re.compile(r"^(w_)?lora_(A|B|a|b|down|up)(_\w+)?$")
"""A field or parameter of a JAX module that holds one of the two factors."""
_ADAPTER_CLASS: Final = re.compile(
    r"L[oO][rR][aA](?![a-z])|Adapter(Layer|Module|Block|MLP)?$|IA3|DoRA|"
    r"Prefix(Tuning|Encoder)|PromptTuning|Soft(Prompt|Embedding)"
)
_TUNED_PROMPT: Final = re.compile(r"P(rompt)?_?[tT]un(e|ing)")
_LOW_RANK: Final = re.compile(
    r"nn\.(parameter\.)?(Parameter|Linear|ParameterDict|ModuleDict|Embedding)|Linear"
)
_WEIGHTS: Final = re.compile(r"parameters\(\)|\.(weight|bias)\b")
_PART: Final = re.compile(r"^(self|@\w+)(\.\w+)+\.requires_grad_$")
"""A part of a model: an attribute of an object or parameter."""
_MIXIN: Final = re.compile(r"PeftAdapterMixin|^peft\.")
_SWITCHED: Final = re.compile(r"^(?!.*\.requires_grad)(False\b|not |@\w+( |$)|self\.)")
"""A value of requires_grad that is or may be False: a constant, an option, a flag."""
_MERGES: Final = (
    r"^merge_and_unload$|(^|_)(un)?(merge|merged|fuse|fused|bake)_(\w+_)?(lora|adapters?|peft|qlora)(_|$)|"
    r"(^|_)(lora|adapters?|peft|qlora)_(\w+_)?(merge|fuse)(_|$)"
)
_NO_MERGE: Final = re.compile(
    r"config|args|hook|_(is|can|should|needs?|has)_|^_?(is|can|should|has)_"
)


@practice("finetune-adapters", looks_for="low-rank or other adapters that are trained")
def finetune_adapters(repo: Repository) -> Iterator[Place]:
    """Adapters are trained instead of all weights.

    peft's adapters are made or added to a model, or a module holds its own adapter
    parameters: attributes, or fields and named parameters of a JAX module.

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
    found = [
        at(site, f"{library} makes trainable adapters")
        for site, library in called(repo, "adapter-makers")
    ]
    found += [at(site, "an adapter is added") for site in repo.methods("add_adapter", "add_lora")]
    found += [
        in_code(module, one.scope, one.line, "the module holds adapter parameters")
        for module, one in repo.assigns(r"^self\.")
        if _LOW_RANK.search(one.value)
        and (_ADAPTER.search(one.target) or _in_adapter(repo, module, one.scope))
    ]
    found += [
        in_code(module, one.scope, one.line, "the module holds adapter parameters")
        for module, one in repo.assigns(_LOW_RANK_FIELD.pattern)
        if one.annotation and module.facts.definitions[one.scope].kind == "class"
    ]
    found += [
        at(site, "the module makes adapter parameters")
        for site in repo.methods("param", "variable")
        if site.call.args and _LOW_RANK_FIELD.search(site.call.args[0].strip("'"))
    ]
    found += _offered(repo)
    yield from central(repo, found, r"lora|adapter|peft")


def _in_adapter(repo: Repository, module: Module, scope: int) -> bool:
    """Tell whether a method stands in a module that its class calls an adapter.

    A class that only wraps another model under the name of an adapter has at most one
    projection of its own.
    """
    names = [one.name for _, one in classes_around(module, scope)]
    if any(map(_TUNED_PROMPT.search, names)):
        return True
    if not any(map(_ADAPTER_CLASS.search, names)):
        return False
    own = sum(
        one.scope == scope and bool(_LOW_RANK.search(one.value)) for one in module.facts.assigns
    )
    told = own > 1 or any(_ADAPTER_CLASS.search(one.removesuffix("Adapter")) for one in names)
    return told and derives(repo, module, scope, r"nn\.(modules\.\w+\.)?\w+$")


def _offered(repo: Repository) -> Iterator[Place]:
    """Yield methods that add an adapter through the mixin of transformers or peft."""
    for module, place, one in repo.definitions:
        named_so = one.kind == "function" and one.name.endswith(".add_adapter")
        if named_so and any(map(_MIXIN.search, module.imports.values())):
            yield in_code(module, place, one.line, "adapters are added for training")


@practice("finetune-freeze", looks_for="parameters of a chosen part that stop to learn")
def finetune_freeze(repo: Repository) -> Iterator[Place]:
    """A chosen part of a model can be frozen for training.

    requires_grad is set to False, or to what an option says, on parameters that are
    selected: by a condition, as those of one part of a model, or as all but the parts that
    learn again; or an embedding is made with ``freeze``. A copy that is kept as an average
    is no part.

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
    yield from central(repo, _frozen(repo), r"freeze|frozen|trainable")


def _frozen(repo: Repository) -> Iterator[Place]:
    for module, one in repo.assigns(r"\.requires_grad$"):
        chosen = _WEIGHTS.search(one.target) or _freezes_one(module, one)
        if _SWITCHED.search(one.value) and chosen and not _on_copies(repo, module, one):
            yield in_code(module, one.scope, one.line, "selected parameters are frozen")
    for site in repo.methods("requires_grad_"):
        part = _PART.search(site.names[0]) and not _is_copy(site)
        chosen = part or any(map(_WEIGHTS.search, site.names)) or _spares(repo, site)
        if chosen and any(map(_SWITCHED.search, site.call.args[:1])):
            yield at(site, "selected parameters are frozen")
    yield from _beside_training(repo)
    yield from _optional(repo)


def _is_copy(site: Site) -> bool:
    """Tell whether an attribute was given a copy of a whole model, as averages of one are."""
    return any(
        one.target == site.receivers[0] and "deepcopy()" in one.value
        for one in site.module.facts.assigns
    )


def _spares(repo: Repository, site: Site) -> bool:
    """Tell whether the function lets parts of what it freezes learn."""
    return any(
        one.method == "requires_grad_"
        and one.call.args[:1] in ((), ("True",))
        and one.receivers[0].startswith(f"{site.receivers[0]}.")
        for one in repo.by_scope.get(site.node, ())
    )


def _freezes_one(module: Module, one: Assign) -> bool:
    """Tell whether a function that is named for it freezes the parameter it is handed."""
    name = module.facts.definitions[one.scope].name.rpartition(".")[2]
    return one.value == "False" and one.target[0] == "@" and bool(re.search("freeze", name))


def _on_copies(repo: Repository, module: Module, one: Assign) -> bool:
    """Tell whether a helper that sets what it is told is told False for whole copies alone."""
    if one.value[0] != "@" or one.value[1:] not in module.facts.definitions[one.scope].params:
        return False
    place = module.facts.definitions[one.scope].params.index(one.value[1:])
    told = [
        site
        for site in callers(repo, module, one.scope)
        if argument(site, place, one.value[1:]) == "False"
    ]
    return bool(told) and all("deepcopy()" in argument(site, 0) for site in told)


def _optional(repo: Repository) -> Iterator[Place]:
    """Yield where an option decides whether what is made learns."""
    for site, value in repo.given("requires_grad"):
        if site.method == "Parameter" and value != "False" and _SWITCHED.search(value):
            yield at(site, "an option freezes the parameter")
    for site, value in repo.given("freeze"):
        if "Embedding" in site.names[0] and value != "False":
            yield at(site, "the embedding is frozen")
    for site in repo.calls("optax.set_to_zero", "optax.transforms.freeze"):
        yield at(site, "updates of selected parameters are dropped")


def _beside_training(repo: Repository) -> Iterator[Place]:
    """Yield whole parts that a function freezes while it trains others."""
    for step in backward_calls(repo):
        for site in repo.by_scope.get(step.node, ()):
            if site.method == "requires_grad_" and site.call.args[:1] == ("False",):
                yield at(site, "a part is frozen")


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
    found = [
        in_code(module, place, one.line, says)
        for module, place, one in repo.functions(_MERGES)
        if not _NO_MERGE.search(one.name.rpartition(".")[2])
    ]
    found += _merged(repo)
    methods = ("merge_and_unload", "merge_adapter", "merge_lora", "fuse_lora")
    found += [at(site, says) for site in repo.methods(*methods)]
    yield from central(repo, found, "merge|fuse")


def _merged(repo: Repository) -> Iterator[Place]:
    """Yield methods of a layer that change its weight and remember that it is merged."""
    for module, one in repo.assigns(r"^self\.(is_)?merged$"):
        if any(
            other.scope == one.scope and _WEIGHTS.search(other.target)
            for other in module.facts.assigns
        ):
            yield in_code(module, one.scope, one.line, "the layer merges its adapter")
