"""How the same practice is written with other tools: reusable workflows, nbdev, plugins, hosts."""

import pytest

from tests.audit.build import decided
from tests.audit.practices.cases import cases


def job(step: str, name: str = "ci") -> str:
    """Return a workflow with one step (or, for a reusable one, one job that is called)."""
    return (
        f"# file: .github/workflows/{name}.yml\non: [push, pull_request]\njobs:\n  one:\n"
        + (
            "    "
            if "/.github/workflows/" in step
            else "    runs-on: ubuntu-latest\n    steps:\n      - "
        )
        + f"{step}\n"
    )


def loads(signature: str, call: str) -> str:
    """Return a helper that hands weights_only on, and somebody who calls it."""
    return (
        "import torch\n\n\n"
        f"def read({signature}):\n    return torch.load(path, weights_only=weights_only)\n\n\n"
        f"def restore(model, path):\n    model.load_state_dict({call})\n"
    )


SUITE = "import pytest\n\n\ndef test_one(x):\n    assert x.run() == 1\n"
LISTED = "# Changelog\n\n" + "- 1.2: loads files faster and says which one failed to load\n" * 8

PRESENT = {
    "test-in-ci": {
        "reusable workflow": job("uses: org/templates/.github/workflows/pytest-cpu.yaml@v1"),
        "nbdev": job("uses: fastai/workflows/nbdev-ci@master"),
        "bazel": job("run: bazel test //..."),
    },
    "ci-lint": {
        "reusable workflow": job("uses: org/templates/.github/workflows/_code_lint.yml@main"),
        "plugins of pytest": job("run: pytest")
        + "# file: pyproject.toml\n[tool.pytest.ini_options]\naddopts = '--black --ruff'\n",
        "plugin on the command line": job("run: pytest --mypy"),
    },
    "ci-release": {
        "reusable workflow": job("uses: org/templates/.github/workflows/_release_library.yml@v2"),
    },
    "ci-docs": {
        "reusable workflow": job("uses: org/templates/.github/workflows/build-docs.yml@v2"),
        "quarto": job("uses: fastai/workflows/quarto-ghp@master"),
        "Jekyll": job("uses: actions/jekyll-build-pages@v1"),
    },
    "ci-matrix": {
        "jobs on two systems": job("run: pytest", "a")
        + job("run: pytest", "b").replace("ubuntu-latest", "macos-14"),
        "Travis list": "# file: .travis.yml\npython:\n  - '3.9'\n  - '3.10'\nscript: pytest\n",
        "tox factors": job("run: tox")
        + "# file: tox.ini\n[tox]\nenvlist = py3{9,10,11}\n[testenv]\ncommands = pytest\n",
    },
    "security-code-scanning": {
        "reusable workflow": job("uses: org/templates/.github/workflows/_secrets_detector.yml@v1"),
    },
    "security-dependency-updates": {
        "pyup": "# file: .pyup.yml\nschedule: every week\n",
    },
    "security-no-unsafe-deserialization": {
        "a parameter that is true": loads("path, weights_only=True", "read(path)"),
        "a caller that says true": loads("path, weights_only=True", "read(path, weights_only=True)"),
    },
    "quality-linter": {
        "make variable": "# file: Makefile\nRUFF := .venv/bin/ruff\nfix:\n\t$(RUFF) check --fix\n",
    },
    "quality-pre-commit": {
        "prek": "# file: prek.toml\n[[repos]]\nrepo = 'https://x'\nhooks = [{ id = 'ruff' }]\n",
    },
    "package-extras": {
        "pdm": "# file: pyproject.toml\n[tool.pdm.dev-dependencies]\ntest = ['pytest']\n",
    },
    "docs-site": {
        "Jekyll": "# file: docs/_config.yml\ntheme: jekyll-theme-cayman\n",
        "mdBook": "# file: docs/book.toml\n[book]\ntitle = 'P'\n",
    },
    "docs-quickstart": {
        "uv sync": "# file: README.md\n# P\n\n```bash\nuv sync\nuv run train.py --steps 1\n```\n",
        "setup.py": "# file: README.md\n# P\n\n```\npython setup.py install\n```\n\n```\nimport p\np.run(1)\n```\n",
    },
    "docs-api-reference": {
        "no space": "# file: docs/api.md\n# API\n\n:::package.module.Thing\n",
        "heading": "# file: docs/api.md\n# API\n\n## ::: package.module\n",
        "generator": "# file: mkdocs.yml\nplugins:\n  - api-autonav:\n      modules: ['src/p']\n",
        "AutoAPI": "# file: docs/conf.py\nproject = 'p'\nextensions = ['autoapi.extension']\n"
        "autoapi_dirs = ['../src']\n",
    },
    "docs-contributing": {
        "folder": "# file: docs/contributing/index.md\n# Contributing\n\nFork, branch, install, test, push.\n",
        "other name": "# file: CONTRIBUTION.md\n# Contribution\n\nFork, branch, install, test, push, ask.\n",
    },
    "docs-changelog": {
        "date as version": "# file: CHANGELOG.md\n# Changelog\n\n## v20250625\n\n- Fix\n",
        "list": f"# file: CHANGELOG.md\n{LISTED}",
        "a page for each release": "# file: docs/release_notes/v1.2.md\n# Notes\n\nFaster loading.\n",
    },
    "docs-tested": {
        "nbdev": job("uses: fastai/workflows/nbdev-ci@master"),
        "make target": "# file: Makefile\ntest:\n\tpytest --doctest-modules src\n",
        "blocks of the README": "# file: tests/test_readme.py\nfrom pathlib import Path\n\n\n"
        "def test_blocks():\n    for block in Path('README.md').read_text().split('```'):\n"
        "        exec(block)\n",
    },
    "test-parametrized": {
        "fixture": "# file: tests/test_a.py\nimport pytest\n\n\n@pytest.fixture(params=[1, 2])\n"
        "def size(request):\n    return request.param\n",
    },
    "test-markers": {
        "folder": f"# file: tests/test_a.py\n{SUITE}# file: tests/integration/test_b.py\n{SUITE}",
        "deselected by default": "# file: pyproject.toml\n[tool.pytest.ini_options]\n"
        "addopts = '-m \"not slow\"'\n",
    },
    "test-coverage": {
        "uploader": job("run: bash <(curl -s https://codecov.io/bash)"),
        "command": job("run: coveralls --service=github"),
    },
}  # fmt: skip
ABSENT = {
    "test-in-ci": {
        "reusable build": job("uses: org/test-infra/.github/workflows/build_wheels.yml@v1"),
    },
    "ci-lint": {
        "reusable tests": job("uses: org/templates/.github/workflows/unit-tests.yml@v1"),
        "no plugin": job("run: pytest --flags"),
    },
    "ci-release": {
        "draft": job("uses: org/templates/.github/workflows/release-drafter.yml@v2"),
        "notes": job("uses: org/templates/.github/workflows/release-notes.yml@v2"),
    },
    "ci-docs": {
        "other workflow": job("uses: org/docs-infra/.github/workflows/build.yml@v2"),
    },
    "ci-matrix": {
        "lint on another system": job("run: pytest", "a")
        + job("run: ruff check .", "b").replace("ubuntu-latest", "macos-14"),
        "the same system in two releases": job("run: pytest", "a")
        + job("run: pytest", "b").replace("ubuntu-latest", "ubuntu-22.04"),
    },
    "security-dependency-updates": {
        "without an ecosystem": "# file: .github/dependabot.yml\nupdates:\n  - package-ecosystem: ''\n",
    },
    "security-no-unsafe-deserialization": {
        "a parameter that is false": loads("path, weights_only=False", "read(path)"),
        "a caller that says false": loads("path, weights_only=True", "read(path, weights_only=False)"),
    },
    "docs-site": {
        "other _config.yml": "# file: conf/_config.yml\nlr: 1\n",
        "other docs.json": "# file: docs/docs.json\n{\"a\": 1}\n",
    },
    "docs-quickstart": {
        "pip without a target": "# file: README.md\n# P\n\n```bash\npip install\npython train.py\n```\n",
    },
    "docs-api-reference": {
        "admonition": "# file: docs/a.md\n# A\n\n::: note\nMind the gap.\n:::\n",
        "mkdocstrings without an entry": "# file: mkdocs.yml\nsite_name: P\nplugins: [mkdocstrings]\n",
    },
    "docs-changelog": {
        "pointer": "# file: CHANGELOG.md\n# Changelog\n\nSee the releases page of the project.\n",
        "empty page for a release": "# file: docs/release_notes/v1.2.md\n# Notes\n",
    },
    "docs-tested": {
        "exec of something else": "# file: tests/test_a.py\ndef test_a():\n    exec('x = 1')\n",
        "tests of README's presence": "# file: tests/test_a.py\nfrom pathlib import Path\n\n\n"
        "def test_a():\n    assert Path('README.md').exists()\n",
    },
    "test-parametrized": {
        "fixture without cases": "# file: tests/test_a.py\nimport pytest\n\n\n"
        "@pytest.fixture(scope='module')\ndef size():\n    return make()\n",
    },
    "test-markers": {
        "one folder alone": f"# file: tests/integration/test_b.py\n{SUITE}",
    },
}  # fmt: skip


@pytest.mark.parametrize(("practice", "text"), cases(PRESENT))
def test_present(practice: str, text: str) -> None:
    assert decided(practice, text).status == "present"


@pytest.mark.parametrize(("practice", "text"), cases(ABSENT))
def test_absent(practice: str, text: str) -> None:
    assert decided(practice, text).status == "absent"
