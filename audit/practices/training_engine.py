"""Training: the loop, and what keeps it fast, stable and open to its users."""

import re
from collections.abc import Collection, Iterator
from typing import Final

from audit.code.modules import Module
from audit.facts.model import Assign, Block
from audit.practices.loops import (
    backward_calls,
    classes_around,
    derives,
    enclosing,
    gradients_off,
    is_optimizer_step,
    library_calls,
    loops_around,
    optimizer_steps,
    outermost,
    own_name,
    runs_training,
    scope_at,
    spread,
    training_files,
    trains,
)
from audit.practices.options import handed
from audit.practices.registry import Place, at, in_code, practice
from audit.repository import Repository, Site, blocks_from

_ACCUMULATION: Final = re.compile(
    r"accum(ulat(e|ion|ive))?_?(grad|step|batch|iter|factor|count)|grad(ient)?s?_?accum"
)
_WAITS: Final = re.compile(r" % |accum|should_(step|update)|sync_grad", re.IGNORECASE)
_CHUNKS: Final = re.compile(
    r"mini_?batch|micro_?batch|chunk|batch_steps|sub_?batch|torch\.split\(\)|grad_?cache"
)
_TRAINER: Final = r"(^|[.:])\w*(Trainer|TrainingArguments|LightningModule)$"
_PRECISION_OPTION: Final = re.compile(r"^(mixed_precision|amp|use_amp|fp16|bf16|fp8)(_\w+)?$")
_AUTOCAST: Final = re.compile(r"^(autocast|\w*mixed_precision_context\w*|get_\w*grad_scaler)$")
_OPTIMIZER_CLASS: Final = r"torch\.optim\.(optimizer\.)?\w+$"
_HALF: Final = re.compile(r"16|8|mixed|half|amp|@|self\.|\.", re.IGNORECASE)
_LR: Final = re.compile(r"(param_groups?\b.*|\[\])\['lr'\]$")
_LR_OPTIONS: Final = ("lr_scheduler_type", "lr_scheduler_kwargs", "warmup_ratio")
_SCHEDULER: Final = re.compile(r"(lr|learning_rate|warmup)\w*_?sched|lr_scheduler|^scheduler$")
_HOOK: Final = re.compile(
    r"^(on|before|after)_(\w+_)?(train|fit|epoch|step|batch|rollout|iteration|update|backward|"
    r"optimizer|training|loss|forward|eval\w*)(_\w+)?$"
)
_HOOKS: Final = re.compile(r"callback|hook|event_handler|listener", re.IGNORECASE)
_ELEMENT: Final = re.compile(r"(callback|handler|listener)s?(\(\))?\[\]$")
_MODULE_HOOK: Final = re.compile(r"forward|backward|module|state_dict|remov|grad|save|load|param")
_RUNS: Final = re.compile(
    r"(^self|(^|[._:])(\w*(run|event|fire|trigger|emit|dispatch|notify|hooks?|callbacks?|call)))$"
)
_ITEM: Final = re.compile(r"\[\](\[\d\]|\.\w*(handler|callback|func|fn))?$")
_STOPPER: Final = re.compile(r"early_?stop|stop_early|stop_training|no_\w*improvement|stop_train")
_COMPARES: Final = re.compile(r" (>=|>|<|<=|==) ")
_INTERRUPTS: Final = re.compile(
    r"(Train(ing)?_?(Interrupt|Stop)|(Stop|Interrupt)_?Training|EarlyStop)\w*$"
)
_CLIP: Final = re.compile(r"^_?(\w+_)?clip_(by_)?\w*(grad|global_norm)\w*$|^unitwise_norm$")
_NON_FINITE: Final = ("isfinite", "isnan", "isinf")
_NOT_LOSS: Final = re.compile(r"norm_type|prob|reward|@ord\b|teacher")
_GUARD: Final = re.compile(
    r"(on|terminate|stop|detect|skip)\w*_(nan|inf|finite|overflow)|"
    r"nan_\w*(detect|guard|monitor|stop)|overflow"
)
_LOSS: Final = re.compile(r"loss|grad|backward|objective", re.IGNORECASE)


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
    steps = {site.module.first + site.call.scope for site in optimizer_steps(repo)}
    stepping = repo.graph.within(steps, 3, up=True)
    holders = {_class_of(repo, node) for node in steps} - {-1}
    split = []
    for site in backward_calls(repo):
        node = site.module.first + site.call.scope
        if own_name(site.scope) == "backward":
            continue
        if not stepping.isdisjoint(repo.graph.within({node}, 3, up=True)) or _steps_beside(
            repo, site
        ):
            split.append(at(site, "computes gradients in a loop that steps the optimizer"))
        elif _class_of(repo, node) in holders:
            split.append(at(site, "computes gradients for the class's optimizer step"))
    yield from spread(split, training_files(repo))


def _class_of(repo: Repository, node: int) -> int:
    module = repo.program.owner[node]
    found = next(classes_around(module, node - module.first), None)
    return module.first + found[0] if found else -1


def _function_calls(repo: Repository, site: Site) -> Iterator[Site]:
    """Yield the calls of the function around a call, those of nested functions included."""
    module = site.module
    home = outermost(module, site.call.scope)
    for place, _ in enumerate(module.facts.definitions):
        if place == site.call.scope or (place and outermost(module, place) == home):
            yield from repo.by_scope.get(module.first + place, ())


def _steps_beside(repo: Repository, site: Site) -> bool:
    return any(
        one.method == "step" and is_optimizer_step(one, beside_backward=True)
        for one in _function_calls(repo, site)
    )


@practice(
    "train-grad-accumulation",
    looks_for="several backward calls to one step, or an option for accumulation",
)
def train_grad_accumulation(repo: Repository) -> Iterator[Place]:
    """Gradients of several micro-batches are accumulated before a step.

    The backward call is in a loop that the step is not in, the step waits for a
    counter, or an option that is named for it is read or passed on.

    Why:
        It decouples the batch size that the optimizer needs from the one that fits in memory.
    Fix:
        Divide the loss by the number of micro-batches and step once for all of them.
    Good:
        def fit(model, optimizer, batches, every):
            for count, batch in enumerate(batches):
                (model(batch) / every).backward()
                if (count + 1) % every == 0:
                    optimizer.step()
                    optimizer.zero_grad()
    Bad:
        def fit(model, optimizer, batches):
            for count, batch in enumerate(batches):
                model(batch).backward()
                optimizer.step()
                if count % 10 == 0:
                    print(count)
    Drop-in: codex_ml.training.train
    """
    found = [*_accumulating_loops(repo), *_accumulation_options(repo)]
    yield from spread(found, training_files(repo))


def _accumulating_loops(repo: Repository) -> Iterator[Place]:
    steps = {site.module.first + site.call.scope for site in optimizer_steps(repo)}
    for site in (*backward_calls(repo), *_own_backward(repo)):
        inner = loops_around(site)
        if inner and _CHUNKS.search(f"{site.scope.name} {_loop_text(site)}"):
            yield at(site, "backward for every part of a batch")
        callers = repo.graph.callers[site.module.first + site.call.scope]
        if inner and not _steps_beside(repo, site) and not steps.isdisjoint(callers):
            yield at(site, "backward in a loop of what runs before the step")
        for step in _function_calls(repo, site):
            if step.method != "step" or not is_optimizer_step(step, beside_backward=True):
                continue
            outer = loops_around(step)
            if len(inner) > len(outer) > 0 and inner[-len(outer) :] == outer:
                yield at(site, "backward in a loop inside the loop that steps the optimizer")
            waits = [one for one in step.blocks() if one.kind == "if" and _WAITS.search(one.text)]
            if waits and not _shares_a_block(repo, step, waits):
                yield at(step, "the optimizer steps once every few batches")


def _own_backward(repo: Repository) -> Iterator[Site]:
    """Yield calls of a repository's own function around backward."""
    return repo.methods("_backward", "backward_pass", "do_backward")


def _loop_text(site: Site) -> str:
    """Return what the innermost loop around a call goes through, with the calls on that line."""
    loop = loops_around(site)[0]
    said = (
        text
        for call in site.module.facts.calls
        if call.line == loop.line and call.scope == site.call.scope
        for text in (*call.names, *call.args)
    )
    return " ".join((loop.text, *said)).lower()


def _shares_a_block(repo: Repository, step: Site, blocks: list[Block]) -> bool:
    """Tell whether a backward call is in one of the blocks around a step."""
    return any(
        one.method in ("backward", "manual_backward") and not set(blocks).isdisjoint(one.blocks())
        for one in _function_calls(repo, step)
    )


def _accumulation_options(repo: Repository) -> Iterator[Place]:
    for site in repo.methods("accumulate", "no_backward_sync", "no_sync"):
        if site.within("with", r"\.(accumulate|no_backward_sync|no_sync)\(\)"):
            yield at(site, f"{site.method} holds back the synchronisation of gradients")
    if trains(repo):
        for module in repo.product:
            yield from _accumulation_steps(module)
        for name in filter(_names_accumulation, repo.by_keyword):
            for site, value in repo.given(name):
                if value not in ("1", "None"):
                    yield at(site, f"passes {name} to the engine")


def _names_accumulation(text: str) -> bool:
    return bool(_ACCUMULATION.search(text.lower()))


def _accumulation_steps(module: Module) -> Iterator[Place]:
    """Yield where a module computes with, waits for or keeps the accumulation steps."""
    for one in module.facts.assigns:
        if _names_accumulation(one.value) and _arithmetic(one):
            yield in_code(module, one.scope, one.line, "scales by the accumulation steps")
        elif one.target.startswith("self.") and _names_accumulation(one.target):
            yield in_code(module, one.scope, one.line, "keeps the number of accumulation steps")
    for block in module.facts.blocks:
        if block.kind in ("if", "for") and _names_accumulation(block.text):
            scope = scope_at(module, block.line)
            yield in_code(module, scope, block.line, "waits for the accumulation steps")


def _arithmetic(one: Assign) -> bool:
    return any(sign in one.value for sign in (" / ", " // ", " * ", " % ")) or one.operator != "="


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
    if trains(repo):
        found += _precision_options(repo)
        inference = gradients_off(repo)
        for method in filter(_AUTOCAST.search, repo.by_method):
            for site in repo.methods(method):
                if not _infers(repo, site, inference):
                    found.append(at(site, f"runs under {method}"))
    yield from spread(found, training_files(repo))


def _infers(repo: Repository, site: Site, gradients_are_off: Collection[int]) -> bool:
    """Tell whether a call is in code without gradients that is no optimizer's."""
    if derives(repo, site.module, site.call.scope, _OPTIMIZER_CLASS):
        return False
    node = site.module.first + site.call.scope
    return node in gradients_are_off or site.within("with", "no_grad|inference_mode")


def _precision_options(repo: Repository) -> Iterator[Place]:
    for one in handed(repo, "bf16", "fp16", "fp8"):
        if one.value[:1] != "'" and not one.value.startswith("torch."):
            yield one.place("hands {} to the engine")
    for site in repo.calls("deepspeed.initialize"):
        if any(re.search(r"'(fp16|bf16)'", text) for text in site.arguments()):
            yield at(site, "configures reduced precision for DeepSpeed")
    for site in repo.methods("Fabric", "Trainer", "Accelerator", "TrainingArguments"):
        for name, value in site.call.kwargs:
            if (_PRECISION_OPTION.match(name) or name == "precision") and _HALF.search(value):
                yield at(site, f"passes {name} to the engine")


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
    stepped = [at(s, "steps the learning-rate scheduler") for s in _scheduler_steps(repo)]
    handed_on = [one.place("hands {} to the engine") for one in handed(repo, *_LR_OPTIONS)]
    handed_on += [
        at(site, "sets the rate of the optimizer")
        for site in repo.methods("set_lr", "set_learning_rate")
        if any(re.search(r"optim", one, re.IGNORECASE) for one in site.receivers)
    ]
    yield from spread([*made, *stepped, *handed_on, *_written_rates(repo)], training_files(repo))


def _scheduler_steps(repo: Repository) -> Iterator[Site]:
    for site in repo.methods("step"):
        held = any(_SCHEDULER.search(one.rpartition(".")[2].lstrip("@")) for one in site.receivers)
        if held and len(site.call.args) <= 1:
            yield site


def _written_rates(repo: Repository) -> Iterator[Place]:
    for module, one in repo.assigns(r"\['lr'\]$"):
        computed = one.value[:1] in "@:%(" or "(" in one.value or _arithmetic(one)
        if not (computed and _is_rate(module, one)) or own_name(
            module.facts.definitions[one.scope]
        ).startswith("_init"):
            continue
        if not derives(repo, module, one.scope, _OPTIMIZER_CLASS):
            yield in_code(module, one.scope, one.line, "writes a computed learning rate")


def _is_rate(module: Module, one: Assign) -> bool:
    """Tell whether a target is the rate of a parameter group, by its name or its loop."""
    return bool(_LR.search(one.target)) or any(
        block.kind == "for" and "param_groups" in block.text
        for block in blocks_from(module, one.block)
    )


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
    found += [one.place("hands {} to the engine") for one in handed(repo, "torch_compile")]
    yield from spread(found, training_files(repo))


_MODEL: Final = re.compile(
    r"(^|[@.: ])(\w*model|modules?|net|network|mods|transformer|unet|layers?|block|policy|"
    r"self|\w*loss\w*|\w*step)(\[[^\]]*\])?(\(\))?($| )|nn\.Module\(\)|DistributedDataParallel|"
    r"create_model|from_pretrained\(\)",
    re.IGNORECASE,
)


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
    return bool(known & {"backend", "mode", "fullgraph", "dynamic"})


@practice("train-callbacks", looks_for="hooks of users that the training loop calls")
def train_callbacks(repo: Repository) -> Iterator[Place]:
    """Users can hook into the training loop.

    The loop calls methods of callbacks at named points, or runs the functions that
    users registered; or callbacks are handed on to the engine that trains.

    Why:
        Logging, early stopping or sampling should not need a fork of the loop.
    Fix:
        Take a list of callbacks and call each at the start and end of step and epoch.
    Good:
        def fit(model, optimizer, batches, callbacks):
            for batch in batches:
                model(batch).backward()
                optimizer.step()
                for callback in callbacks:
                    callback.on_step_end(model)
    Bad:
        def watch(model):
            handles = [m.register_forward_hook(print) for m in model.modules()]
            return handles
    Drop-in: codex_ml.training.Callback
    """
    if not runs_training(repo):
        return
    found = [at(s, f"calls {s.method} of callbacks") for s in _hook_calls(repo)]
    found += [at(s, "runs the registered callbacks") for s in _registered(repo)]
    found += [
        at(site, "hands callbacks on to the trainer")
        for site, value in repo.given("callbacks")
        if value not in ("None", "[]")
        and re.search(r"Trainer|super\(\)|\.fit$|__init__$", site.names[0])
    ]
    yield from spread(found, training_files(repo))


def _hook_calls(repo: Repository) -> Iterator[Site]:
    for method, sites in repo.by_method.items():
        for site in sites if _HOOK.match(method) else ():
            if _HOOKS.search(" ".join(site.receivers)) or site.within("for", _HOOKS.pattern):
                yield site
    for site in repo.all_calls:
        first = site.call.args[0] if site.call.args else ""
        if first[:3] in ("'on", "'be", "'af") and _HOOK.match(first.strip("'")):
            if _RUNS.search(site.names[0]):
                yield site
        elif site.names[0] == "builtins.getattr()" and site.within("for", _HOOKS.pattern):
            yield site
    for site in repo.methods("run_event", "fire", "fire_event", "trigger", "dispatch", "notify"):
        if any(map(_ELEMENT.search, site.receivers)):
            yield site


def _registered(repo: Repository) -> Iterator[Site]:
    for site in repo.all_calls:
        name = site.names[0]
        if (
            _ITEM.search(name)
            and _HOOKS.search(name)
            and not _MODULE_HOOK.search(name.lower())
            and not name.endswith("[][1][0]")
        ):
            yield site


@practice("train-early-stopping", looks_for="a stop of training that a metric decides")
def train_early_stopping(repo: Repository) -> Iterator[Place]:
    """Training can stop early because a metric says so.

    An early-stopping callback of a library, an own one, or a patience counter that is
    compared.

    Why:
        It saves the compute after the best point and keeps the model from over-fitting.
    Fix:
        Count evaluations without improvement and leave the loop at the patience.
    Good:
        class EarlyStopping:
            def __init__(self, patience):
                self.patience, self.waited = patience, 0
            def __call__(self, improved):
                self.waited = 0 if improved else self.waited + 1
                return self.waited >= self.patience
    Bad:
        def answer(model, prompt):
            return model.generate(prompt, early_stopping=True)
    Drop-in: codex_ml.training.train
    """
    found = [at(s, f"uses {what}") for s, what in library_calls(repo, "early-stopping")]
    for module, place, one in repo.definitions:
        if not _STOPPER.search(own_name(one)) or one.stub:
            continue
        if (
            _decides(module, place)
            if one.kind == "class"
            else any(map(_COMPARES.search, one.returns))
        ):
            found.append(in_code(module, place, one.line, "stops training by a metric"))
    for module in repo.product:
        found += _patience(module)
        found += [
            in_code(module, one.scope, one.line, "leaves training by an exception")
            for one in module.facts.raises
            if one.block >= 0 and _INTERRUPTS.search(one.name)
        ]
    yield from spread(found, training_files(repo))


def _decides(module: Module, scope: int) -> bool:
    """Tell whether a class has a method that compares something."""
    definitions = module.facts.definitions
    methods = [one for one in definitions if one.parent == scope and not one.stub]
    return any(
        one.line <= block.line <= one.end and block.kind == "if"
        for one in methods
        for block in module.facts.blocks
    ) or any(_COMPARES.search(text) for one in methods for text in one.returns)


def _patience(module: Module) -> Iterator[Place]:
    for block in module.facts.blocks:
        if (
            block.kind == "if"
            and re.search(r"(>=|>|==) \S*patience", block.text)
            and not re.search(r"finite|nan", block.text)
        ):
            scope = scope_at(module, block.line)
            around = [own_name(one) for _, one in classes_around(module, scope)]
            if not any(re.search(r"(_lr|sched|plateau)", one) for one in around):
                yield in_code(module, scope, block.line, "stops at the patience")


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
    for one in handed(repo, "gradient_clip_val", "gradient_clipping", "max_grad_norm", "clip_grad"):
        found.append(one.place("passes {} to the engine"))
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
    losses = _losses(repo)
    checks = [
        at(site, f"checks {site.method} of loss or gradients")
        for site in repo.methods(*_NON_FINITE)
        if not _NOT_LOSS.search(_subject(site))
        and (_LOSS.search(_subject(site)) or _is_loss(site, losses) or _guards(site))
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


def _losses(repo: Repository) -> dict[int, set[str]]:
    """Return the texts that are differentiated, by the function that does so."""
    found: dict[int, set[str]] = {}
    for site in backward_calls(repo):
        known = found.setdefault(site.module.first + site.call.scope, set())
        known |= {text for text in (*site.receivers, *site.call.args[:1]) if len(text) > 2}
    return found


def _is_loss(site: Site, losses: dict[int, set[str]]) -> bool:
    """Tell whether a check is of a value that its function differentiates."""
    texts = losses.get(site.module.first + site.call.scope, ())
    subjects = _subject(site).split(" | ")
    return any(subject.startswith(text) for text in texts for subject in subjects)


def _subject(site: Site) -> str:
    """Return what a check is applied to: its argument or what it is called on."""
    return site.call.args[0] if site.call.args else " ".join(site.receivers)


def _guards(site: Site) -> bool:
    """Tell whether a check stands in code that is named for it, or decides in code about losses."""
    around = " ".join(own_name(one) for _, one in enclosing(site.module, site.call.scope))
    if _GUARD.search(around):
        return True
    decides = any(one.kind == "if" and one.line == site.line for one in site.module.facts.blocks)
    return decides and bool(_LOSS.search(own_name(site.scope)))
