"""Packaging: metadata, commands, extras, licence, Python versions, types."""

from collections.abc import Iterator
from typing import Final

from audit.practices import metadata, settings
from audit.practices.registry import Place, in_file, of_key, practice
from audit.repository import Repository


@practice("package-pep621", looks_for="a [project] table with name and version", code=False)
def package_pep621(repo: Repository) -> Iterator[Place]:
    """The package is described by a [project] table.

    Why:
        Every build backend, resolver and index reads it without running code of the package.
    Fix:
        Move the metadata from ``setup.py`` to ``[project]`` in ``pyproject.toml``.
        ``codex-audit pyproject --check`` names each key that is wrong, and its line.
    Good:
        # file: pyproject.toml
        [project]
        name = "package"
        dynamic = ["version"]
    Bad:
        # file: pyproject.toml
        [build-system]
        requires = ["setuptools"]

        [tool.poetry]
        name = "package"
        version = "1.0"
    Drop-in: codex-audit pyproject
    """
    for file in settings.own(repo, "pyproject.toml"):
        known = {key.path: key for key in settings.leaves(file, "project")}
        dynamic = {key.value for path, key in known.items() if path.startswith("project.dynamic[")}
        if "project.name" in known and ("project.version" in known or "version" in dynamic):
            yield of_key(file, known["project.name"], f"project {known['project.name'].value}")


@practice(
    "package-scripts",
    looks_for="[project.scripts], console_scripts entry points, tool.poetry.scripts",
    code=False,
)
def package_scripts(repo: Repository) -> Iterator[Place]:
    """Installing the package installs commands.

    Why:
        A command on the path works from any folder and survives a move of the file behind it.
    Fix:
        Declare it under ``[project.scripts]``: ``train = "package.cli:main"``.
        ``codex-audit pyproject --write`` puts the table in its place.
    Good:
        # file: pyproject.toml
        [project.scripts]
        package-train = "package.cli:main"
    Bad:
        # file: setup.py
        from setuptools import setup
        setup(name="package", entry_points={})
        # file: train.py
        print("run me")
    Limits:
        ``scripts=[...]`` of setuptools copies files and is no entry point.
    Drop-in: codex-audit pyproject
    """
    says = "declares console commands"
    tables = ("project.scripts", "tool.poetry.scripts", "tool.flit.scripts", "project.gui-scripts")
    for table in tables:
        yield from settings.places(settings.section(repo, table, "pyproject.toml"), says)
    for prefix in ("options.entry_points.console_scripts", "entry_points.console_scripts"):
        yield from settings.places(settings.section(repo, prefix, "setup.cfg"), says)
    for file, call in metadata.setups(repo):
        if "console_scripts" in metadata.argument(call, "entry_points"):
            yield in_file(file, call.line, f"{says}: setup(entry_points=...)", "setup")


@practice(
    "package-extras",
    looks_for="optional-dependencies, dependency-groups, extras_require",
    code=False,
)
def package_extras(repo: Repository) -> Iterator[Place]:
    """Optional dependencies are named groups.

    Why:
        Users install what their use needs, and the heavy or exotic packages stay optional.
    Fix:
        Add ``[project.optional-dependencies]`` with a group per use.
        ``codex-audit pyproject --write`` spells and sorts what is in it.
    Good:
        # file: setup.py
        from setuptools import setup
        extras = {"test": ["pytest"]}
        extras["dev"] = extras["test"] + ["ruff"]
        setup(name="package", extras_require=extras)
    Bad:
        # file: pyproject.toml
        [project]
        name = "package"
        version = "1"

        [project.optional-dependencies]
    Drop-in: codex-audit pyproject
    """
    yield from metadata.said(
        repo,
        "declares optional dependencies",
        tables=(
            "project.optional-dependencies", "dependency-groups", "tool.poetry.extras",
            "tool.poetry.group", "tool.flit.metadata.requires-extra", "tool.pdm.dev-dependencies",
            "tool.uv.dev-dependencies", "tool.poetry.dev-dependencies", "tool.setuptools.dynamic.optional-dependencies",
        ),
        cfg="options.extras_require",
        setup="extras_require",
    )  # fmt: skip


@practice(
    "package-python-bound",
    looks_for="requires-python, python_requires, tool.poetry.dependencies.python",
    code=False,
)
def package_python_bound(repo: Repository) -> Iterator[Place]:
    """The supported Python versions are declared.

    Why:
        The installer picks a release that works instead of one that fails at import.
    Fix:
        Add ``requires-python = ">=3.10"`` to ``[project]``.
        ``codex-audit pyproject --check`` refuses a bound that is none.
    Good:
        # file: pyproject.toml
        [project]
        name = "package"
        version = "1"
        requires-python = ">=3.10"
    Bad:
        # file: setup.py
        from setuptools import setup
        setup(name="package", classifiers=["Programming Language :: Python :: 3.10"])
    Drop-in: codex-audit pyproject
    """
    yield from metadata.said(
        repo,
        "declares the Python versions",
        tables=(
            "project.requires-python", "tool.poetry.dependencies.python",
            "tool.flit.metadata.requires-python",
        ),
        cfg="options.python_requires",
        setup="python_requires",
    )  # fmt: skip


_LICENSES: Final = ("license", "licence", "copying", "unlicense", "licenses")


@practice("package-license", looks_for="a LICENSE or COPYING file in the root", code=False)
def package_license(repo: Repository) -> Iterator[Place]:
    """The licence is in the repository.

    Why:
        Without its text nobody may use the code, whatever the metadata says.
    Fix:
        Add the full licence text as ``LICENSE`` in the root.
        ``codex-audit pyproject --check`` refuses a ``license`` that is no SPDX expression.
    Good:
        # file: LICENSE
        MIT License

        Permission is hereby granted, free of charge, to any person obtaining a copy of this
        software and associated documentation files, to deal in the software without restriction.
    Bad:
        # file: LICENSE
        TODO
    Drop-in: codex-audit pyproject
    """
    for file in repo.by_stem(*_LICENSES):
        folder = file.path.rpartition("/")[0].lower()
        if folder in ("", "licenses", "license") and file.words >= MIN_LICENSE_WORDS:
            yield in_file(file, 1, "the licence text")


MIN_LICENSE_WORDS: Final = 15
"""The shortest licences in use (0BSD, WTFPL) have more; a placeholder has less."""


@practice("package-typed", looks_for="a py.typed marker in a package", code=False)
def package_typed(repo: Repository) -> Iterator[Place]:
    """The package tells type checkers that it is typed.

    Why:
        Without the marker checkers ignore every annotation of an installed package (PEP 561).
    Fix:
        Add an empty ``py.typed`` beside the package's ``__init__.py``.
    Good:
        # file: package/__init__.py
        VERSION = "1"
        # file: package/py.typed
        # file: pyproject.toml
        [project]
        name = "package"
    Bad:
        # file: package/__init__.py
        def scale(x: float) -> float:
            return 2 * x
        # file: docs/py.typed
    """
    for file in repo.named("py.typed"):
        folder = file.path.rpartition("/")[0]
        above = {folder.rsplit("/", depth)[0] for depth in (2, 3, 4)}
        if (
            any(f"{one}/__init__.py" in repo.files for one in above - {folder})
            and folder.count("/") > 2
        ):
            continue  # a part of a part of a package types itself, not the package
        beside = repo.files.get(f"{folder}/__init__.py") or repo.files.get(f"{folder}/__init__.pyi")
        if beside is not None and beside.role == "product":
            yield in_file(file, 1, "the package is typed (PEP 561)")
