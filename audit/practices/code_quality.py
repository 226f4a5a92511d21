"""Code quality: linter, formatter, type checker, pre-commit."""

from collections.abc import Iterator

from audit.facts.model import ScriptFacts
from audit.practices import checkers, settings
from audit.practices.registry import Place, in_file, of_key, practice
from audit.repository import Repository


@practice(
    "quality-linter",
    looks_for="a configured linter: ruff lint rules, flake8, pylint",
    code=False,
)
def quality_linter(repo: Repository) -> Iterator[Place]:
    """A linter is configured.

    Its settings, its pre-commit hook, or its run in CI, a Makefile or a script count.

    Why:
        Unused names, shadowed builtins and mutable defaults are found by a machine in a second,
        and by a reviewer on a bad day not at all.
    Fix:
        Add a ``[tool.ruff.lint]`` table to ``pyproject.toml`` and run ``ruff check`` in CI.
    Good:
        # file: pyproject.toml
        [tool.ruff.lint]
        select = ["E", "F", "B"]
    Bad:
        # file: pyproject.toml
        [tool.ruff]
        line-length = 100

        [tool.ruff.format]
        quote-style = "double"
    Limits:
        Whether the rules are worth having, or anybody runs them, is not judged here (see `ci-lint`).
    """
    return checkers.configured(repo, checkers.LINTERS)


@practice(
    "quality-formatter",
    looks_for="a configured formatter: ruff format, black, yapf, ufmt",
    code=False,
)
def quality_formatter(repo: Repository) -> Iterator[Place]:
    """A formatter is configured.

    Why:
        Layout decided by a tool takes style out of reviews and keeps diffs to what changed.
    Fix:
        Add the ``ruff-format`` hook (or a ``[tool.black]`` table) and check it in CI.
    Good:
        # file: .pre-commit-config.yaml
        repos:
          - repo: https://github.com/astral-sh/ruff-pre-commit
            rev: v0.6.9
            hooks:
              - id: ruff-format
    Bad:
        # file: pyproject.toml
        [tool.isort]
        profile = "black"
    Limits:
        Formatters of other languages (prettier, clang-format) do not count.
    """
    return checkers.configured(repo, checkers.FORMATTERS)


@practice(
    "quality-type-checker",
    looks_for="a configured static type checker: mypy, pyright, ty, pyre, pyrefly, pytype",
    code=False,
)
def quality_type_checker(repo: Repository) -> Iterator[Place]:
    """A static type checker is configured.

    Why:
        Annotations that nothing checks drift from the code; a checker turns a wrong call into
        an error before a run has spent its budget.
    Fix:
        Add a ``[tool.mypy]`` (or pyright, ty) table and run the checker in CI.
    Good:
        # file: pyproject.toml
        [tool.mypy]
        strict = true
    Bad:
        # file: pyproject.toml
        [project]
        name = "package"
        version = "1"
        dependencies = ["mypy"]
    Limits:
        How much of the code the checker covers is not judged.
    """
    return checkers.configured(repo, checkers.TYPE_CHECKERS)


@practice(
    "quality-pre-commit",
    looks_for="pre-commit, lefthook or husky configuration with at least one hook",
    code=False,
)
def quality_pre_commit(repo: Repository) -> Iterator[Place]:
    """Checks run before a commit.

    Why:
        What fails in seconds on the desk does not have to fail in minutes in CI.
    Fix:
        Add ``.pre-commit-config.yaml`` with the linter and formatter that CI runs.
    Good:
        # file: .pre-commit-config.yaml
        repos:
          - repo: https://github.com/pre-commit/pre-commit-hooks
            rev: v5.0.0
            hooks:
              - id: check-yaml
    Bad:
        # file: .pre-commit-config.yaml
        repos: []
    Limits:
        Whether contributors install the hooks cannot be seen in the repository.
    """
    for file, key in settings.hooks(repo):
        yield of_key(file, key, f"pre-commit hook {key.value}")
    for file in settings.own(repo, "lefthook.yml", "lefthook.yaml", ".lefthook.yml"):
        for key in settings.leaves(file):
            if key.path.endswith(".run"):
                yield of_key(file, key, f"lefthook runs {key.value[:60]}")
    for file in repo.named("pre-commit"):
        if file.path.endswith(".husky/pre-commit") and isinstance(file.facts, ScriptFacts):
            for line in file.facts.commands[:1]:
                yield in_file(file, line.line, f"husky runs {line.text[:60]}")
