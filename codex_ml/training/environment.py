"""What a run ran on: enough to tell whether another machine would give the same bits."""

import os
import platform
import subprocess
import sys
from typing import Any

import numpy as np
import torch

from codex_ml import __version__, distributed


def environment() -> dict[str, Any]:
    """Return versions, machine, threads and the code's revision."""
    return {
        "codex_ml": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "platform": platform.platform(),
        "machine": platform.machine(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
        "cuda": torch.version.cuda,
        "devices": [
            torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())
        ],
        "world_size": distributed.world_size(),
        "argv": sys.argv,
        "revision": _revision(),
    }


BITS = ("torch", "machine", "cpu_capability", "threads", "cuda", "devices", "world_size")
"""Entries that the exact bits of a result depend on."""


def _revision() -> dict[str, Any] | None:
    """Return the commit of the working directory, and whether files differ from it."""
    commit = _git("rev-parse", "HEAD")
    if commit is None:
        return None
    return {"commit": commit, "dirty": bool(_git("status", "--porcelain", "--untracked-files=no"))}


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", *arguments],
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
            env=os.environ | {"GIT_OPTIONAL_LOCKS": "0"},
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
