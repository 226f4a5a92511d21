"""Devices by name."""

import torch

from codex_ml.errors import CodexError


class DeviceError(CodexError):
    """There is no device of that name here."""


def find_device(name: str) -> torch.device:
    """Return the device of that name, such as ``cpu`` or ``cuda:1``.

    Raises:
        DeviceError: there is none here.

    """
    try:
        return torch.empty(0, device=name).device
    except (RuntimeError, AssertionError) as error:
        reason = str(error).partition("\n")[0]
        raise DeviceError(f"no device {name!r} here: {reason}") from None
