"""Training: the loop, and what keeps it fast, stable and open to its users."""

import re
from collections.abc import Collection, Iterator
from typing import Final

from audit.code.modules import Module
from audit.practices.evaluations import gradients_off
from audit.practices.loops import (
    backward_calls,
    classes_around,
    derives,
    library_calls,
    optimizer_steps,
    own_name,
    spread,
    steps_beside,
    training_files,
    trains,
)
from audit.practices.options import configured, handed, recorded
from audit.practices.registry import Place, at, in_code, practice
from audit.practices.training_schedule import OPTIMIZER_CLASS
from audit.repository import Repository
from audit.sites import File, Site

_TRAINER: Final = r"(^|[.:])\w*(Trainer|TrainingArguments|LightningModule)$"
_PRECISION_OPTION: Final = re.compile(r"^(mixed_precision|amp|use_amp|fp16|bf16|fp8)(_\w+)?$")
_AUTOCAST: Final = re.compile(r"^(autocast|\w*mixed_precision_context\w*|get_\w*grad_scaler)$")
_OWN_PRECISION: Final = re.compile(
    r"^_?(\w+_)?((fp|bf|float)_?16|mixed_precision|half)_(\w+_)?optim\w*$|"
    r"^_?(\w+_)?(loss|grad|gradient)_scaler$|^mixed_precision_(trainer|optimizer|wrapper)$"
)
_HALF: Final = re.compile(r"16|8|mixed|half|amp|@|self\.|\.", re.IGNORECASE)


@practice("train-loop", looks_for="a function that leads to backward and to an optimizer step")
def train_loop(repo: Repository) -> Iterator[Place]:
    """The repository runs its own training loop.

    Forward, backward and the optimizer's step are run by product code. Both calls
    are in one function, one function leads to both, or one class holds both.

    Why:
        Whoever owns the loop can make it resumable, observable and safe. A loop that is
        another library's can only be configured.
    Fix:
        Write the loop, or call the one of `codex_ml.training`: forward, `loss.backward()`,
        clip, `optimizer.step()`, `optimizer.zero_grad()`.
    Good:
        def fit(model, optimizer, batches):
            for batch in batches:
                loss = model(batch)
                loss.backward()
                optimizer.step()
                optimizer.zero_grad()
    Bad:
        class Engine:
            def backward(self, loss):
                self.scaler.scale(loss).backward()
    Limits:
        A loop that calls its parts by name (`getattr(strategy, "backward")`) is not followed.
    Drop-in: codex_ml.training.train
    """
    steps = {site.node for site in optimizer_steps(repo)}
    stepping = repo.graph.within(steps, 3, up=True)
    holders = {_class_of(repo, node) for node in steps} - {-1}
    split = []
    for site in backward_calls(repo):
        node = site.node
        if own_name(site.scope) == "backward":
            continue
        if not stepping.isdisjoint(repo.graph.within({node}, 3, up=True)) or steps_beside(
            repo, site
        ):
            split.append(at(site, "computes gradients in a loop that steps the optimizer"))
        elif _class_of(repo, node) in holders:
            split.append(at(site, "computes gradients for the class's optimizer step"))
    split += [
        at(site, "computes gradients through its trainer and steps the optimizer")
        for site in repo.methods("training_step")
        if site.node in steps and derives(repo, site.module, site.call.scope, r"Trainer$")
    ]
    split += [
        at(site, f"{site.method} computes gradients and steps")
        for site in repo.methods("update_params", "train_batch")
        if any(re.search(r"optim|deepspeed", text) for text in repo.kinds(site))
    ]
    yield from spread(split, training_files(repo))


def _class_of(repo: Repository, node: int) -> int:
    module = repo.program.owner[node]
    found = next(classes_around(module, node - module.first), None)
    return module.first + found[0] if found else -1


@practice(
    "train-mixed-precision", looks_for="autocast, a gradient scaler or a mixed-precision policy"
)
def train_mixed_precision(repo: Repository) -> Iterator[Place]:
    """Training can run in reduced precision.

    Autocast outside of inference code, a gradient scaler, a mixed-precision policy,
    or the option of an engine. Repositories that do not train at all are out.

    Why:
        bf16 or fp16 halves memory and multiplies speed on accelerators; done without
        autocast or master weights it loses small updates.
    Fix:
        Wrap forward and loss in `torch.autocast(device, dtype=torch.bfloat16)`; for fp16
        scale the loss with `torch.amp.GradScaler`.
    Good:
        import torch
        def step(model, optimizer, batch):
            with torch.autocast("cuda", dtype=torch.bfloat16):
                loss = model(batch)
            loss.backward()
            optimizer.step()
    Bad:
        import torch
        @torch.no_grad()
        def answer(model, batch):
            with torch.autocast("cuda", dtype=torch.bfloat16):
                return model(batch)
    Drop-in: codex_ml.training.train
    """
    scalers = [at(site, "scales the loss") for site in repo.methods("GradScaler")]
    policies = [at(s, f"uses {what}") for s, what in library_calls(repo, "mixed-precision")]
    found = [*scalers, *policies]
    found += [at(s, "chooses AMP by name") for s in configured(repo, r"^'Amp\w*OptimWrapper'")]
    found += recorded(repo, "fp16", "bf16")
    if trains(repo):
        found += _precision_options(repo)
        found += _own_precision(repo)
        inference = gradients_off(repo)
        for method in filter(_AUTOCAST.search, repo.by_method):
            for site in repo.methods(method):
                if (
                    not _infers(repo, site, inference)
                    and ("enabled", "False") not in site.call.kwargs
                ):
                    found.append(at(site, f"runs under {method}"))
    yield from spread(found, training_files(repo))


def _own_precision(repo: Repository) -> Iterator[Place]:
    """Yield own optimizers and loss scalers for half precision, and models cast for training."""
    for module, place, one in repo.definitions:
        if one.kind == "class" and _OWN_PRECISION.search(own_name(one)):
            yield in_code(module, place, one.line, f"{one.name} trains in half precision")
    training = {site.node for site in backward_calls(repo)}
    for site in repo.methods("to", "bfloat16"):
        half = site.method == "bfloat16" or "torch.bfloat16" in site.call.args
        model = any(re.search(r"(^|[@._])(model|net)$", one) for one in site.receivers)
        if half and model and site.node in training:
            yield at(site, "the model is trained in bfloat16")
    for site in repo.calls("functools.partial"):
        if any(re.search(r"\bautocast$", text) for text in site.call.args[:1]):
            yield at(site, "runs under autocast")


def _infers(repo: Repository, site: Site, gradients_are_off: Collection[int]) -> bool:
    """Tell whether a call is in code without gradients that is no optimizer's."""
    if derives(repo, site.module, site.call.scope, OPTIMIZER_CLASS):
        return False
    node = site.node
    return node in gradients_are_off or site.within("with", "no_grad|inference_mode")


def _precision_options(repo: Repository) -> Iterator[Place]:
    loads = {(site.path, site.line) for site in repo.methods("from_pretrained")}
    for one in handed(repo, "bf16", "fp16", "fp8"):
        dtype = one.value[:1] == "'" or one.value.startswith("torch.")
        if not dtype and (one.home.path, one.line) not in loads:
            yield one.place("hands {} to the engine")
    for one in handed(repo, "precision"):
        if isinstance(one.home, File) and _HALF.search(one.value):
            yield one.place("passes {} to the engine")
    for site, value in repo.given("bnb_4bit_compute_dtype"):
        if re.search(r"float16|half", value):
            yield at(site, "adapters are trained over weights that compute in half precision")
    for site in repo.calls("deepspeed.initialize"):
        if any(re.search(r"'(fp16|bf16)'", text) for text in site.arguments()):
            yield at(site, "configures reduced precision for DeepSpeed")
    for site in repo.methods("Fabric", "Trainer", "Accelerator", "TrainingArguments"):
        for name, value in site.call.kwargs:
            if (_PRECISION_OPTION.match(name) or name == "precision") and _HALF.search(value):
                yield at(site, f"passes {name} to the engine")


@practice("train-compile", looks_for="torch.compile on a model or training step")
def train_compile(repo: Repository) -> Iterator[Place]:
    """Model or training step can be compiled.

    `torch.compile` of a module, a model, a loss or a step, or the engine's option for it;
    compiled helper functions (kernels, optimizer arithmetic) do not count.

    Why:
        Fused graphs raise training throughput without a change to the model.
    Fix:
        Offer an option that runs `model = torch.compile(model)` before the loop.
    Good:
        import torch
        def prepare(model, fast):
            return torch.compile(model) if fast else model
    Bad:
        import torch
        def convert(weights): return weights
        fast_convert = torch.compile(convert)
    """
    found = [
        at(site, "compiles the model")
        for site in repo.calls("torch.compile")
        if site.call.decorates < 0 and _is_model(repo, site)
    ]
    found += [
        at(site, "compiles the module in place")
        for site in repo.methods("compile")
        if _compiles_itself(site)
    ]
    found += [one.place("hands {} to the engine") for one in handed(repo, *_COMPILES)]
    found += [at(site, "compiles the model") for site in repo.calls("torch._dynamo.optimize")]
    yield from spread(found, training_files(repo))


_MODEL: Final = re.compile(
    r"(^|[@.: ])(\w*model|modules?|net|network|mods|transformer|unet|layers?|block|policy|"
    r"self|\w*loss\w*|\w*step)(\[[^\]]*\])?(\(\))?($| )|nn\.Module\(\)|DistributedDataParallel|"
    r"create_model|from_pretrained\(\)",
    re.IGNORECASE,
)


_COMPILES: Final = ("torch_compile", "compile_config", "dynamo_backend")
_VALUE: Final = re.compile(r"\(\)$|\[[^\]]*\](\.\w+)?(\[\d\])?$|^self\.\w+$")
_FUNCTION: Final = re.compile(
    r"getattr\(\)|partial\(\)|(fn|func\w*|kernel|attention|attn|optim\w*|op)(\(\)|\[\d*\])?$"
)


def _is_model(repo: Repository, site: Site) -> bool:
    if not site.call.args:
        return any(name in ("model", "module") for name, _ in site.call.kwargs)
    wanted = [one for one in site.call.args[0].split(" | ") if one != "torch.compile()"]
    return any(
        _MODEL.search(text) or _is_value(text) or _makes_module(repo, site.module, text)
        for text in wanted
    )


def _is_value(text: str) -> bool:
    """Tell whether a text is something that was made, held or iterated, no function's name."""
    return bool(_VALUE.search(text)) and not _FUNCTION.search(text)


def _makes_module(repo: Repository, module: Module, text: str) -> bool:
    if text[:1] in "'%[{(" or not text.endswith("()"):
        return False
    return any(
        node >= 0 and any("nn.Module" in base for base in repo.program.ancestry(node))
        for made, _ in repo.program.follow(module, text)
        for node in (repo.program.resolve(module, made.removesuffix("()").replace(":", "."))[1],)
    )


def _compiles_itself(site: Site) -> bool:
    receiver = site.receivers[0]
    known = {name for name, _ in site.call.kwargs}
    if not receiver or receiver in ("re", "regex", "torch", "builtins", "self"):
        return False
    if not site.call.args and not known:  # Keras needs at least an optimizer
        return receiver.endswith("from_pretrained()") or (
            site.within("if", "compile") and bool(_MODEL.search(receiver))
        )
    handed_on = "**" in known and bool(_MODEL.search(receiver) or receiver.endswith("[]"))
    return handed_on or bool(known & {"backend", "mode", "fullgraph", "dynamic"})
