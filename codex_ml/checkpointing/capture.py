"""From a training loop's objects to a draft of a checkpoint, everything checked first."""

from collections.abc import Mapping
from dataclasses import replace
from operator import index
from textwrap import shorten
from typing import Any

from codex_ml.checkpointing import rng as generators
from codex_ml.checkpointing import tree
from codex_ml.checkpointing.errors import UnsupportedStateError
from codex_ml.checkpointing.group import Group
from codex_ml.checkpointing.layout import COMPONENT
from codex_ml.checkpointing.manifest import Json, Selection
from codex_ml.checkpointing.merge import RANK_LOCAL, share
from codex_ml.checkpointing.tensors import take_apart
from codex_ml.checkpointing.writer import Draft

MAX_STEP = 2**63 - 1


def state_of(value: Any) -> Any:
    """Return `value.state_dict()` where there is such a method, else `value`."""
    method = getattr(value, "state_dict", None)
    return method() if callable(method) else value


def draft(
    step: int,
    parts: Mapping[str, object],
    *,
    rng: bool,
    config: object,
    metrics: Mapping[str, float] | None,
    selection: Selection | None,
    digests: Mapping[str, str] | None,
    overwrite: bool,
    group: Group,
) -> Draft:
    """Take every part apart; raises `UnsupportedStateError` naming what cannot be saved."""
    step = _step(step)
    states = {name: state_of(value) for name, value in parts.items() if value is not None}
    for name in states:
        if not COMPONENT.fullmatch(name):
            raise UnsupportedStateError(f"component {name!r}: use letters, digits and _")
    if rng:
        states["rng"] = generators.capture()
    own = f"rank-{group.rank}/" if group.size > 1 else ""
    whole = [
        take_apart(name, state, own if name in RANK_LOCAL else "") for name, state in states.items()
    ]
    components = [replace(component, blocks=share(component, group)) for component in whole]
    return Draft(
        step,
        tuple(components),
        metrics=_metrics(metrics),
        selection=selection,
        config=tree.encode(config, ("config",), tree.no_leaf),
        digests=_digests(digests),
        overwrite=overwrite,
    )


def _step(value: Any) -> int:
    """Accept what is a whole number: also numpy's."""
    try:
        step = -1 if isinstance(value, bool) else index(value)
    except TypeError:
        step = -1
    if not 0 <= step <= MAX_STEP:
        raise UnsupportedStateError(f"step is {_short(value)}: give a whole number from 0")
    return step


def _metrics(metrics: Any) -> dict[str, Json]:
    return {name: _metric(name, value) for name, value in _named(metrics, "metrics")}


def _metric(name: str, value: Any) -> Json:
    """Accept what behaves like a number: also numpy's and torch's scalars."""
    try:
        plain = value.item() if hasattr(value, "item") else value
    except (RuntimeError, ValueError):  # an array of several
        plain = value
    if not isinstance(plain, int | float):
        raise UnsupportedStateError(f"metric {name!r} is {_short(value)}: give a number")
    return tree.encode(plain, ("metrics", name), tree.no_leaf)


def _digests(digests: Any) -> dict[str, str]:
    found = dict(_named(digests, "digests"))
    for name, value in found.items():
        if not isinstance(value, str):
            raise UnsupportedStateError(f"digest {name!r} is {_short(value)}: give text")
        tree.encode(value, ("digests", name), tree.no_leaf)
    return found


def _short(value: object) -> str:
    return shorten(repr(value), 60, placeholder="...")


def _named(values: Any, what: str) -> list[tuple[str, Any]]:
    """Return the items of a dict whose keys are text."""
    if not isinstance(values, Mapping | None):
        raise UnsupportedStateError(f"{what} is {_short(values)}: give a dict, by name")
    for name in values or {}:
        if type(name) is not str:
            raise UnsupportedStateError(f"{what} has the key {name!r}: give text")
        tree.encode(name, (what,), tree.no_leaf)
    return list((values or {}).items())
