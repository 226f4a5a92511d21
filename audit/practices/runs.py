"""What a CI step runs: the tests."""

import re
from typing import Final

from audit.practices import pipelines
from audit.practices.pipelines import Step
from audit.practices.shell import argvs
from audit.repository import Repository, once
from audit.sites import File

RUNNERS: Final = (
    "pytest", "py.test", "unittest", "nose2", "nosetests", "trial", "ward", "stestr", "pytest-3",
    "hatch test", "setup.py test", "xdoctest", "testmon", "nbdev_test", "bazel test",
)  # fmt: skip
_SCRIPT: Final = re.compile(r"\.(py|sh)$")
_REUSED: Final = r"(^|[-_/])(py|unit[-_]?|cpu[-_]?|gpu[-_]?)?tests?([-_.]|$)"
_MAIN: Final = re.compile(
    r"^(ci|main|build|check|python|py|unit|cpu|run|all|pr|pull|request|package|app|and|test|tests|pytest"
    r"|unittest|unittests|[-_ ])+$"
)


def tests(step: Step, repo: Repository) -> bool:
    """Tell whether a step runs tests: a runner, or a file of the tests as a program."""
    if step.kind == "action":
        if step.text.startswith("pypa/cibuildwheel"):
            return _tests_wheels(repo)
        return step.text.startswith("fastai/workflows/nbdev-ci") or step.reuses(_REUSED)
    if argv := step.runs(*RUNNERS):
        return "--collect-only" not in argv and "--version" not in argv
    return any(_is_test_file(argv[0], repo) for argv in step.argvs)


def _tests_wheels(repo: Repository) -> bool:
    """Tell whether what builds the wheels runs the tests on each of them."""
    key = repo.key("pyproject.toml", "tool.cibuildwheel.test-command")
    return key is not None and any(argv[0] in RUNNERS for argv in argvs(key.value))


def _is_test_file(name: str, repo: Repository) -> bool:
    return bool(_SCRIPT.search(name)) and any(one.role == "test" for one in repo.named(name))


@once
def test_steps(repo: Repository) -> tuple[Step, ...]:
    """Return the CI steps that run tests: those of every change first, the widest run first."""
    return tuple(sorted((one for one in pipelines.steps(repo) if tests(one, repo)), key=_rank))


def main_first(repo: Repository, file: File) -> tuple[bool, bool, str]:
    """Order CI definitions: those that test, the main one of them first."""
    return file.path not in _testing(repo), not _is_main(file), file.path


@once
def _testing(repo: Repository) -> frozenset[str]:
    """Return the paths of the CI definitions that run tests."""
    return frozenset(step.file.path for step in test_steps(repo))


def _is_main(file: File) -> bool:
    """Tell whether a CI definition is named as the test run, not as one of some part."""
    return bool(_MAIN.match(file.name.rpartition(".")[0].lower()))


def _rank(step: Step) -> tuple[bool, bool, int]:
    events = set(pipelines.triggers(step.file))
    argv = step.runs(*RUNNERS) or ("",)
    depths = [word.strip("./").count("/") for word in argv[1:] if word[0:1] not in ("-", "")]
    narrow = "pull_request" not in events or "schedule" in events
    return narrow, not _is_main(step.file), min(depths, default=0)
