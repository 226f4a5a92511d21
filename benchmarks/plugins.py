"""Time the plugin listing against a bare interpreter and `importlib.metadata`.

python benchmarks/plugins.py [ROUNDS] prints medians and minima in milliseconds of
whole processes, in interleaved rounds, beside this environment's distributions
with 137 more of which 40 have a plugin that would print, raise or sleep if it were
imported.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
COMMANDS = {
    "bare interpreter": ("-c", "pass"),
    "list_plugins": ("-m", "codex_ml.cli.list_plugins", "--format", "json"),
    "codex-ml plugins list": ("-m", "codex_ml", "plugins", "list", "--format", "json"),
    "entry_points(group=)": (
        "-c",
        "from importlib.metadata import entry_points; entry_points(group='codex_ml.metrics')",
    ),
}


def install(site: Path) -> None:
    """Leave 137 distributions in `site`."""
    bodies = ("print('noise')", "raise RuntimeError", "import time; time.sleep(3)", "")
    for number in range(137):
        name = f"bench_{number}"
        info = site / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        if number < 40:
            (site / f"{name}.py").write_text(f"{bodies[number % 4]}\nplugin = 1\n")
            (info / "entry_points.txt").write_text(f"[codex_ml.metrics]\n{name} = {name}:plugin\n")


def main() -> None:
    """Run the rounds and print the table."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder, "site")
        site.mkdir()
        install(site)
        environment = {
            **os.environ,
            "PYTHONPATH": f"{site}{os.pathsep}{ROOT}",
            "PYTHONPYCACHEPREFIX": str(Path(folder, "bytecode")),
            "PYTHONDONTWRITEBYTECODE": "",
        }
        times: dict[str, list[float]] = {name: [] for name in COMMANDS}
        for _ in range(rounds + 1):
            for name, command in COMMANDS.items():
                start = time.perf_counter()
                subprocess.run(
                    [sys.executable, *command],
                    env=environment,
                    cwd=folder,
                    stdout=subprocess.DEVNULL,
                    check=True,
                )
                times[name].append((time.perf_counter() - start) * 1000)
    for name, values in times.items():
        warm = values[1:]  # the first round writes the byte code
        print(f"{name:24} median {statistics.median(warm):6.1f} ms   min {min(warm):6.1f} ms")


if __name__ == "__main__":
    main()
