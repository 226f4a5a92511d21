"""Names in a checkpoint folder, and which of them are ours."""

import os
import re
from pathlib import Path

MANIFEST = "manifest.json"
DELETED = "manifest.deleted.json"
LAST, BEST = "last", "best"

_STEP = re.compile(r"step-(\d{8,})(?:\.(\d+))?")
_TEMPORARY = re.compile(r"\.tmp-(?:step-\d{8,}|last|best)-[0-9a-f]{16}")
_TENSORS = re.compile(r"[A-Za-z0-9_]+(?:-\d{5,}-of-\d{5,})?\.safetensors")
COMPONENT = re.compile(r"[A-Za-z0-9_]+")


def step_name(step: int, generation: int = 0) -> str:
    """Name of a step's directory; a replacement has a generation until the old one is gone."""
    return f"step-{step:08d}" + (f".{generation}" if generation else "")


def parse_step(name: str) -> tuple[int, int] | None:
    """Return (step, generation) of a checkpoint directory's name, or None."""
    match = _STEP.fullmatch(name)
    return (int(match[1]), int(match[2] or 0)) if match else None


def temporary(folder: Path, name: str) -> Path:
    """Return a fresh hidden name for what is being written."""
    return folder / f".tmp-{name}-{os.urandom(8).hex()}"


def is_temporary(name: str) -> bool:
    """Whether this package made that hidden name."""
    return _TEMPORARY.fullmatch(name) is not None


def is_written(name: str) -> bool:
    """Whether this package gives files in a checkpoint that name."""
    return name in (MANIFEST, DELETED) or is_tensors_file(name)


def is_tensors_file(name: str) -> bool:
    """Whether this package gives files with tensors that name."""
    return _TENSORS.fullmatch(name) is not None


def tensors_name(component: str, rank: int = 0, size: int = 1) -> str:
    """Name of the file with a rank's tensors of a component."""
    part = "" if size == 1 else f"-{rank + 1:05d}-of-{size:05d}"
    return f"{component}{part}.safetensors"
