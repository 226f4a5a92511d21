"""Engines that write and restore the whole training state: accelerate, DeepSpeed, trainers."""

import re
from collections.abc import Iterator
from typing import Final

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
