"""Training: gradients of several batches before one step."""

import re
from collections.abc import Iterator
from typing import Final

from audit.code.modules import Module
from audit.facts.model import Block
from audit.practices.loops import (
    backward_calls,
    function_calls,
    is_optimizer_step,
    loops_around,
    optimizer_steps,
    scope_at,
    spread,
    steps_beside,
    training_files,
    trains,
)
from audit.practices.options import handed, recorded
from audit.practices.registry import Place, at, in_code, practice
from audit.practices.training_schedule import arithmetic
from audit.repository import Repository
from audit.sites import Site

_ACCUMULATION: Final = re.compile(
    r"accum(ulat(e|ion|ive))?_?(grad|step|batch|iter|factor|count)|grad(ient)?s?_?acc(?![a-z])|"
    r"grad(ient)?s?_?accum"
)


_WAITS: Final = re.compile(r" % |accum|should_(step|update)|sync_grad", re.IGNORECASE)


_COUNTS: Final = re.compile(r"(?=.*(enumerate\(\)\[|range\(\)\[| \+ 1)).* (>=|==|>) ")
"""A comparison with the number of a batch."""


_CHUNKS: Final = re.compile(
    r"mini_?batch|micro_?batch|chunk|batch_steps|sub_?batch|torch\.split\(\)|grad_?cache"
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
    steps = {site.node for site in optimizer_steps(repo)}
    yield from _calls_before_the_step(repo)
    for site in (*backward_calls(repo), *_own_backward(repo)):
        inner = loops_around(site)
        if inner and steps and _CHUNKS.search(f"{site.scope.name} {_loop_text(site)}"):
            yield at(site, "backward for every part of a batch")
        callers = repo.graph.callers[site.node]
        if inner and not steps_beside(repo, site) and not steps.isdisjoint(callers):
            yield at(site, "backward in a loop of what runs before the step")
        for step in function_calls(repo, site):
            if step.method != "step" or not is_optimizer_step(step, beside_backward=True):
                continue
            outer = loops_around(step)
            if len(inner) > len(outer) > 0 and inner[-len(outer) :] == outer:
                yield at(site, "backward in a loop inside the loop that steps the optimizer")
            if inner and not outer and step.line > site.line and not _clears(repo, site, inner):
                yield at(site, "backward in a loop before the step of the optimizer")
            waits = [
                one
                for one in step.blocks()
                if one.kind == "if" and (_WAITS.search(one.text) or _COUNTS.search(one.text))
            ]
            if waits and not _shares_a_block(repo, step, waits):
                yield at(step, "the optimizer steps once every few batches")


def _clears(repo: Repository, site: Site, loops: tuple[Block, ...]) -> bool:
    """Tell whether gradients are cleared inside one of the loops."""
    return any(
        one.method == "zero_grad" and not set(loops).isdisjoint(one.blocks())
        for one in function_calls(repo, site)
    )


def _calls_before_the_step(repo: Repository) -> Iterator[Place]:
    """Yield calls in a loop that lead to backward and to no step, where the step comes after
    the loop."""
    backward = {site.node for site in backward_calls(repo)}
    stepping = {site.node for site in optimizer_steps(repo)}
    leading = repo.graph.within(backward, 1, up=True) - repo.graph.within(stepping, 1, up=True)
    for step in optimizer_steps(repo):
        outer = loops_around(step)
        for site in repo.by_scope.get(step.node, ()):
            inner = loops_around(site)
            if (
                len(inner) > len(outer)
                and inner[len(inner) - len(outer) :] == outer
                and site.line < step.line
                and any(node in leading for _, node in _followed(repo, site))
            ):
                yield at(site, "backward for every part of a batch, before the step")


def _followed(repo: Repository, site: Site) -> Iterator[tuple[str, int]]:
    for name in site.call.names:
        yield from repo.program.follow(site.module, name)


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
        for one in function_calls(repo, step)
    )


def _accumulation_options(repo: Repository) -> Iterator[Place]:
    for site in repo.methods("accumulate", "no_backward_sync", "no_sync"):
        if _is_context(site):
            yield at(site, f"{site.method} holds back the synchronisation of gradients")
    for site in repo.methods("set_requires_gradient_sync", "set_is_last_backward"):
        if site.call.args[:1] not in (("True",), ("False",)):
            yield at(site, f"{site.method} holds back the synchronisation of gradients")
    yield from _engine_options(repo)
    if trains(repo):
        for module in repo.product:
            yield from _accumulation_steps(module)
        for module, place, definition in repo.definitions:
            if any(map(_names_accumulation, definition.params)):
                yield in_code(module, place, definition.line, "is given the accumulation steps")


def _engine_options(repo: Repository) -> Iterator[Place]:
    """Yield options by which another library's engine accumulates."""
    for site in repo.calls("optax.MultiSteps", "optax.apply_every"):
        yield at(site, "optax steps once every few batches")
    yield from recorded(repo, "gradient_accumulation_steps")
    for site, value in repo.given("device_train_microbatch_size", "num_microbatches"):
        if value not in ("1", "None"):
            yield at(site, "hands the size or number of micro-batches to the engine")
    if trains(repo):
        for name in filter(_names_accumulation, repo.by_keyword):
            for site, value in repo.given(name):
                if value not in ("1", "None"):
                    yield at(site, f"passes {name} to the engine")
        for one in handed(repo, "gradient_accumulation_steps", "accumulate_grad_batches"):
            if one.value != "1":
                yield one.place("hands {} to the engine")


def _is_context(site: Site) -> bool:
    """Tell whether a call opens a context, or is inside one of its kind."""
    opened = r"\.(accumulate|no_backward_sync|no_sync)\(\)"
    return site.within("with", opened) or any(
        one.kind == "with" and one.line == site.line and re.search(opened, one.text)
        for one in site.module.facts.blocks
    )


def _names_accumulation(text: str) -> bool:
    return bool(_ACCUMULATION.search(text.lower()))


def _accumulation_steps(module: Module) -> Iterator[Place]:
    """Yield where a module computes with, waits for or keeps the accumulation steps."""
    for one in module.facts.assigns:
        if _names_accumulation(one.value) and arithmetic(one):
            yield in_code(module, one.scope, one.line, "scales by the accumulation steps")
        elif one.target.startswith("self.") and _names_accumulation(one.target):
            yield in_code(module, one.scope, one.line, "keeps the number of accumulation steps")
    for block in module.facts.blocks:
        if block.kind in ("if", "for") and _names_accumulation(block.text):
            scope = scope_at(module, block.line)
            yield in_code(module, scope, block.line, "waits for the accumulation steps")
