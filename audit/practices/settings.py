"""How tools are configured: tables of pyproject.toml, INI sections, own files, hooks."""

import re
from collections.abc import Iterator
from typing import Final

from audit.facts.model import DataFacts, Key
from audit.practices.registry import Place, of_key
from audit.repository import Repository
from audit.sites import File

_ELSEWHERE: Final = frozenset({"test", "example", "vendored", "generated"})
PYTEST_FILES: Final = (
    "pyproject.toml", "pytest.ini", ".pytest.ini", "pytest.toml", "setup.cfg", "tox.ini"
)  # fmt: skip
_PYTEST_OPTION: Final = re.compile(r"pytest(\.ini_options)?\.(addopts|doctest_glob)(\[\d+\])?$")
HOOK_FILES: Final = (".pre-commit-config.yaml", ".pre-commit-config.yml", "prek.toml")


def own(repo: Repository, *names: str) -> Iterator[File]:
    """Yield the project's own files of some names, nearest to the root first.

    Those of tests, examples and vendored code, and what is deeper than one
    folder, say nothing about the project.
    """
    for one in repo.named(*names):
        if one.role not in _ELSEWHERE and one.path.count("/") <= 1:
            yield one


def started_with(repo: Repository, *patterns: str) -> Iterator[tuple[File, DataFacts]]:
    """Yield the configuration files that users start the product with."""
    for one in repo.find(*patterns):
        if isinstance(one.facts, DataFacts) and one.role in ("product", "config", "data"):
            yield one, one.facts


def leaves(file: File, prefix: str = "") -> Iterator[Key]:
    """Yield the keys of a file under a dotted prefix that hold a value."""
    if isinstance(file.facts, DataFacts):
        starts = (f"{prefix}.", f"{prefix}[") if prefix else ("",)
        for key in file.facts.keys:
            if key.value and (key.path == prefix or key.path.startswith(starts)):
                yield key


def section(repo: Repository, prefix: str, *names: str) -> Iterator[tuple[File, Key]]:
    """Yield the header of a table or section in files of some names, where it has content."""
    for file in own(repo, *names):
        first = next(leaves(file, prefix), None)
        if first is not None:
            assert isinstance(file.facts, DataFacts)
            header = next((one for one in file.facts.keys if one.path == prefix), first)
            yield file, (header if header.line > 1 else first)


def hooks(repo: Repository, *ids: str) -> Iterator[tuple[File, Key]]:
    """Yield the pre-commit hooks of some ids; without any, every hook."""
    for file in own(repo, *HOOK_FILES):
        for key in leaves(file, "repos"):
            if key.path.endswith(".id") and (not ids or key.value in ids):
                yield file, key


def places(found: Iterator[tuple[File, Key]], says: str) -> Iterator[Place]:
    """Yield the places of some keys."""
    for file, key in found:
        yield of_key(file, key, says)


def pytest_options(repo: Repository) -> Iterator[tuple[File, Key]]:
    """Yield the options that the project gives every run of pytest."""
    for file in own(repo, *PYTEST_FILES):
        for key in leaves(file):
            if _PYTEST_OPTION.search(key.path):
                yield file, key
