"""CI over several versions and systems."""

import re
from collections.abc import Iterator
from typing import Final

from audit.facts.model import DataFacts, Key, PythonFacts
from audit.practices import pipelines, runs
from audit.practices.registry import Place, in_file, of_key, practice
from audit.repository import Repository

# ------------------------------------------------------------------------ matrix
_VERSION: Final = re.compile(
    r"^v?(>=|==|<=|<|~=|=)?\d+\.(\d+|x|\*)[\w.*+-]*$|^(py|cp|pypy-?)?3\.?\d{1,2}t?$|"
    r"^[\w./-]+:(v?\d+\.\d|[\w.-]*py(thon)?-?3)[\w.-]*$"
)
_SYSTEM: Final = re.compile(r"^(ubuntu|windows|macos|linux|debian|centos)(-|$)", re.IGNORECASE)
_VERSIONED: Final = re.compile(
    r"^(py|python|torch|pytorch|tensorflow|tf|jax|flax|transformers|numpy|lightning|gymnasium|gym|"
    r"pydantic|cuda|cu)?[-_.]*(version|versions|ver|os|platform|python|torch|pytorch)$|^os$|^py$",
    re.IGNORECASE,
)  # fmt: skip


@practice(
    "ci-matrix",
    looks_for="a matrix of Python, system or framework versions on a job that runs tests",
    code=False,
)
def ci_matrix(repo: Repository) -> Iterator[Place]:
    """Tests run over several versions or systems.

    A matrix of the test job, the environments of tox, or test jobs that name different
    versions or systems one by one.

    Why:
        A library that is tested on one Python and one torch is known to work on exactly those.
    Fix:
        Give the test job a matrix with the oldest and the newest version that you support.
    Good:
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          test:
            runs-on: ubuntu-latest
            strategy:
              matrix:
                python-version: ["3.10", "3.13"]
            steps:
              - run: python -m pytest
    Bad:
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          test:
            runs-on: ubuntu-latest
            strategy:
              matrix:
                python-version: ["3.11"]
                shard: [1, 2, 3]
            steps:
              - run: python -m pytest
    Limits:
        Axes that a script computes while CI runs are not seen.
    """
    tested: dict[str, set[str]] = {}
    for step in runs.test_steps(repo):
        tested.setdefault(step.file.path, set()).add(step.job)
    for step in pipelines.steps(repo):
        if _TEST_JOB.search(step.job) and any(argv[0] in repo.files for argv in step.argvs):
            tested.setdefault(step.file.path, set()).add(step.job)
    for step in pipelines.steps(repo):
        if step.kind == "action" and step.text.removeprefix("./") in tested:  # a reused workflow
            tested.setdefault(step.file.path, set()).add(step.job)
    for path, jobs in tested.items():
        file = repo.files[path]
        for (job, axis), keys in pipelines.axes(file).items():
            if (job == "" or _called(job) in jobs) and _is_versioned(axis, keys):
                yield of_key(file, keys[0], f"{axis}: {', '.join(sorted({k.value for k in keys}))}")
    yield from _environments(repo)
    yield from _spread(repo, tested)


def _called(job: str) -> str:
    """Return the job that a workflow of CircleCI calls with a matrix."""
    return f"jobs.{job.rpartition('.')[2]}" if job.startswith("workflows.") else job


_TEST_JOB: Final = re.compile(r"(^|\.)((smoke|unit|integration)[-_])?tests?$", re.IGNORECASE)
"""A job of this name tests, though by running the product's scripts."""
_SPREAD: Final = re.compile(r"^(?P<job>.*)\.(?:runs-on|steps\[\d+\]\.with\.python-version)$")
_LISTED: Final = re.compile(r"^(?:python|os)\[\d+\]$")  # Travis CI


def _spread(repo: Repository, tested: dict[str, set[str]]) -> Iterator[Place]:
    """Yield the versions and systems that test jobs name one by one, where they differ."""
    found: dict[tuple[str, str], dict[str, Place]] = {}
    for path, jobs in tested.items():
        file = repo.files[path]
        for key in file.facts.keys if isinstance(file.facts, DataFacts) else ():
            row = _SPREAD.match(key.path)
            if (row and row["job"] in jobs) or (_LISTED.match(key.path) and path == ".travis.yml"):
                system = _SYSTEM.match(key.value)
                if system or _VERSION.match(key.value):
                    # Two workflows on one version each are two runs, no matrix.
                    group = ("system", "") if system else ("version", path)
                    value = system[1].lower() if system else key.value
                    place = of_key(file, key, f"tests on {key.value}")
                    found.setdefault(group, {}).setdefault(value, place)
    for places in found.values():
        if len(places) > 1:
            yield from places.values()


def _is_versioned(axis: str, keys: list[Key]) -> bool:
    values = {key.value for key in keys}
    kinds = [_VERSION.match(one) or _SYSTEM.match(one) for one in values]
    return len(values) > 1 and (all(kinds) or bool(_VERSIONED.match(axis.rpartition(".")[2])))


_ENVIRONMENTS: Final = re.compile(
    r"py(3?\.?\{)?3?\.?\d+\s*[,-]\s*(py)?3?\.?\d+|py3\d+\b.*\bpy3\d+\b", re.DOTALL
)


def _environments(repo: Repository) -> Iterator[Place]:
    """Yield the environment list of tox where CI runs all of them."""
    noxfile = repo.files.get("noxfile.py")
    if noxfile and isinstance(noxfile.facts, PythonFacts) and any(pipelines.running(repo, "nox")):
        runs_tests = {one.scope for one in noxfile.facts.calls if "'pytest'" in one.args}
        for call in noxfile.facts.calls:
            versions = (call.keyword("python") or "").count(", ")
            if call.decorates in runs_tests and versions:
                yield in_file(noxfile, call.line, "nox runs the tests on several versions")
    if any(step.runs("tox") for step in pipelines.steps(repo)):
        for file, key in repo.keys_of("tox.ini"):
            if key.path in ("tox.envlist", "tox.env_list") and _ENVIRONMENTS.search(key.value):
                yield of_key(file, key, f"tox environments {key.value[:60]}")
