"""How values reach calls: arguments, what callers hand on, engines and what runs beside."""

import re
from collections.abc import Iterator
from typing import Final

from audit.code.modules import Module
from audit.practices.libraries import named
from audit.repository import Repository
from audit.sites import Site

_ENGINES: Final = re.compile(r"accelerat|deepspeed|transformers\.Trainer|^self$|Trainer\(\)$")
_STATEFUL: Final = re.compile(r"accelerat|deepspeed|^self$")
"""Engines whose state is all that training needs; that of a trainer is only its progress."""
_DEEPSPEED: Final = frozenset(
    "client_state exclude_frozen_parameters load_optimizer_states load_lr_scheduler_states "
    "load_module_only load_module_strict".split()
)
"""Keywords that only the engine of DeepSpeed takes when it saves or loads a checkpoint."""
_LOCAL: Final = re.compile(r"%\w+")
_MODULE: Final = re.compile(r"[\w.]+:(?=\w)")


def api(text: str) -> str:
    """Return what a text owes to APIs: names of locals and of the repository's modules left out."""
    return _MODULE.sub("", _LOCAL.sub("%", text))


def libraries(repo: Repository, topic: str) -> Iterator[tuple[Site, str]]:
    """Yield the calls of a topic's functions with what a report calls the library."""
    for name, called in named(topic).items():
        for site in repo.calls(name):
            yield site, called


def argument(site: Site, place: int, *keywords: str) -> str:
    """Return the text of an argument by position or keyword, empty where it is not given."""
    for keyword in keywords:
        if (value := site.call.keyword(keyword)) is not None:
            return value
    return site.call.args[place] if place < len(site.call.args) else ""


def engines(repo: Repository, *methods: str) -> Iterator[Site]:
    """Yield calls of the methods by which an engine (accelerate, DeepSpeed, a transformers
    trainer) writes or restores the whole training state."""
    for site in repo.methods(*methods):
        private = site.method.startswith("_")
        receivers = site.receivers if private else (*site.receivers, *repo.kinds(site))
        hosts = _STATEFUL if site.method in ("save_state", "load_state") else _ENGINES
        if any(hosts.search(one) for one in receivers) and (
            private or not any(one == "self" for one in site.receivers)
        ):
            yield site
    yield from deepspeed_engines(repo, *{"save_checkpoint", "load_checkpoint"} & {*methods})


def deepspeed_engines(repo: Repository, *methods: str) -> Iterator[Site]:
    """Yield calls on an engine of DeepSpeed, by its origin or by keywords that it alone takes."""
    for site in repo.methods(*methods):
        if not _DEEPSPEED.isdisjoint(key for key, _ in site.call.kwargs) or any(
            "deepspeed" in one for one in repo.kinds(site)
        ):
            yield site


def callers(repo: Repository, module: Module, scope: int) -> Iterator[Site]:
    """Yield the calls that lead to a function by its resolved name, or by a rare method name."""
    name = module.facts.definitions[scope].name
    if name:
        yield from repo.calls(f"{module.dotted}:{name}")
        if "." in name:
            yield from (s for s in repo.methods(name.rpartition(".")[2]) if ":" not in s.names[0])


def handed(repo: Repository, site: Site, text: str, depth: int = 3) -> Iterator[str]:
    """Yield a text and, where it is a parameter, what callers hand to it."""
    yield text
    found = re.match(r"\*?@(\w+)", text)
    one = site.scope
    if found is None or found[1] not in one.params or depth == 0:
        return
    place = one.params.index(found[1]) - (one.params[0] in ("self", "cls"))
    for caller in callers(repo, site.module, site.call.scope):
        if found[1].endswith(("kwargs", "kw")):
            yield from (value for _, value in caller.call.kwargs)
        yield from handed(repo, caller, argument(caller, place, found[1]), depth - 1)


def started(repo: Repository) -> Iterator[tuple[Site, str, str]]:
    """Yield what is run beside the caller: the call, the function, what runs it."""
    for site, worker in libraries(repo, "background-workers"):
        yield site, argument(site, 1, "target"), worker
    for site in repo.methods("submit", "run_in_executor", "apply_async"):
        if any("submitit." in one for one in site.names):
            continue  # starts a job on a cluster
        if site.within("with", r"Executor\(\)"):
            continue  # waits for all that it has started
        place = 1 if site.method == "run_in_executor" else 0
        for text in site.call.args[place : place + 1]:
            yield site, text, "an executor"
