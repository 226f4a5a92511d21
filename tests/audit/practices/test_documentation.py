"""Which docs are there, generated and executed."""

import pytest

from tests.audit.build import decided

HITS = [
    pytest.param(
        "docs-quickstart",
        """\
        # file: README.md
        # P

        ```console
        $ pip install p
        $ p train --steps 10
        ```
        """,
        id="prompts in a console block",
    ),
    pytest.param(
        "docs-quickstart",
        """\
        # file: README.rst
        P
        =

        Install::

            pip install p

        Use it:

        .. code-block:: python

            import p
            p.run()
        """,
        id="reStructuredText",
    ),
    pytest.param(
        "docs-quickstart",
        """\
        # file: README.md
        # P

        ```sh
        pip install torch numpy
        ```

        ```sh
        python train.py config/small.py
        ```
        """,
        id="script of the repository",
    ),
    pytest.param(
        "docs-site",
        """\
        # file: docs/conf.py
        project = 'P'
        extensions = []
        """,
        id="Sphinx",
    ),
    pytest.param(
        "docs-site",
        """\
        # file: docs/source/_toctree.yml
        - title: Start
          sections:
            - local: index
        """,
        id="doc-builder",
    ),
    pytest.param(
        "docs-site",
        """\
        # file: website/docusaurus.config.js
        module.exports = { title: 'P', url: 'https://example.org', baseUrl: '/' };
        """,
        id="docusaurus",
    ),
    pytest.param(
        "docs-site",
        """\
        # file: book/_toc.yml
        format: jb-book
        root: intro
        """,
        id="Jupyter Book",
    ),
    pytest.param(
        "docs-api-reference",
        """\
        # file: docs/conf.py
        project = 'P'
        extensions = ['sphinx.ext.autodoc']
        # file: docs/api.rst
        API
        ===

        .. automodule:: p
           :members:
        """,
        id="automodule",
    ),
    pytest.param(
        "docs-api-reference",
        """\
        # file: docs/source/api.md
        # API

        [[autodoc]] Trainer
            - train
        """,
        id="doc-builder",
    ),
    pytest.param(
        "docs-api-reference",
        """\
        # file: docs/api.md
        # API

        ```{eval-rst}
        .. autoclass:: p.Trainer
        ```
        """,
        id="autodoc block in a MyST page",
    ),
    pytest.param(
        "docs-api-reference",
        """\
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          test:
            runs-on: ubuntu-latest
            steps:
              - run: pdoc -o site package
        """,
        id="pdoc in CI",
    ),
    pytest.param(
        "docs-contributing",
        """\
        # file: .github/CONTRIBUTING.md
        # Contributing

        Set up the project, run the checks and open a pull request. Set up the project, run the checks and open a pull request. Set up the project, run the checks and open a pull request. Set up the project, run the checks and open a pull request. Set up the project, run the checks and open a pull request.
        """,
        id="guide in .github",
    ),
    pytest.param(
        "docs-contributing",
        """\
        # file: docs/contributing.rst
        Contributing
        ============

        Set up the project, run the checks and open a pull request. Set up the project, run the checks and open a pull request. Set up the project, run the checks and open a pull request. Set up the project, run the checks and open a pull request. Set up the project, run the checks and open a pull request.
        """,
        id="guide in the docs",
    ),
    pytest.param(
        "docs-contributing",
        """\
        # file: guide/_toctree.yml
        - local: index
        # file: guide/contributing.md
        # Contributing

        Set up the project, run the checks and open a pull request. Set up the project, run the checks and open a pull request. Set up the project, run the checks and open a pull request. Set up the project, run the checks and open a pull request. Set up the project, run the checks and open a pull request.
        """,
        id="guide of a site",
    ),
    pytest.param(
        "docs-changelog",
        """\
        # file: CHANGELOG.md
        # Changelog

        ## [1.2.0] - 2025-01-02

        - Added x.
        """,
        id="versions",
    ),
    pytest.param(
        "docs-changelog",
        """\
        # file: CHANGES.txt
        1.2.0
        -----
        * Added x.
        """,
        id="text file",
    ),
    pytest.param(
        "docs-changelog",
        """\
        # file: docs/release_notes.md
        # Release notes

        ## v0.3

        - Added x.
        """,
        id="page of the docs",
    ),
    pytest.param(
        "docs-api-reference",
        """\
        # file: pyproject.toml
        [project]
        name = "package"
        # file: package/__init__.py
        import torch
        # file: tools/reference.py
        import griffe

        for name, one in griffe.load("package").members.items():
            print(name, one.docstring)
        """,
        id="pages written by a script that reads docstrings",
    ),
    pytest.param(
        "docs-tested",
        """\
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          docs:
            runs-on: ubuntu-latest
            steps:
              - run: codex-audit validate docs/index.md --execute
        """,
        id="console blocks executed",
    ),
    pytest.param(
        "docs-tested",
        """\
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          test:
            runs-on: ubuntu-latest
            steps:
              - run: python -m pytest --doctest-modules src
        """,
        id="doctest in CI",
    ),
    pytest.param(
        "docs-tested",
        """\
        # file: conftest.py
        from sybil import Sybil
        pytest_collect_file = Sybil(parsers=[]).pytest()
        """,
        id="sybil",
    ),
    pytest.param(
        "docs-tested",
        """\
        # file: tests/test_docs.py
        from pytest_examples import find_examples

        def test_docs():
            assert find_examples('docs')
        """,
        id="pytest-examples",
    ),
    pytest.param(
        "docs-tested",
        """\
        # file: docs/Makefile
        doctest:
        \tsphinx-build -b doctest . out
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          test:
            runs-on: ubuntu-latest
            steps:
              - run: make -C docs doctest
        """,
        id="sphinx doctest builder",
    ),
]
MISSES = [
    pytest.param(
        "docs-quickstart",
        """\
        # file: README.md
        # P

        See [install](docs/install.md) and [use](docs/use.md).
        """,
        id="links only",
    ),
    pytest.param(
        "docs-quickstart",
        """\
        # file: README.md
        # P

        ```bash
        git clone https://example.org/p
        cd p
        pip install -e .
        ```
        """,
        id="install only",
    ),
    pytest.param(
        "docs-quickstart",
        """\
        # file: README.md
        # P

        Install with `pip install p`.

        ```bibtex
        @misc{p, title={P}}
        ```
        """,
        id="citation block",
    ),
    pytest.param(
        "docs-site",
        """\
        # file: docs/index.md
        # Index

        Text.
        """,
        id="loose pages",
    ),
    pytest.param(
        "docs-site",
        """\
        # file: mkdocs.yml
        """,
        id="empty mkdocs.yml",
    ),
    pytest.param(
        "docs-site",
        """\
        # file: package/__init__.py
        # file: package/conf.py
        LIMIT = 3
        """,
        id="conf.py of the product",
    ),
    pytest.param(
        "docs-api-reference",
        """\
        # file: docs/api.md
        # API

        ## Trainer

        `Trainer.train()` trains.
        """,
        id="hand-written",
    ),
    pytest.param(
        "docs-api-reference",
        """\
        # file: docs/conf.py
        project = 'P'
        extensions = ['sphinx.ext.autodoc']
        # file: docs/index.rst
        P
        =

        Text.
        """,
        id="extension without a page",
    ),
    pytest.param(
        "docs-api-reference",
        """\
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          test:
            runs-on: ubuntu-latest
            steps:
              - run: pip install pdoc
        """,
        id="pdoc only installed",
    ),
    pytest.param(
        "docs-contributing",
        """\
        # file: CONTRIBUTING.md
        # Contributing
        """,
        id="heading only",
    ),
    pytest.param(
        "docs-contributing",
        """\
        # file: README.md
        # P

        ## Contributing

        Set up the project, run the checks and open a pull request. Set up the project, run the checks and open a pull request. Set up the project, run the checks and open a pull request. Set up the project, run the checks and open a pull request. Set up the project, run the checks and open a pull request.
        """,
        id="sentence in the README",
    ),
    pytest.param(
        "docs-contributing",
        """\
        # file: third_party/x/CONTRIBUTING.md
        # Contributing

        Set up the project, run the checks and open a pull request. Set up the project, run the checks and open a pull request. Set up the project, run the checks and open a pull request. Set up the project, run the checks and open a pull request. Set up the project, run the checks and open a pull request.
        """,
        id="guide of a vendored project",
    ),
    pytest.param(
        "docs-changelog",
        """\
        # file: CHANGELOG.md
        # Changelog
        """,
        id="heading only",
    ),
    pytest.param(
        "docs-changelog",
        """\
        # file: RELEASES.md
        # Releasing

        ## Release procedure

        Text.
        """,
        id="page about releasing",
    ),
    pytest.param(
        "docs-changelog",
        """\
        # file: package/__init__.py
        # file: package/history.py
        VERSION = '1.0'
        """,
        id="code of that name",
    ),
    pytest.param(
        "docs-api-reference",
        """\
        # file: tools/check.py
        import griffe

        griffe.find_breaking_changes(1, 2)
        """,
        id="docstrings read for another purpose",
    ),
    pytest.param(
        "docs-tested",
        """\
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          docs:
            runs-on: ubuntu-latest
            steps:
              - run: codex-audit validate docs/index.md
        """,
        id="a plan that is only printed",
    ),
    pytest.param(
        "docs-tested",
        """\
        # file: setup.cfg
        [tool:pytest]
        doctest_optionflags = ELLIPSIS
        """,
        id="flags for doctests that nobody runs",
    ),
    pytest.param(
        "docs-tested",
        """\
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          test:
            runs-on: ubuntu-latest
            steps:
              - run: sphinx-build -b html docs out
        """,
        id="docs are built",
    ),
    pytest.param(
        "docs-tested",
        """\
        def double(x):
            '''>>> double(1)
            2'''
            return 2 * x
        """,
        id="docstring with a prompt",
    ),
]


@pytest.mark.parametrize(("practice", "text"), HITS)
def test_present(practice: str, text: str) -> None:
    assert decided(practice, text).status == "present"


@pytest.mark.parametrize(("practice", "text"), MISSES)
def test_absent(practice: str, text: str) -> None:
    assert decided(practice, text).status == "absent"
