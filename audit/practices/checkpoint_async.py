"""Checkpointing: checkpoints that are written while training goes on."""

import re
from collections.abc import Iterator
from typing import Final

from audit.practices.background import started
from audit.practices.libraries import called
from audit.practices.loops import backward_calls
from audit.practices.options import options
from audit.practices.registry import Place, at, practice
from audit.practices.weights import SAVES, weights
from audit.repository import Repository

_SAVES_STATE: Final = re.compile(r"(^|[.:])_*(save|write|store|dump)_\w|checkpoint|ckpt")
"""A name of a method that says what is saved, so that a guess at its class will do."""
_HOPS: Final = 4


@practice("checkpoint-async", looks_for="checkpoints written by a thread, process or async_save")
def checkpoint_async(repo: Repository) -> Iterator[Place]:
    """Checkpoints can be written while training goes on.

    async_save of torch.distributed.checkpoint and alike, or a thread, process or executor
    whose target writes weights or leads there through functions that are named for saving;
    a worker that trains is none.

    Why:
        Writing a large checkpoint takes minutes in which every accelerator stands idle.
    Fix:
        Copy the state to the host, then write it from a thread or with dcp.async_save.
    Good:
        import threading
        import torch

        def write(state, path):
            torch.save(state, path)

        def save(model, path):
            state = {key: value.cpu() for key, value in model.state_dict().items()}
            threading.Thread(target=write, args=(state, path)).start()
    Bad:
        import threading
        import torch

        def report(value):
            print(value)

        def save(model, path):
            threading.Thread(target=report, args=(path,)).start()
            torch.save(model.state_dict(), path)
    Limits:
        A worker that takes its work from a queue is followed only through its target.
    Drop-in: codex_ml.checkpointing.CheckpointManager
    """
    for site, library in called(repo, "async-checkpoints"):
        yield at(site, f"checkpoints are written by {library}")
    known = weights(repo)
    close = _savers(repo) if known.writes else frozenset()
    handed = {id(site.call) for site in known.writes}
    for site, target, worker in started(repo) if known.writes else ():
        _, found = repo.program.resolve(site.module, target)
        named_so = re.search(
            r"\.(_?save\w*|write_(checkpoint|state|model)\w*)$"
            if found < 0
            else r"[.:]_?(save|write)_(checkpoint|state|model|weights)\w*$",
            target,
        )
        given = target[:1] == "@" and site.node in known.rooms
        saves = found in close and not _trains(repo, found)
        if saves or named_so or given or id(site.call) in handed:
            yield at(site, f"checkpoints are written by {worker}")
    says = "checkpoints are written while training goes on"
    yield from options(repo, says, "async_sharded_save", "enable_async_checkpointing")
    for site in repo.methods("opena"):
        if site.node in known.around:
            yield at(site, "checkpoints are written by an asynchronous file")


def _savers(repo: Repository) -> frozenset[int]:
    """Return the functions that write weights, and those that lead there through functions
    that are named for saving alone."""
    graph, program = repo.graph, repo.program
    writers = {one.node for one in weights(repo).writes}
    found, front = set(writers), set(writers)
    for _ in range(_HOPS):
        above: set[int] = set()
        for node in front:
            name = program.definition(node).name
            if node in writers or SAVES.search(name):
                certain = _SAVES_STATE.search(name) is not None
                above.update(
                    one for one in graph.callers[node] if certain or node not in graph.guesses[one]
                )
        front = {one for one in above - found if program.definition(one).kind != "module"}
        found |= front
    return frozenset(found)


def _trains(repo: Repository, node: int) -> bool:
    """Tell whether a worker is a whole training run, whose end is that it saves."""
    near = repo.graph.within([node], 1, up=False)
    return any(site.node in near for site in backward_calls(repo)) or any(
        site.method in ("train", "fit") for one in near for site in repo.by_scope.get(one, ())
    )
