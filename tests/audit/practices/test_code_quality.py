"""Which configuration shows a linter, a formatter, a type checker, hooks before a commit."""

import pytest

from tests.audit.build import decided

HITS = [
    pytest.param(
        "quality-linter",
        """\
        # file: setup.cfg
        [flake8]
        max-line-length = 100
        """,
        id="flake8 in setup.cfg",
    ),
    pytest.param(
        "quality-linter",
        """\
        # file: ruff.toml
        [lint]
        select = ["E"]
        """,
        id="lint table in ruff.toml",
    ),
    pytest.param(
        "quality-linter",
        """\
        # file: tox.ini
        [testenv:lint]
        commands = pylint src
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          lint:
            steps:
              - run: pipx run tox -e lint
        """,
        id="pylint that CI runs through tox",
    ),
    pytest.param(
        "quality-linter",
        """\
        # file: .pre-commit-config.yaml
        repos:
          - repo: https://github.com/astral-sh/ruff-pre-commit
            hooks:
              - id: ruff
                args: [--fix]
        """,
        id="ruff hook",
    ),
    pytest.param(
        "quality-formatter",
        """\
        # file: pyproject.toml
        [tool.black]
        line-length = 88
        """,
        id="black table",
    ),
    pytest.param(
        "quality-formatter",
        """\
        # file: .style.yapf
        [style]
        based_on_style = pep8
        """,
        id="yapf style file",
    ),
    pytest.param(
        "quality-formatter",
        """\
        # file: scripts/format.sh
        uv run ruff format src tests
        """,
        id="script that runs ruff format",
    ),
    pytest.param(
        "quality-type-checker",
        """\
        # file: pyrightconfig.json
        {"include": ["src"]}
        """,
        id="pyright configuration file",
    ),
    pytest.param(
        "quality-type-checker",
        """\
        # file: setup.cfg
        [mypy]
        ignore_missing_imports = True
        """,
        id="mypy section",
    ),
    pytest.param(
        "quality-type-checker",
        """\
        # file: .pyre_configuration
        {"source_directories": ["package"]}
        """,
        id="pyre configuration",
    ),
    pytest.param(
        "quality-pre-commit",
        """\
        # file: lefthook.yml
        pre-commit:
          commands:
            lint:
              run: ruff check {staged_files}
        """,
        id="lefthook",
    ),
    pytest.param(
        "quality-pre-commit",
        """\
        # file: .husky/pre-commit
        ruff check .
        """,
        id="husky",
    ),
    pytest.param(
        "quality-pre-commit",
        """\
        # file: .pre-commit-config.yaml
        repos:
          - repo: local
            hooks:
              - id: tests
                entry: pytest
        """,
        id="local hook",
    ),
]
MISSES = [
    pytest.param(
        "quality-linter",
        """\
        # file: pyproject.toml
        [tool.ruff]
        line-length = 120
        """,
        id="ruff's line length alone",
    ),
    pytest.param(
        "quality-linter",
        """\
        # file: .flake8
        """,
        id="empty flake8 file",
    ),
    pytest.param(
        "quality-linter",
        """\
        # file: examples/app/.pylintrc
        [MASTER]
        jobs = 1
        """,
        id="pylint of an example",
    ),
    pytest.param(
        "quality-formatter",
        """\
        # file: pyproject.toml
        [tool.black]
        """,
        id="empty black table",
    ),
    pytest.param(
        "quality-formatter",
        """\
        # file: requirements-dev.txt
        black==24.1
        """,
        id="black as a dependency",
    ),
    pytest.param(
        "quality-formatter",
        """\
        # file: CONTRIBUTING.md
        Run the formatter:

        ```bash
        black .
        ```
        """,
        id="black in the guide only",
    ),
    pytest.param(
        "quality-type-checker",
        """\
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          lint:
            steps:
              - run: pre-commit run
                env: {SKIP: mypy}
        """,
        id="mypy as a hook to skip",
    ),
    pytest.param(
        "quality-type-checker",
        """\
        # file: package/__init__.py
        # file: package/a.py
        import mypy
        def scale(x: float) -> float:
            return x
        """,
        id="annotations",
    ),
    pytest.param(
        "quality-type-checker",
        """\
        # file: mypy.ini
        [mypy]
        """,
        id="empty mypy section",
    ),
    pytest.param(
        "quality-pre-commit",
        """\
        # file: .pre-commit-config.yaml
        default_language_version:
          python: python3
        """,
        id="pre-commit without hooks",
    ),
    pytest.param(
        "quality-pre-commit",
        """\
        # file: .husky/pre-commit
        # nothing yet
        """,
        id="husky with a comment",
    ),
    pytest.param(
        "quality-pre-commit",
        """\
        # file: docs/pre-commit.md
        # pre-commit

        Install pre-commit.
        """,
        id="page about pre-commit",
    ),
]


@pytest.mark.parametrize(("practice", "text"), HITS)
def test_present(practice: str, text: str) -> None:
    assert decided(practice, text).status == "present"


@pytest.mark.parametrize(("practice", "text"), MISSES)
def test_absent(practice: str, text: str) -> None:
    assert decided(practice, text).status == "absent"
