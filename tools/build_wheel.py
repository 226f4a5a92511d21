"""Build and prove the distributions: ``make wheel``.

Usage: python tools/build_wheel.py [--out DIR]

parse guard (with the files that pyproject.toml names) -> canonical form ->
source distribution -> wheel from it and wheel from the checkout, equal to the
byte -> source distribution holds the tracked files and no others -> twine check --strict ->
check-wheel-contents -> install into an empty environment, core dependencies
only -> audit from an empty directory, verify the report -> SHA256SUMS and
build-manifest.json, which `codex-audit verify DIR` checks.

Stops at the first step that fails, with exit 1 and DIR as it was before.
"""

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from audit import distribution
from audit.errors import AuditError
from audit.files import replace
from audit.proof import encode
from audit.pyproject import file
from audit.pyproject.canonical import canonical

ROOT = Path(__file__).resolve().parents[1]
EPOCH = "1580601600"  # 2020-02-02, hatchling's own: a rebuild without the variable is equal too
TOOLS = ("build", "check-wheel-contents", "hatchling", "pip", "twine")
ALWAYS = {".gitignore", "LICENSE", "PKG-INFO", "README.md", "pyproject.toml"}


class BuildError(Exception):
    """A step that does not hold: what failed and what to do."""


def environment() -> dict[str, str]:
    """Return the variables that a build depends on."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    constraints = str(ROOT / "constraints.txt")
    return {"SOURCE_DATE_EPOCH": EPOCH, **clean, "PIP_CONSTRAINT": constraints}


def run(*command: str | Path, cwd: Path = ROOT) -> str:
    """Run a command and return what it printed.

    Raises:
        BuildError: it did not end with 0.
    """
    done = subprocess.run(
        [str(one) for one in command],
        cwd=cwd, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        check=False,
    )  # fmt: skip
    if done.returncode:
        raise BuildError(f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stdout}")
    return done.stdout


def python(*arguments: str | Path, cwd: Path = ROOT) -> str:
    """Run a Python module of this environment."""
    return run(sys.executable, "-P", "-m", *arguments, cwd=cwd)


def guard() -> None:
    """Refuse a pyproject.toml that is invalid or not in canonical form."""
    document = file.read(file.find(ROOT), ROOT)
    if canonical(document.text) != document.text:
        raise BuildError("pyproject.toml: not canonical: run codex-audit pyproject --write")


def build(work: Path) -> tuple[Path, Path]:
    """Build the source distribution and the wheel; return their paths.

    Raises:
        BuildError: the wheel from the checkout differs from the sdist's.
    """
    python("build", "--outdir", work / "dist", ROOT)
    python("build", "--wheel", "--outdir", work / "direct", ROOT)
    (sdist,), (wheel,) = (work / "dist").glob("*.tar.gz"), (work / "dist").glob("*.whl")
    if wheel.read_bytes() != (work / "direct" / wheel.name).read_bytes():
        raise BuildError(f"{wheel.name}: built from the checkout it is not the sdist's wheel")
    return sdist, wheel


def tracked() -> set[str]:
    """Return the files that Git tracks; nothing outside of a repository."""
    if not (ROOT / ".git").exists():
        return set()
    return set(filter(None, run("git", "ls-files", "-z").split("\0")))


def listed() -> set[str]:
    """Return the files and folders that pyproject.toml lists for the source distribution."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return set(settings["tool"]["hatch"]["build"]["targets"]["sdist"]["only-include"])


def wanted(known: set[str]) -> set[str]:
    """Return which of the tracked files belong into the source distribution."""
    inside = {name for name in known if name.split("/")[0] in listed()}
    shown = {name for name in inside if not any(part[0] == "." for part in name.split("/"))}
    return ALWAYS | (known & listed()) | shown


def complete(sdist: Path) -> None:
    """Refuse a source distribution with an untracked file, or without a tracked one.

    Raises:
        BuildError: the lists differ.
    """
    if known := tracked():
        odd = sorted(distribution.inputs(sdist).keys() ^ wanted(known))
        if odd:
            raise BuildError(f"{sdist.name} and Git differ in: {', '.join(odd)}: commit or remove")


def install(work: Path, wheel: Path) -> Path:
    """Install the wheel alone into an empty environment; return its scripts' folder."""
    venv.create(work / "empty", with_pip=True)
    scripts = work / "empty" / "bin"
    run(scripts / "python", "-m", "pip", "--disable-pip-version-check", "install", wheel, cwd=work)
    run(scripts / "python", "-m", "pip", "check", cwd=work)
    return scripts


def unpack(sdist: Path, folder: Path) -> None:
    """Unpack an archive of our own; Python before 3.11.4 knows no filters."""
    with tarfile.open(sdist) as archive:
        if hasattr(tarfile, "data_filter"):
            archive.extraction_filter = tarfile.data_filter
        archive.extractall(folder)  # noqa: S202  # it was built here


def main_job(work: Path, scripts: Path, sdist: Path) -> None:
    """Audit the unpacked source distribution from an empty directory."""
    nowhere = work / "nowhere"
    nowhere.mkdir()
    unpack(sdist, work / "source")
    (source,) = (work / "source").iterdir()
    report = work / "report"
    run(scripts / "codex-audit", "run", source, "--out", report, "--no-cache", cwd=nowhere)
    run(scripts / "codex-audit", "verify", report, cwd=nowhere)
    run(scripts / "codex-ml", "--version", cwd=nowhere)
    if litter := list(nowhere.iterdir()):
        raise BuildError(f"the audit left {litter[0].name} in the directory it ran from")


def revision() -> str:
    """Return the commit, marked if the tree differs from it; empty outside Git."""
    if not tracked():
        return ""
    return run("git", "describe", "--always", "--abbrev=40", "--dirty", "--exclude=*").strip()


def manifest(sdist: Path, wheel: Path) -> distribution.BuildManifest:
    """Return what was built, from what and with what."""
    project, number, _ = wheel.name.split("-", 2)
    tools = {name: version(name) for name in TOOLS} | {"python": platform.python_version()}
    return distribution.BuildManifest(
        distribution.SCHEMA_VERSION, project, number, revision(),
        int(environment()["SOURCE_DATE_EPOCH"]), tools, distribution.inputs(sdist),
        distribution.artefacts((sdist, wheel)),
    )  # fmt: skip


def publish(out: Path, sdist: Path, wheel: Path) -> None:
    """Put the archives, their sums and the manifest, last, into a folder without older ones."""
    out.mkdir(parents=True, exist_ok=True)
    made = manifest(sdist, wheel)
    (out / distribution.MANIFEST).unlink(missing_ok=True)
    for old in (*out.glob("*.whl"), *out.glob("*.tar.gz")):
        old.unlink()
    for one in (sdist, wheel):
        shutil.copyfile(one, out / one.name)
    replace(out / distribution.SUMS, distribution.sums(made).encode())
    replace(out / distribution.MANIFEST, encode(made))
    if found := distribution.verify(out):
        raise BuildError("\n".join(found))


@contextmanager
def step(name: str) -> Iterator[None]:
    """Say on stderr what is being done."""
    print(f"{name} …", file=sys.stderr, flush=True)
    yield


def make(out: Path) -> None:
    """Do every step."""
    with tempfile.TemporaryDirectory(prefix="codex-ml-build-") as folder:
        work = Path(folder)
        with step("guard and canonical form"):
            guard()
        with step("build twice and compare"):
            sdist, wheel = build(work)
            complete(sdist)
        with step("twine check, check-wheel-contents"):
            python("twine", "check", "--strict", sdist, wheel)
            python("check_wheel_contents", wheel)
        with step("install without extras, audit from an empty directory"):
            main_job(work, install(work, wheel), sdist)
        with step("sums and manifest"):
            publish(out, sdist, wheel)


def main() -> int:
    """Build; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    out = parser.parse_args().out
    try:
        make(out)
    except (BuildError, AuditError) as error:
        print(f"build_wheel: {error}", file=sys.stderr)
        return 1
    print(f"{out}: {', '.join(sorted(one.name for one in out.iterdir()))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
