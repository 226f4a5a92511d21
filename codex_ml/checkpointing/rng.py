"""Random number generators: everything that `random`, numpy and torch draw from."""

import random
from typing import Any

import numpy as np
import torch

from codex_ml.checkpointing.errors import MismatchError
from codex_ml.checkpointing.reader import MALFORMED

MT19937_WORDS = 624


def capture() -> dict[str, Any]:
    """Return the state of the global generators of python, numpy, torch and its devices."""
    name, key, position, has_gauss, gauss = np.random.get_state()
    return {
        "python": random.getstate(),
        "numpy": {
            "name": name,
            "key": np.asarray(key).tolist(),
            "position": position,
            "has_gauss": has_gauss,
            "gauss": gauss,
        },
        "torch": _to_bytes(torch.get_rng_state()),
        "devices": _device_states(),
    }


def check(state: Any) -> None:
    """Raise `MismatchError` for a state that `restore` would not take; changes nothing."""
    before = capture()
    try:
        restore(state)
    finally:
        _set(before)


def restore(state: Any) -> None:
    """Set the global generators to a captured state.

    Raises `MismatchError` where this machine has other devices, before changing
    any, or where it is no such state.
    """
    try:
        _check_devices(state["devices"])
        _set(state)
    except MALFORMED as error:
        raise MismatchError(f"not a random state: {error}; pass rng=False") from error


def _check_devices(states: dict[str, list[bytes]]) -> None:
    devices = {kind: len(of_kind) for kind, of_kind in states.items()}
    here = {kind: len(of_kind) for kind, of_kind in _device_states().items()}
    if any(here.get(kind, 0) < count for kind, count in devices.items()):
        raise MismatchError(
            f"random state of {_text(devices)} cannot be restored on {_text(here)}: "
            "pass rng=False to go on without it"
        )


def _set(state: dict[str, Any]) -> None:
    random.setstate(state["python"])
    numpy = state["numpy"]
    if not 0 <= numpy["position"] <= MT19937_WORDS:  # numpy itself would read beyond its state
        raise ValueError(f"position {numpy['position']}")
    np.random.set_state(
        (
            numpy["name"],
            np.array(numpy["key"], dtype=np.uint32),
            numpy["position"],
            numpy["has_gauss"],
            numpy["gauss"],
        )
    )
    torch.set_rng_state(_from_bytes(state["torch"]))
    for kind, states in state["devices"].items():
        for index, device_state in enumerate(states):
            torch.get_device_module(kind).set_rng_state(_from_bytes(device_state), index)


def _device_states() -> dict[str, list[bytes]]:
    accelerator = torch.accelerator.current_accelerator(check_available=True)
    if accelerator is None:
        return {}
    module = torch.get_device_module(accelerator)
    states = [module.get_rng_state(index) for index in range(module.device_count())]
    return {accelerator.type: [_to_bytes(state) for state in states]}


def _to_bytes(state: torch.Tensor) -> bytes:
    return state.numpy().tobytes()


def _from_bytes(state: bytes) -> torch.Tensor:
    return torch.frombuffer(bytearray(state), dtype=torch.uint8)


def _text(devices: dict[str, int]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in devices.items()) or "the CPU alone"
