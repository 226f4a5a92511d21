"""What a package says about itself: pyproject.toml, setup.cfg and the call of setup()."""

import re
from collections.abc import Iterator
from typing import Final

from audit.facts.model import Call, PythonFacts, Record
from audit.practices import settings
from audit.practices.registry import Place, in_file, of_key
from audit.repository import Repository
from audit.sites import File

_COMMAND: Final = re.compile(r"'([\w.-]+)\s*=\s*[\w.]+:")

_KEYWORDS: Final = frozenset({"name", "version", "install_requires"})
"""Keywords that tell the arguments of setup() from other mappings."""


def setups(repo: Repository) -> Iterator[tuple[File, Call]]:
    """Yield the calls of setup() in the project's setup.py files."""
    for file in settings.own(repo, "setup.py"):
        if isinstance(file.facts, PythonFacts):
            for call in file.facts.calls:
                if call.names[0].rpartition(".")[2] == "setup" and call.kwargs:
                    yield file, call


def argument(call: Call, name: str) -> str:
    """Return the canonical text of an argument of setup(), given as such or in ``**kwargs``."""
    if (direct := call.keyword(name)) is not None:
        return direct
    spread = call.keyword("**") or ""
    return spread.partition(f"'{name}': ")[2]


def _given(file: File, call: Call, name: str) -> str:
    """Return an argument of setup(), also where a ``dict(...)`` of the file becomes its keywords."""
    found = argument(call, name)
    if found or call.keyword("**") is None or not isinstance(file.facts, PythonFacts):
        return found
    made = (one for one in file.facts.calls if one.names[0] == "builtins.dict")
    return next((value for one in made if (value := one.keyword(name))), "")


def said(
    repo: Repository, says: str, *, tables: tuple[str, ...], cfg: str, setup: str
) -> Iterator[Place]:
    """Yield where a piece of metadata is given: pyproject tables, a setup.cfg key, setup()."""
    for table in tables:
        for file, key in settings.section(repo, table, "pyproject.toml"):
            yield of_key(file, key, says)
    for file, key in settings.section(repo, cfg, "setup.cfg"):
        yield of_key(file, key, says)
    for file, call in setups(repo):
        if is_given(_given(file, call, setup)):
            yield in_file(file, call.line, f"{says}: setup({setup}=...)", "setup")
    for file, record in _handed_on(repo):
        if setup in record.keys:
            yield in_file(file, record.line, f"{says}: setup({setup}=...)", "setup")


def _handed_on(repo: Repository) -> Iterator[tuple[File, Record]]:
    """Yield the mappings of a file that makes the arguments which setup.py hands to setup()."""
    if any((call.keyword("**") or "{")[0] != "{" for _, call in setups(repo)):
        for file in repo.files.values():
            facts = file.facts
            if isinstance(facts, PythonFacts) and any(
                {*m.keys} >= _KEYWORDS for m in facts.records
            ):
                yield from ((file, one) for one in facts.records)


def is_given(text: str) -> bool:
    """Tell whether an argument says anything: an empty literal does not."""
    return text.strip() not in (
        "",
        "None",
        "{}",
        "[]",
        "()",
        "''",
        "builtins.dict()",
        "builtins.list()",
    )


def commands(repo: Repository) -> tuple[str, ...]:
    """Return the names of the console commands that the project declares."""
    found: dict[str, None] = {}
    for table in ("project.scripts", "tool.poetry.scripts"):
        for file in settings.own(repo, "pyproject.toml"):
            for key in settings.leaves(file, table):
                found[key.path.removeprefix(f"{table}.")] = None
    for _, call in setups(repo):
        found |= dict.fromkeys(_COMMAND.findall(argument(call, "entry_points")))
    return tuple(found)
