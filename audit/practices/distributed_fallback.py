"""Distributed training: what runs when there is only one process."""

import re
from collections.abc import Iterator
from typing import Final

from audit.facts.model import Block
from audit.practices.accelerators import driven
from audit.practices.libraries import named
from audit.practices.origins import by_file
from audit.practices.processes import asks_several, guards
from audit.practices.registry import Place, at, in_code, practice
from audit.repository import Repository, once
from audit.sites import Site

_CHOICE: Final = re.compile(
    r"'(RANK|WORLD_SIZE|LOCAL_RANK|SLURM_\w+)' (not )?in os\.environ|world_?size'?\]? (>|<|==|!=|<=|>=) ?\d|"
    r"is_distributed",
    re.IGNORECASE,
)


_WRAPPERS: Final = (
    "torch.nn.parallel.DistributedDataParallel",
    "torch.nn.parallel.distributed.DistributedDataParallel",
)


_INITIALISERS: Final = (
    "deepspeed.init_distributed", "deepspeed.comm.init_distributed", "colossalai.launch_from_torch",
    "jax.distributed.initialize",
)  # fmt: skip


_HOPS: Final = 3
_SWITCH: Final = re.compile(r"^(?:not )?([\w.:]+)\(\)$")
"""A condition that is nothing but a question to a function."""
_ONCE: Final = re.compile(r"(not )?[\w.:@]*is_initialized\(\)")
_NO_GROUP: Final = re.compile(
    r"^not [\w.:@]*is_(initialized|available|dist\w*)\(\)|"
    r"(rank|RANK|WORLD_SIZE|world_size)\w*('\]|\(\))* (is None|(==|<=) 1\b|< [12]\b)"
)


@practice(
    "distributed-single-process-fallback",
    looks_for="set-up and collectives guarded by environment, world size or is_initialized",
)
def distributed_single_process_fallback(repo: Repository) -> Iterator[Place]:
    """The same code runs as a single process.

    Where product code makes a process group, at least one place that does so, or the
    wrapper of the model, must be conditional; guards around other collectives do not
    make up for it.

    Why:
        Debugging, tests and laptops have one process.
    Fix:
        Initialise only when the launcher's variables are set; guard collectives by
        ``is_initialized``.
    Good:
        import os
        import torch.distributed as dist
        def setup():
            if int(os.environ.get("WORLD_SIZE", "1")) > 1:
                dist.init_process_group("nccl")
    Bad:
        import torch.distributed as dist
        def setup():
            dist.init_process_group("nccl")
            dist.barrier()
    Limits:
        The condition may stand in the function, leave it before, or stand around a call of it;
        further up only a
        switch is seen: ``if not enabled(): return`` where ``enabled`` reads the environment.
    """
    made = [*repo.methods("init_process_group"), *repo.calls(*_INITIALISERS)]
    conditional = [site for site in made if _conditional(repo, site)]
    if made and not conditional and not _wraps_conditionally(repo):
        return
    yield from (
        at(site, "a process group is made only for several processes") for site in conditional
    )
    yield from by_file(repo, _own_fallbacks(repo))
    guarded = (
        at(site, "only in a multi-process run")
        for site in _collective(repo)
        if any(asks_several(repo, site, one.text) for one in guards(site))
        or _left_before(repo, site)
    )
    yield from by_file(repo, guarded)


def _own_fallbacks(repo: Repository) -> Iterator[Place]:
    """Yield engines that make no process group where no launcher has set its variables."""
    told = [
        site
        for site in repo.calls(
            "lightning.pytorch.Trainer", "lightning.Trainer", "pytorch_lightning.Trainer"
        )
        if {"strategy", "devices", "num_nodes"} & {key for key, _ in site.call.kwargs}
    ]
    says = "the engine runs as one process where no launcher started several"
    yield from (at(site, says) for site in (*repo.calls(*named("engines")), *told, *driven(repo)))
    for module, place, one in repo.classes(r"^transformers\.Trainer$"):
        if any(repo.calls(f"{module.dotted}:{one.name}")):
            yield in_code(module, place, one.line, says)


def _left_before(repo: Repository, site: Site) -> bool:
    """Tell whether a function is left before a call where there is no process group."""
    one = site.scope
    return any(one.line <= line < site.line for line in _left(repo).get(site.path, ()))


@once
def _left(repo: Repository) -> dict[str, list[int]]:
    """Return the lines of conditions that there is no process group, under which nothing is
    called, by file."""
    found: dict[str, list[int]] = {}
    for module in repo.product:
        blocks = module.facts.blocks
        asks = [
            place
            for place, block in enumerate(blocks)
            if block.kind == "if" and _NO_GROUP.search(block.text)
        ]
        if asks:
            calls = (one for one in module.facts.calls if one.block >= 0)
            busy = {one.block for one in calls if one.line != blocks[one.block].line}
            found[module.path] = [blocks[place].line for place in asks if place not in busy]
    return found


def _wraps_conditionally(repo: Repository) -> bool:
    """Tell whether a model is wrapped for several processes only: else it trains unwrapped."""
    return any(
        asks_several(repo, site, one.text)
        for site in repo.calls(*_WRAPPERS)
        for one in guards(site)
        if one.kind == "if"
    )


def _is_once(block: Block) -> bool:
    """Tell whether a condition only keeps a group from being made twice."""
    return bool(_ONCE.fullmatch(block.text))


def _conditional(repo: Repository, site: Site) -> bool:
    """Tell whether a call, its function, or a call of that function depends on the processes."""
    facts, scope = site.module.facts, site.call.scope
    if any(asks_several(repo, site, one.text) for one in guards(site) if not _is_once(one)):
        return True
    if _left_before(repo, site) or any("os.environ" in one.text for one in guards(site)):
        return True
    raising = {one.line for one in facts.raises}
    if any(
        one.scope == scope and _CHOICE.search(facts.blocks[one.block].text)
        for one in facts.calls
        if one.block >= 0 and one.line not in raising
    ):
        return True
    name = facts.definitions[scope].name.rpartition(".")[2]
    callers = repo.methods(name) if name else iter(())
    if any(asks_several(repo, one, block.text) for one in callers for block in guards(one)):
        return True
    nodes = repo.graph.within([site.module.first + scope], _HOPS, up=True)
    return any(_switched(repo, node) for node in sorted(nodes))


def _switched(repo: Repository, node: int) -> bool:
    """Tell whether a definition first asks a function that reads the environment whether it
    is to do anything: ``if not enabled(): return``, ``if enabled(): ...``."""
    program = repo.program
    module, one = program.owner[node], program.definition(node)
    return any(
        found >= 0 and _reads_environment(repo, found)
        for block in module.facts.blocks
        if block.kind == "if" and one.line <= block.line <= one.end
        for asked in _SWITCH.findall(block.text)
        for found in (program.resolve(module, asked)[1],)
    )


def _reads_environment(repo: Repository, node: int) -> bool:
    module, scope = repo.program.owner[node], node - repo.program.owner[node].first
    facts = module.facts
    return any(
        one.scope == scope and one.name.startswith("os.environ") for one in facts.references
    ) or any(
        one.scope == scope and one.names[0] in ("os.getenv", "os.environ.get")
        for one in facts.calls
    )


def _collective(repo: Repository) -> Iterator[Site]:
    yield from repo.calls("torch.distributed.*", "torch.nn.parallel.DistributedDataParallel")
    for topic in ("communication", "sharded", "data-parallel"):
        yield from (
            one
            for one in repo.calls(*named(topic))
            if not one.names[0].startswith("torch.distributed.")
        )
