"""Check the normaliser against the pyproject files of popular packages.

Usage: python -m benchmarks.pyproject_corpus [--cache DIR] [FILE ...]

Downloads source distributions from PyPI with the `unearth` command (pip install
unearth; nothing is built or run), takes each one's `pyproject.toml`, and any
FILE given, and checks the properties that must hold for every file:

- judged without a crash: accepted, or refused with a place;
- the canonical form means the same: its data, read with tomllib and with
  tomlkit, are equal to the file's but for requirements' spelling and order
  and the licence's case, compared here without the normaliser's own code;
- every comment, and the number of blank lines, is still there;
- the canonical form's canonical form is itself.

Prints one JSON object; exits with 1 if a property does not hold.
"""

import argparse
import json
import re
import subprocess
import sys
import tarfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from shutil import which

from audit.pyproject.canonical import canonical
from audit.pyproject.guard import problems
from tests.audit.pyproject.faults import faults

PACKAGES = """
aiohttp alembic anyio arrow attrs beautifulsoup4 black build cachetools cattrs cffi
charset-normalizer click cryptography dask datasets deepdiff dnspython docutils fastapi filelock
flask fonttools fsspec gunicorn h5py hatchling httpcore httpx huggingface-hub hypothesis idna
importlib-metadata ipython isort jinja2 joblib jsonschema kiwisolver lightning loguru lxml mako
markdown markdown-it-py marshmallow matplotlib mkdocs msgspec mypy networkx numba numpy openai
optuna orjson packaging pandas pillow pip platformdirs pluggy poetry-core polars pre-commit psutil
pydantic pydantic-core pygments pyjwt pymdown-extensions pytest pytest-cov python-dateutil
pyyaml redis referencing requests rich ruff safetensors scikit-image scikit-learn scipy seaborn
setuptools sphinx sqlalchemy starlette structlog sympy tokenizers tomlkit torchmetrics tox tqdm
trio twine typer typing-extensions urllib3 uvicorn virtualenv websockets werkzeug wheel xarray zipp
""".split()


def download(name: str, folder: Path) -> Path | None:
    """Return a package's newest source distribution."""
    done = subprocess.run(
        ["unearth", name, "--no-binary", "--download", str(folder)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    return Path(json.loads(done.stdout)["local_path"]) if done.returncode == 0 else None


def pyproject(archive: Path) -> bytes | None:
    """Return the pyproject.toml at the root of a source distribution."""
    if not archive.name.endswith(".tar.gz"):
        return None
    with tarfile.open(archive) as tar:
        for member in tar:
            if re.fullmatch(r"[^/]+/pyproject\.toml", member.name):
                file = tar.extractfile(member)
                return file.read() if file else None
    return None


def judge(name: str, content: bytes) -> tuple[str, list[str]]:
    """Return how a file fared and which properties do not hold."""
    text = content.decode()
    if found := problems(text):
        return f"refused: {name}:{found[0].line}:{found[0].column}: {found[0].says}", []
    new = canonical(text)
    return "changed" if new != text else "unchanged", list(faults(text, new))


def contents(arguments: argparse.Namespace) -> Iterator[tuple[str, bytes]]:
    """Yield the files to check."""
    arguments.cache.mkdir(parents=True, exist_ok=True)
    have = {path.name for path in arguments.cache.glob("*.pyproject.toml")}
    wanted = [name for name in PACKAGES if f"{name}.pyproject.toml" not in have]
    if wanted and not which("unearth"):
        sys.exit("unearth is not installed: run pip install unearth")
    with ThreadPoolExecutor(4) as pool:
        for name, archive in zip(
            wanted, pool.map(lambda one: download(one, arguments.cache), wanted), strict=True
        ):
            if archive and (content := pyproject(archive)):
                (arguments.cache / f"{name}.pyproject.toml").write_bytes(content)
            if archive:
                archive.unlink()
    for path in sorted([*arguments.cache.glob("*.pyproject.toml"), *arguments.files]):
        yield str(path), path.read_bytes()


def main() -> int:
    """Check and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--cache", type=Path, default=Path("build/pyproject-corpus"))
    fared: Counter[str] = Counter()
    wrong: dict[str, list[str]] = {}
    refused: list[str] = []
    for name, content in contents(parser.parse_args()):
        try:
            how, found = judge(name, content)
        except Exception as error:  # noqa: BLE001  # a crash is a result here
            how, found = "crashed", [repr(error)]
        fared[how.partition(":")[0]] += 1
        refused += [how] if how.startswith("refused") else []
        if found:
            wrong[name] = found
    print(
        json.dumps({"files": fared.total(), **fared, "refusals": refused, "wrong": wrong}, indent=2)
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
