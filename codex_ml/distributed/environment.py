"""What the environment says: off unless ``CODEX_DDP`` is on."""

import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass

from codex_ml.distributed.errors import DistributedError

SWITCH = "CODEX_DDP"
LEGACY_SWITCH = "CODEX_DDP_ENABLE"
BACKEND = "CODEX_DDP_BACKEND"
TIMEOUT = "CODEX_DDP_TIMEOUT"
DEFAULT_TIMEOUT = 600.0

_ON = ("1", "true", "yes", "on")
_OFF = ("", "0", "false", "no", "off")
_LAUNCHER = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")
_HOW = "launch with `torchrun --nproc-per-node N ...`, or unset CODEX_DDP"
_DEVICES = {"gloo": ("cpu", "cuda"), "nccl": ("cuda",)}


@dataclass(frozen=True, slots=True)
class Launch:
    """This process's place among the ranks, and how they talk."""

    rank: int
    world_size: int
    local_rank: int
    address: str
    port: int
    device: str
    """``cpu`` or ``cuda``."""
    backend: str
    """``gloo`` or ``nccl``."""
    timeout: float
    """Seconds a collective may take."""


def enabled(environ: Mapping[str, str] | None = None) -> bool:
    """Tell whether ``CODEX_DDP`` (or its legacy alias) is on.

    Raises:
        DistributedError: a value that is neither on nor off, or both variables
            are set and disagree.

    """
    environ = os.environ if environ is None else environ
    switch = _flag(environ, SWITCH)
    legacy = _flag(environ, LEGACY_SWITCH)
    if legacy is None:
        return switch or False
    warnings.warn(f"{LEGACY_SWITCH} is deprecated: set {SWITCH}", DeprecationWarning, stacklevel=2)
    if switch is not None and switch != legacy:
        raise DistributedError(f"{SWITCH} and {LEGACY_SWITCH} disagree: unset {LEGACY_SWITCH}")
    return legacy


def _flag(environ: Mapping[str, str], name: str) -> bool | None:
    if name not in environ:
        return None
    value = environ[name].strip().lower()
    if value not in _ON + _OFF:
        raise DistributedError(f"{name}={environ[name]!r} is neither on nor off: use 1 or 0")
    return value in _ON


def read_launch(device: str, environ: Mapping[str, str] | None = None) -> Launch:
    """Return what torchrun (or whoever sets the same variables) says.

    Raises:
        DistributedError: a variable is missing, malformed or contradicts another.

    """
    environ = os.environ if environ is None else environ
    if missing := [name for name in _LAUNCHER if not environ.get(name)]:
        raise DistributedError(f"{SWITCH} is on but {', '.join(missing)} not set: {_HOW}")
    kind = device.partition(":")[0]
    backend = environ.get(BACKEND) or {"cpu": "gloo", "cuda": "nccl"}.get(kind, "")
    if kind not in _DEVICES.get(backend, ()):
        raise DistributedError(
            f"no backend {backend!r} for device {device!r}: use gloo (cpu, cuda) or nccl (cuda)"
        )
    launch = Launch(
        rank=_integer(environ, "RANK"),
        world_size=_integer(environ, "WORLD_SIZE"),
        local_rank=_integer(environ, "LOCAL_RANK"),
        address=environ["MASTER_ADDR"],
        port=_integer(environ, "MASTER_PORT"),
        device=kind,
        backend=backend,
        timeout=_seconds(environ),
    )
    if not launch.local_rank <= launch.rank < launch.world_size:
        raise DistributedError(
            f"LOCAL_RANK={launch.local_rank} RANK={launch.rank} WORLD_SIZE={launch.world_size} "
            "contradict each other: LOCAL_RANK <= RANK < WORLD_SIZE"
        )
    return launch


def _integer(environ: Mapping[str, str], name: str) -> int:
    if not environ[name].isdecimal():
        raise DistributedError(f"{name}={environ[name]!r} is no whole number")
    return int(environ[name])


def _seconds(environ: Mapping[str, str]) -> float:
    value = environ.get(TIMEOUT) or str(DEFAULT_TIMEOUT)
    try:
        seconds = float(value)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise DistributedError(f"{TIMEOUT}={value!r} is no number of seconds above 0")
    return seconds
