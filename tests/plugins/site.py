"""A folder with installed plugin distributions, and commands that see it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


class Site:
    """What `pip install --target` leaves behind, written directly."""

    def __init__(self, folder: Path, bytecode: Path | None = None) -> None:
        """`bytecode` is where interpreters keep it: shared, the standard library is compiled once."""
        self.folder = folder
        self.bytecode = bytecode or folder.with_name("bytecode")
        self.work = folder / "work"
        self.work.mkdir(parents=True)

    def install(self, name: str, entry_points: str, code: str = "") -> Path:
        """Install a distribution that holds one module of its own name; return its metadata."""
        module = name.replace("-", "_")
        (self.folder / f"{module}.py").write_text(code)
        info = self.folder / f"{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "RECORD").write_text(f"{module}.py,,\n")
        (info / "entry_points.txt").write_text(entry_points)
        return info

    def metric(self, name: str, code: str = "plugin = 1\n") -> Path:
        """Install a distribution with one metric of the same name."""
        module = name.replace("-", "_")
        return self.install(name, f"[codex_ml.metrics]\n{name} = {module}:plugin\n", code)

    def pip_install(self, source: Path) -> None:
        """Build the distribution of a copy of `source` and install it, offline."""
        copy = shutil.copytree(source, self.folder.with_name(source.name))
        options = ("-q", "--no-deps", "--no-index", "--no-build-isolation")
        pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "install")
        subprocess.run([*pip, *options, "--target", self.folder, copy], check=True)

    def environment(self, **variables: str) -> dict[str, str]:
        """Return the environment in which this site is on the path, first."""
        return {
            **os.environ,
            "PYTHONPATH": os.pathsep.join((str(self.folder), str(ROOT))),
            # As an installed package has it.
            "PYTHONPYCACHEPREFIX": str(self.bytecode),
            "PYTHONDONTWRITEBYTECODE": "",
            **variables,
        }

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a codex_ml command as ``python -m`` in an empty folder."""
        return subprocess.run(
            [sys.executable, "-m", *arguments],
            cwd=self.work,
            env=self.environment(**variables),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
