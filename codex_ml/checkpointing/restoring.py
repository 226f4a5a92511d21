"""Putting a checkpoint's state into a training loop's objects, checked before anything changes."""

from collections.abc import Mapping
from copy import copy
from itertools import chain
from typing import Any

import numpy as np
import torch
from torch import Tensor

from codex_ml.checkpointing import rng as generators
from codex_ml.checkpointing.errors import MismatchError
from codex_ml.checkpointing.reader import MALFORMED, Checkpoint
from codex_ml.checkpointing.sharding import is_dtensor
from codex_ml.checkpointing.tensors import take_apart

SHOWN = 3  # names in one message

# what torch's optimizers keep in the shape of the parameter; they load any shape unseen
LIKE_PARAMETER = {
    "acc_delta", "ax", "exp_avg", "exp_avg_sq", "exp_inf", "grad_avg", "max_exp_avg_sq",
    "momentum_buffer", "prev", "square_avg", "step_size", "sum",
}  # fmt: skip


def restore(checkpoint: Checkpoint, objects: Mapping[str, Any], *, rng: bool) -> None:
    """Call `load_state_dict` on every object with its state, and set the random generators last.

    Raises `MismatchError` before the first object is changed where the
    checkpoint lacks a component or belongs to another model or optimizer.
    """
    wanted = (*objects, *(["rng"] if rng else []))
    if missing := [name for name in wanted if name not in checkpoint]:
        raise MismatchError(
            f"{checkpoint.path}: has no {', '.join(missing)}; "
            f"it holds {', '.join(checkpoint.components) or 'nothing'}"
        )
    states = {name: _state(checkpoint, name, objects.get(name)) for name in wanted}
    for name, target in objects.items():
        _check(checkpoint, name, target, states[name])
    if rng:
        generators.check(states["rng"])
    for name, target in objects.items():
        own = states[name] if isinstance(target, torch.nn.Module) else _unmapped(states[name])
        try:
            target.load_state_dict(own)
        except (*MALFORMED, AssertionError) as error:
            reason = (str(error).splitlines() or [""])[0]
            kind = type(target).__name__
            raise MismatchError(
                f"{checkpoint.path}: {kind} refuses its state as {name}: {reason}"
            ) from error
    if rng:
        generators.restore(states["rng"])


def _state(checkpoint: Checkpoint, name: str, target: Any) -> Any:
    """Return a component's state, its tensors cut to the blocks that the target holds."""
    match target:
        case torch.nn.Module():
            return checkpoint.placed(name, take_apart(name, target.state_dict()).sharded)
        case torch.optim.Optimizer():
            return checkpoint.placed(name, _like_parameters(checkpoint, name, target))
    return checkpoint.placed(name, {})


def _like_parameters(
    checkpoint: Checkpoint, name: str, optimizer: torch.optim.Optimizer
) -> dict[str, Tensor]:
    """A new optimizer has no state yet: what has a parameter's shape lies like the parameter."""
    parameters = [value for group in optimizer.param_groups for value in group["params"]]
    sharded = {
        f"{name}/state/{place}": value
        for place, value in enumerate(parameters)
        if is_dtensor(value)
    }
    if not sharded:
        return {}
    return {
        entry.name: value
        for entry in checkpoint.manifest.tensors
        if (value := sharded.get(entry.name.rpartition("/")[0])) is not None
        and tuple(value.shape) == entry.shape
    }


def _check(checkpoint: Checkpoint, name: str, target: Any, state: Any) -> None:
    if not callable(getattr(target, "load_state_dict", None)):
        raise MismatchError(
            f"{name}: {type(target).__name__} has no load_state_dict; read checkpoint[{name!r}]"
        )
    try:
        problems = _problems(target, state)
    except MALFORMED:
        problems = [f"it is not the state of a {type(target).__name__}"]
    if problems:
        raise MismatchError(f"{checkpoint.path}: is not of this {name}: {'; '.join(problems)}")


def _problems(target: Any, state: Any) -> list[str]:
    match target:
        case torch.nn.Module():
            return _module_problems(target.state_dict(), state)
        case torch.optim.Optimizer():
            return _optimizer_problems(target, state)
    return []


def _module_problems(here: dict[str, Any], there: dict[str, Any]) -> list[str]:
    problems = []
    if missing := [key for key in here if key not in there]:
        problems.append(f"it lacks {_some(missing)}")
    if unknown := [key for key in there if key not in here]:
        problems.append(f"it has also {_some(unknown)}")
    shapes = [
        f"{key} {_shape(there[key])} instead of {_shape(value)}"
        for key, value in here.items()
        if isinstance(value, Tensor) and key in there and there[key].shape != value.shape
    ]
    return [*problems, *([_some(shapes)] if shapes else [])]


def _optimizer_problems(target: torch.optim.Optimizer, state: dict[str, Any]) -> list[str]:
    here = [group["params"] for group in target.param_groups]
    there = [group["params"] for group in state["param_groups"]]
    if [*map(len, here)] != [*map(len, there)]:
        return [f"parameters per group {[*map(len, there)]} instead of {[*map(len, here)]}"]
    wrong = [
        f"{key} of parameter {number} {_shape(value)} instead of {_shape(parameter)}"
        for parameter, number in zip(chain(*here), chain(*there), strict=True)
        for key, value in state["state"].get(number, {}).items()
        if key in LIKE_PARAMETER and value is not None and value.shape != parameter.shape
    ]
    return [_some(wrong)] if wrong else []


def _shape(value: Any) -> str:
    return "x".join(map(str, value.shape)) or "scalar" if isinstance(value, Tensor) else "no tensor"


def _some(names: list[str]) -> str:
    names = [str(name) for name in names]
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def _unmapped(value: Any) -> Any:
    """Copy tensors out of the mapped file: the object may keep them for ever."""
    match value:
        case Tensor():
            return value.clone()
        case np.ndarray():
            return value.copy()
        case dict():
            own = copy(value)  # keeps its type, and the versions in a module's state
            for key, item in value.items():
                own[key] = _unmapped(item)
            return own
        case list() | tuple():
            return type(value)(_unmapped(item) for item in value)
    return value
