"""What a CI step runs: the tests."""

import re
from typing import Final

from audit.practices import pipelines
from audit.practices.pipelines import Step
from audit.repository import Repository

RUNNERS: Final = (
    "pytest", "py.test", "unittest", "nose2", "nosetests", "trial", "ward", "stestr", "pytest-3",
    "hatch test", "setup.py test", "xdoctest", "testmon",
)  # fmt: skip
_SCRIPT: Final = re.compile(r"\.(py|sh)$")


def tests(step: Step, repo: Repository) -> bool:
    """Tell whether a step runs tests: a runner, or a file of the tests as a program."""
    if step.kind != "command":
        return False
    if argv := step.runs(*RUNNERS):
        return "--collect-only" not in argv and "--version" not in argv
    return any(_is_test_file(argv[0], repo) for argv in step.argvs)


def _is_test_file(name: str, repo: Repository) -> bool:
    return bool(_SCRIPT.search(name)) and any(one.role == "test" for one in repo.named(name))


def test_steps(repo: Repository) -> tuple[Step, ...]:
    """Return the CI steps that run tests: those of every change first, the widest run first."""
    found = [one for one in pipelines.steps(repo) if tests(one, repo)]
    return tuple(sorted(found, key=_rank))


def _rank(step: Step) -> tuple[bool, bool, int]:
    events = set(pipelines.triggers(step.file))
    argv = step.runs(*RUNNERS) or ("",)
    depths = [word.strip("./").count("/") for word in argv[1:] if word[0:1] not in ("-", "")]
    return "pull_request" not in events, "schedule" in events, min(depths, default=0)
