"""Safety of workflows: pinned actions, restrained tokens."""

import re
from collections.abc import Iterator
from typing import Final

from audit.facts.model import DataFacts, Key
from audit.practices import pipelines, runs
from audit.practices.registry import Place, of_key, practice
from audit.repository import Repository

# ------------------------------------------------------------------------ actions
_HASH: Final = re.compile(r"@(sha256:)?[0-9a-f]{40,64}$")
_OURS: Final = ("actions/", "github/", "./", "../")


@practice(
    "security-pinned-actions",
    looks_for="GitHub workflows whose third-party actions are all pinned to a commit hash",
    code=False,
)
def security_pinned_actions(repo: Repository) -> Iterator[Place]:
    """Third-party actions are pinned to a full commit hash.

    Why:
        A tag can be moved to other code at any time; the action then runs with your tokens.
    Fix:
        Write ``uses: owner/action@<40 hex digits>  # v1.2.3`` and let dependabot move it.
    Good:
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          test:
            runs-on: ubuntu-latest
            steps:
              - uses: actions/checkout@v4
              - uses: astral-sh/setup-uv@e92bafb6253dcd438e0484186d7669ea7a8ca1cc
    Bad:
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          test:
            runs-on: ubuntu-latest
            steps:
              - uses: astral-sh/setup-uv@v7
    Limits:
        Actions of the organisations ``actions`` and ``github`` are trusted with tags.
    """
    used = [
        (file, key)
        for file, keys in sorted(
            pipelines.workflows(repo), key=lambda row: runs.main_first(repo, row[0])
        )
        for key in keys
        if key.path.endswith(".uses") and key.value
    ]
    foreign = [row for row in used if not row[1].value.lower().startswith(_OURS)]
    if all(_HASH.search(key.value.strip()) for _, key in foreign):
        for file, key in foreign or used:
            yield of_key(file, key, f"uses {key.value[:80]}")


@practice(
    "security-workflow-permissions",
    looks_for="GitHub workflows that all declare permissions, at the top or in every job",
    code=False,
)
def security_workflow_permissions(repo: Repository) -> Iterator[Place]:
    """Every workflow says which permissions its token has.

    Why:
        The default token may write to the repository: a compromised step then owns it.
    Fix:
        Put ``permissions: {contents: read}`` at the top of every workflow and widen it in the job
        that needs more.
    Good:
        # file: .github/workflows/ci.yml
        on: [push]
        permissions:
          contents: read
        jobs:
          test:
            runs-on: ubuntu-latest
            steps:
              - run: pytest
    Bad:
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          test:
            runs-on: ubuntu-latest
            permissions:
              contents: read
            steps:
              - run: pytest
          lint:
            runs-on: ubuntu-latest
            steps:
              - run: ruff check .
    """
    unread = any(
        file.path.startswith(".github/workflows/") and not isinstance(file.facts, DataFacts)
        for file in repo.ci
    )
    granted = [(file, _permissions(keys)) for file, keys in pipelines.workflows(repo)]
    granted.sort(key=lambda row: runs.main_first(repo, row[0]))
    if not unread and all(key is not None for _, key in granted):
        for file, key in granted:
            assert key is not None
            yield of_key(file, key, "declares the permissions of its token")


def _permissions(keys: tuple[Key, ...]) -> Key | None:
    """Return the key that gives a workflow its permissions; None where a job has none."""
    paths = {key.path: key for key in keys}
    if "permissions" in paths:
        return paths["permissions"]
    jobs = dict.fromkeys(path.split(".")[1] for path in paths if re.match(r"^jobs\.[^.]+\.", path))
    found = [paths.get(f"jobs.{job}.permissions") for job in jobs]
    return found[0] if found and None not in found else None
