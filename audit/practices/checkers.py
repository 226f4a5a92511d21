"""Linters, formatters and type checkers: where each is configured and how it is started."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from audit.facts.model import Command
from audit.practices import pipelines, settings
from audit.practices.registry import Place, in_file, of_key
from audit.practices.shell import argvs
from audit.repository import Repository
from audit.sites import File


class Checker(msgspec.Struct, frozen=True):
    """A tool that judges source code, and the traces of its configuration."""

    name: str
    tables: tuple[str, ...] = ()
    """Tables of pyproject.toml."""
    files: tuple[str, ...] = ()
    """Its own configuration files."""
    sections: tuple[str, ...] = ()
    """Sections of setup.cfg and tox.ini."""
    hooks: tuple[str, ...] = ()
    """Ids of its pre-commit hooks."""
    commands: tuple[str, ...] = ()
    """How it is started."""
    actions: tuple[str, ...] = ()
    """GitHub actions that run it."""


_RUFF_LINT: Final = tuple(
    f"tool.ruff.{one}"
    for one in (
        "lint", "select", "extend-select", "ignore", "extend-ignore", "per-file-ignores", "isort",
        "mccabe", "pydocstyle", "flake8-annotations", "fixable", "unfixable",
    )
)  # fmt: skip
LINTERS: Final = (
    Checker(
        "ruff", _RUFF_LINT, (), (), ("ruff", "ruff-check"), ("ruff check", "hatch fmt"),
        ("astral-sh/ruff-action", "chartboost/ruff-action", "ultralytics/actions"),
    ),
    Checker(
        "flake8", ("tool.flake8",), (".flake8",), ("flake8",), ("flake8",), ("flake8", "pflake8"),
        ("py-actions/flake8",),
    ),
    Checker(
        "pylint", ("tool.pylint",), (".pylintrc", "pylintrc"), ("pylint", "MESSAGES CONTROL"),
        ("pylint",), ("pylint",),
    ),
    Checker(
        "prospector", ("tool.prospector",), (".prospector.yaml", ".prospector.yml"), (),
        ("prospector",), ("prospector",),
    ),
    Checker("pycodestyle", (), (), ("pycodestyle", "pep8"), (), ("pycodestyle", "pyflakes")),
)  # fmt: skip
FORMATTERS: Final = (
    Checker(
        "ruff format", ("tool.ruff.format",), (), (), ("ruff-format",), ("ruff format", "hatch fmt"),
        ("ultralytics/actions",),
    ),
    Checker(
        "black", ("tool.black",), (), (), ("black", "black-jupyter"), ("black",), ("psf/black",)
    ),
    Checker(
        "yapf", ("tool.yapf",), (".style.yapf",), ("yapf",), ("yapf",), ("yapf",), ("diegovalenzuelaiturra/yapf",)
    ),
    Checker("ufmt", ("tool.ufmt",), (), (), ("ufmt",), ("ufmt",)),
    Checker("pyink", ("tool.pyink",), (), (), ("pyink",), ("pyink",)),
    Checker("autopep8", ("tool.autopep8",), (), (), ("autopep8",), ("autopep8",)),
)  # fmt: skip
TYPE_CHECKERS: Final = (
    Checker(
        "mypy", ("tool.mypy",), ("mypy.ini", ".mypy.ini"), ("mypy",), ("mypy",), ("mypy", "dmypy"),
        ("jpetrucciani/mypy-check",),
    ),
    Checker(
        "pyright", ("tool.pyright", "tool.basedpyright"), ("pyrightconfig.json",), (),
        ("pyright", "basedpyright"), ("pyright", "basedpyright"), ("jakebailey/pyright-action",),
    ),
    Checker("ty", ("tool.ty",), ("ty.toml",), (), ("ty", "ty-check"), ("ty check",)),
    Checker("pyre", (), (".pyre_configuration",), (), ("pyre",), ("pyre check", "pyre")),
    Checker(
        "pyrefly", ("tool.pyrefly",), ("pyrefly.toml",), (), ("pyrefly", "pyrefly-check"),
        ("pyrefly check",),
    ),
    Checker("zuban", ("tool.zuban",), (), (), ("zuban", "zuban-check"), ("zuban", "zmypy")),
    Checker("pytype", ("tool.pytype",), ("pytype.cfg", "pytype.toml"), ("pytype",), ("pytype",), ("pytype",)),
)  # fmt: skip
_RUN_BY: Final = re.compile(r"(linter\[\d+\]\.code|lint\.enabled\[\d+\])$")
"""Where lintrunner and trunk name the tools that they run."""
_RUFF_FILES: Final = ("ruff.toml", ".ruff.toml")


def configured(repo: Repository, checkers: Iterable[Checker]) -> Iterator[Place]:
    """Yield where tools are configured: tables, files and sections first, then hooks, then runs."""
    known = tuple(checkers)
    for one in known:
        says = f"{one.name} is configured"
        for table in one.tables:
            yield from settings.places(settings.section(repo, table, "pyproject.toml"), says)
            if table.startswith("tool.ruff."):
                own = table.removeprefix("tool.ruff.")
                yield from settings.places(settings.section(repo, own, *_RUFF_FILES), says)
        yield from settings.places(settings.section(repo, "", *one.files), says)
        for name in one.sections:
            found = settings.section(repo, name, "setup.cfg", "tox.ini")
            yield from settings.places(found, says)
    for one in known:
        if one.hooks:
            yield from settings.places(
                settings.hooks(repo, *one.hooks), f"pre-commit runs {one.name}"
            )
    for file, key in repo.keys_of(".lintrunner.toml", "trunk.yaml"):
        name = key.value.partition("@")[0].lower()
        if _RUN_BY.match(key.path) and any(name == one.name for one in known):
            yield of_key(file, key, f"{name} is run by {file.name}")
    lines = tuple(pipelines.automation(repo))
    for one in known:
        yield from _started(repo, one, lines)


def _started(
    repo: Repository, checker: Checker, lines: Iterable[tuple[File, Command]]
) -> Iterator[Place]:
    """Yield where CI, a Makefile or a maintainers' script starts a tool."""
    for step in pipelines.running(repo, *checker.commands):
        yield step.place(f"CI runs {checker.name}")
    for step in pipelines.using(repo, *checker.actions) if checker.actions else ():
        yield step.place(f"CI runs {checker.name}")
    heads = {one.partition(" ")[0] for one in checker.commands}
    for file, line in lines:
        words = line.text.lower()  # $(RUFF) names its program in capitals
        if any(head in words for head in heads) and _runs(line.text, checker.commands):
            yield in_file(file, line.line, f"{checker.name} is run", line.text[:80])


def _runs(text: str, programs: Iterable[str]) -> bool:
    wanted = [one.split() for one in programs]
    return any(
        argv[0] == head and set(rest) <= set(argv) for argv in argvs(text) for head, *rest in wanted
    )
