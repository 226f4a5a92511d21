"""Devices by name; torch is imported only where it has to be asked."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from codex_ml.errors import CodexError

if TYPE_CHECKING:
    import torch

NAME = re.compile(r"(cpu|cuda|mps|xpu)(:\d+)?")


class DeviceError(CodexError):
    """There is no device of that name here."""


def check_device(name: str) -> None:
    """Refuse what no torch that is installed here has, without importing it.

    Raises:
        DeviceError: no device is called that, or torch is a build for CPUs, as its version says.

    """
    found = NAME.fullmatch(name)
    if found is None:
        raise DeviceError(f"no device {name!r}: it is cpu, cuda, cuda:1, mps or xpu")
    try:
        installed = version("torch")
    except PackageNotFoundError:
        return  # said where it is imported, with the extra that brings it
    if found[1] != "cpu" and installed.endswith("+cpu"):
        raise DeviceError(
            f"no device {name!r} here: torch {installed} is a build for CPUs: "
            f"choose cpu, or install a torch for {found[1]}"
        )


def find_device(name: str) -> torch.device:
    """Return the device of that name, such as ``cpu`` or ``cuda:1``.

    Raises:
        DeviceError: there is none here.

    """
    check_device(name)
    import torch

    try:
        return torch.empty(0, device=name).device
    except (RuntimeError, AssertionError) as error:
        reason = str(error).partition("\n")[0]
        raise DeviceError(f"no device {name!r} here: {reason}") from None


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether torch raised `error` because a device, or the machine, has no memory left."""
    import torch

    # The CPU's allocator has no exception of its own: c10/core/impl/alloc_cpu.cpp.
    return isinstance(error, torch.OutOfMemoryError) or "DefaultCPUAllocator" in str(error)
