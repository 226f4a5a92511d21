"""Plug tokenizers, models, datasets, metrics, trackers, callbacks and storages in.

A distribution declares entry points in the group ``codex_ml.<group>``; code
registers with `register`. Nothing of a plugin is imported before it is used::

    from codex_ml import plugins

    @plugins.register("metrics", "length-ratio")
    def length_ratio(prediction: str, reference: str) -> float: ...

    metric = plugins.get("metrics", "length-ratio")

The functions below are the methods of one `codex_ml.plugins.registry.Registry`;
they are bound on first use, so that listing plugins needs neither `inspect` nor
`dataclasses`.
"""

from __future__ import annotations

from codex_ml.plugins.groups import API_VERSION, GROUPS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codex_ml.plugins.registry import REGISTRY

    describe = REGISTRY.describe
    entries = REGISTRY.entries
    find = REGISTRY.find
    get = REGISTRY.get
    names = REGISTRY.names
    register = REGISTRY.register

__all__ = ["API_VERSION", "GROUPS", "describe", "entries", "find", "get", "names", "register"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from codex_ml.plugins.registry import REGISTRY

    return getattr(REGISTRY, name)
