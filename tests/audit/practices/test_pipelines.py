"""What CI does, followed into scripts."""

from __future__ import annotations

from audit.practices import pipelines, runs
from tests.audit.build import repository

WORKFLOW = """
on: [push]
jobs:
  test:
    steps:
      - run: ./runtests.sh --unit
      - run: make test
"""
# Its help names the script itself, once a line.
SCRIPT = "#!/bin/bash\n" + "".join(
    f"echo './runtests.sh --option{number}'\n" for number in range(40)
)


def test_a_script_that_names_itself_is_followed_once() -> None:
    files = {
        ".github/workflows/test.yml": WORKFLOW,
        "runtests.sh": f"{SCRIPT}python -m pytest tests\n",
        "Makefile": "test: lint\n\t./runtests.sh\nlint:\n\t$(MAKE) more\nmore:\n\truff check\n",
    }
    repo = repository(files)
    steps = pipelines.steps(repo)
    assert len(steps) == 2 * (1 + 41) + 2 + 1  # each text once for each line of the workflow
    assert [one.text for one in runs.test_steps(repo)] == ["python -m pytest tests"] * 2
    assert [one.text for one in pipelines.running(repo, "ruff check")] == ["ruff check"]
