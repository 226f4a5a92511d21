"""From a training loop's objects to a draft of a checkpoint, everything checked first."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from codex_ml.checkpointing import rng as generators
from codex_ml.checkpointing import tree
from codex_ml.checkpointing.errors import UnsupportedStateError
from codex_ml.checkpointing.group import Group
from codex_ml.checkpointing.layout import COMPONENT
from codex_ml.checkpointing.manifest import Selection
from codex_ml.checkpointing.merge import RANK_LOCAL, share
from codex_ml.checkpointing.tensors import take_apart
from codex_ml.checkpointing.writer import Draft


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
    if type(step) is not int or step < 0:
        raise UnsupportedStateError(f"step is {step!r}: give a whole number from 0")
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
        metrics={name: _metric(name, value) for name, value in (metrics or {}).items()},
        selection=selection,
        config=tree.encode(config, ("config",), tree.no_leaf),
        digests=dict(digests or {}),
        overwrite=overwrite,
    )


def _metric(name: str, value: Any) -> Any:
    """Accept what behaves like a number: also numpy's and torch's scalars."""
    plain = value.item() if hasattr(value, "item") else value
    if not isinstance(plain, int | float):
        raise UnsupportedStateError(f"metric {name!r} is {value!r}: give a number")
    return tree.encode(plain, ("metrics", name), tree.no_leaf)
