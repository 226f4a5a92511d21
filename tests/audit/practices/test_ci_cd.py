"""Which pipelines test, lint, release and build docs."""

import pytest

from tests.audit.build import decided

HITS = [
    pytest.param(
        "ci-workflow",
        """\
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          test:
            runs-on: ubuntu-latest
            steps:
              - run: pytest
        """,
        id="a step that runs tests",
    ),
    pytest.param(
        "ci-workflow",
        """\
        # file: .gitlab-ci.yml
        test:
          script:
            - python -m pytest
        """,
        id="GitLab script",
    ),
    pytest.param(
        "ci-workflow",
        """\
        # file: .circleci/config.yml
        version: 2.1
        jobs:
          build:
            steps:
              - checkout
              - run:
                  command: make test
        """,
        id="CircleCI command",
    ),
    pytest.param(
        "ci-workflow",
        """\
        # file: .github/workflows/docs.yml
        on: [push]
        jobs:
          build:
            uses: huggingface/doc-builder/.github/workflows/build_main_documentation.yml@main
        """,
        id="reusable workflow of another repository",
    ),
    pytest.param(
        "ci-matrix",
        """\
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          test:
            runs-on: ubuntu-latest
            strategy:
              matrix:
                os: [ubuntu-latest, windows-latest]
            steps:
              - run: pytest
        """,
        id="operating systems",
    ),
    pytest.param(
        "ci-matrix",
        """\
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          test:
            runs-on: ubuntu-latest
            strategy:
              matrix:
                pytorch-version: [latest, minimum]
            steps:
              - run: pytest
        """,
        id="framework versions named latest and minimum",
    ),
    pytest.param(
        "ci-matrix",
        """\
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          test:
            runs-on: ubuntu-latest
            strategy:
              matrix:
                include:
                  - {python: '3.10', extra: a}
                  - {python: '3.12', extra: b}
            steps:
              - run: pytest
        """,
        id="included rows",
    ),
    pytest.param(
        "ci-matrix",
        """\
        # file: Makefile
        test_core:
        \tpytest tests
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          test:
            runs-on: ubuntu-latest
            strategy:
              matrix:
                kind: [test_core]
                torch: ['2.4', '2.8']
            steps:
              - run: make ${{ matrix.kind }}
        """,
        id="tests behind a make target that the matrix names",
    ),
    pytest.param(
        "ci-matrix",
        """\
        # file: tox.ini
        [tox]
        envlist = py310,py311
        [testenv]
        commands = pytest
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          test:
            runs-on: ubuntu-latest
            steps:
              - run: tox
        """,
        id="tox environments that CI runs",
    ),
    pytest.param(
        "ci-lint",
        """\
        # file: Makefile
        check: style types
        style:
        \truff check $(dirs)
        types:
        \tmypy src
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          test:
            runs-on: ubuntu-latest
            steps:
              - run: make check
        """,
        id="make target",
    ),
    pytest.param(
        "ci-lint",
        """\
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          test:
            runs-on: ubuntu-latest
            steps:
              - uses: pre-commit/action@v3.0.1
        """,
        id="pre-commit action",
    ),
    pytest.param(
        "ci-lint",
        """\
        # file: .pre-commit-config.yaml
        ci:
          autofix_prs: true
        repos:
          - repo: https://github.com/psf/black
            hooks:
              - id: black
        """,
        id="pre-commit.ci settings",
    ),
    pytest.param(
        "ci-lint",
        """\
        # file: noxfile.py
        import nox

        @nox.session
        def lint(session):
            session.run('ruff', 'check', 'src')
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          test:
            runs-on: ubuntu-latest
            steps:
              - run: uvx nox -s lint
        """,
        id="nox session",
    ),
    pytest.param(
        "ci-lint",
        """\
        # file: pyproject.toml
        [tool.hatch.envs.lint.scripts]
        all = ['ruff check .', 'mypy src']
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          test:
            runs-on: ubuntu-latest
            steps:
              - run: hatch run lint:all
        """,
        id="hatch script",
    ),
    pytest.param(
        "ci-release",
        """\
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          test:
            runs-on: ubuntu-latest
            steps:
              - run: python -m twine upload dist/*
        """,
        id="twine upload",
    ),
    pytest.param(
        "ci-release",
        """\
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          test:
            runs-on: ubuntu-latest
            steps:
              - uses: docker/build-push-action@v6
                with:
                  push: true
                  tags: org/image:latest
        """,
        id="image that is pushed",
    ),
    pytest.param(
        "ci-release",
        """\
        # file: .github/workflows/ci.yml
        on: {push: {tags: ['v*']}}
        jobs:
          test:
            runs-on: ubuntu-latest
            steps:
              - run: uv publish
        """,
        id="uv publish",
    ),
    pytest.param(
        "ci-docs",
        """\
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          test:
            runs-on: ubuntu-latest
            steps:
              - run: python -m sphinx -b html docs out
              - run: sphinx-build -W docs out
        """,
        id="sphinx-build",
    ),
    pytest.param(
        "ci-docs",
        """\
        # file: .readthedocs.yaml
        version: 2
        sphinx:
          configuration: docs/conf.py
        """,
        id="Read the Docs",
    ),
    pytest.param(
        "ci-docs",
        """\
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          test:
            runs-on: ubuntu-latest
            steps:
              - run: |
                  cd docs
                  make html
        """,
        id="make in the docs folder",
    ),
]
MISSES = [
    pytest.param(
        "ci-workflow",
        """\
        # file: .github/workflows/stale.yml
        on:
          schedule: [{cron: '0 1 * * *'}]
        jobs:
          stale:
            steps:
              - uses: actions/stale@v9
        """,
        id="stale bot",
    ),
    pytest.param(
        "ci-workflow",
        """\
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          test:
            runs-on: ubuntu-latest
            steps:
              - run: 'true'
              - run: echo ok
        """,
        id="step that does nothing",
    ),
    pytest.param(
        "ci-workflow",
        """\
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          test:
            runs-on: ubuntu-latest
            if: false
            steps:
              - run: pytest
        """,
        id="job that never runs",
    ),
    pytest.param(
        "ci-workflow",
        """\
        # file: .github/workflows/ci.yml
        name: ci
        on: [push]
        """,
        id="workflow without jobs",
    ),
    pytest.param(
        "ci-matrix",
        """\
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          test:
            runs-on: ubuntu-latest
            strategy:
              matrix:
                python-version: ['3.12']
            steps:
              - run: pytest
        """,
        id="one version",
    ),
    pytest.param(
        "ci-matrix",
        """\
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          test:
            runs-on: ubuntu-latest
            strategy:
              matrix:
                shard: [1, 2, 3]
            steps:
              - run: pytest
        """,
        id="shards",
    ),
    pytest.param(
        "ci-matrix",
        """\
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          test:
            runs-on: ubuntu-latest
            strategy:
              matrix:
                python-version: ['3.10', '3.12']
            steps:
              - run: python -m build
        """,
        id="matrix of a job that runs no tests",
    ),
    pytest.param(
        "ci-lint",
        """\
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          test:
            runs-on: ubuntu-latest
            steps:
              - run: pip install ruff flake8 mypy
              - run: pytest
        """,
        id="linter only installed",
    ),
    pytest.param(
        "ci-lint",
        """\
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          test:
            runs-on: ubuntu-latest
            steps:
              - run: echo 'run ruff check before you push'
              - run: pytest
        """,
        id="linter only mentioned",
    ),
    pytest.param(
        "ci-lint",
        """\
        # file: .pre-commit-config.yaml
        repos:
          - repo: https://github.com/psf/black
            hooks:
              - id: black
        """,
        id="hooks without CI",
    ),
    pytest.param(
        "ci-release",
        """\
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          test:
            runs-on: ubuntu-latest
            steps:
              - run: python -m build
              - run: twine check dist/*
        """,
        id="build without upload",
    ),
    pytest.param(
        "ci-release",
        """\
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          test:
            runs-on: ubuntu-latest
            steps:
              - uses: docker/build-push-action@v6
                with:
                  push: false
        """,
        id="image that is only built",
    ),
    pytest.param(
        "ci-release",
        """\
        # file: Makefile
        release:
        \ttwine upload dist/*
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          test:
            runs-on: ubuntu-latest
            steps:
              - run: make test
        """,
        id="publish in a Makefile that CI does not run",
    ),
    pytest.param(
        "ci-docs",
        """\
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          test:
            runs-on: ubuntu-latest
            steps:
              - uses: lycheeverse/lychee-action@v2
              - run: pip install mkdocs
        """,
        id="link check",
    ),
    pytest.param(
        "ci-docs",
        """\
        # file: .readthedocs.yaml
        version: 2
        """,
        id="Read the Docs without content",
    ),
    pytest.param(
        "ci-docs",
        """\
        # file: docs/build.md
        # Build

        ```bash
        mkdocs build
        ```
        """,
        id="page about building",
    ),
]


@pytest.mark.parametrize(("practice", "text"), HITS)
def test_present(practice: str, text: str) -> None:
    assert decided(practice, text).status == "present"


@pytest.mark.parametrize(("practice", "text"), MISSES)
def test_absent(practice: str, text: str) -> None:
    assert decided(practice, text).status == "absent"
