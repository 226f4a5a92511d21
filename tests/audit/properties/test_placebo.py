"""No score for files that do nothing, nor for the same code twice."""

import pytest

from tests.audit.properties import audits
from tests.audit.properties.audits import BARE, Files

TITLE = "# Title\n"
JOB = "on: [push]\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: {}\n"
PLACEBOS: Files = {
    ".github/CODEOWNERS": "",
    ".github/SECURITY.md": "# Security\n",
    ".github/dependabot.yml": "version: 2\nupdates: []\n",
    ".github/workflows/ci.yml": JOB.format("true"),
    ".github/workflows/docs.yml": JOB.format("echo mkdocs build"),
    ".github/workflows/lint.yml": JOB.format("echo 'ruff check .'"),
    ".github/workflows/release.yml": JOB.format("echo twine upload"),
    ".gitlab-ci.yml": "test:\n  script:\n    - 'true'\n",
    ".pre-commit-config.yaml": "repos: []\n",
    ".readthedocs.yaml": "",
    ".coveragerc": "[run]\n",
    ".flake8": "[flake8]\n",
    "CHANGELOG.md": "# Changelog\n",
    "CODE_OF_CONDUCT.md": TITLE,
    "CONTRIBUTING.md": "# Contributing\n",
    "Dockerfile": "FROM scratch\n",
    "LICENSE": "TODO\n",
    "Makefile": "test:\n\t@true\nlint:\n\t@true\ndocs:\n\t@true\n",
    "codecov.yml": "",
    "docs/api.md": "# API\n",
    "docs/conf.py": "",
    "docs/index.md": TITLE,
    "environment.yml": "",
    "mkdocs.yml": "",
    "mypy.ini": "[mypy]\n",
    "poetry.lock": "",
    "pyproject.toml": "[project]\n\n[project.scripts]\n\n[project.optional-dependencies]\n\n"
    "[tool.ruff.lint]\n\n[tool.mypy]\n\n[tool.coverage.run]\n\n[tool.pytest.ini_options]\n",
    "requirements.txt": "",
    "sums/checkpoint.py": "",
    "sums/conf/config.yaml": "",
    "sums/train.js": "export const train = () => torch.save(model.state_dict());\n",
    "sums/serve.py": "def serve():\n    pass\n",
    "setup.cfg": "[metadata]\n[options.extras_require]\n",
    "setup.py": "from setuptools import setup\n\nsetup()\n",
    "tests/conftest.py": "",
    "tests/test_nothing.py": "".join(f"def test_{n}():\n    assert True\n\n\n" for n in range(9)),
    "tests/test_train.py": "def test_train():\n    pass\n",
    "tox.ini": "[tox]\nenvlist =\n",
    "uv.lock": "version = 1\n",
}
"""Files with the right names and without content."""


def test_there_are_enough_placebos() -> None:
    assert len(PLACEBOS) >= 25


def test_all_placebos_together_raise_the_mean_by_almost_nothing() -> None:
    before = audits.audited(BARE)
    after = audits.audited({**BARE, **PLACEBOS})
    assert not audits.raised(before, after)
    assert after.mean - before.mean <= 0.01


def test_all_placebos_together_beside_real_code() -> None:
    before = audits.own_matrix()
    after = audits.audited({**PLACEBOS, **audits.own()})
    assert after.mean - before.mean <= 0.01


@pytest.mark.parametrize("place", ["codex_ml_copy/{}", "copy/codex_ml/{}", "codex_ml/copy/{}"])
def test_a_second_copy_of_the_product_raises_nothing(place: str) -> None:
    files = audits.own()
    copied = {
        place.format(path.removeprefix("codex_ml/")): text
        for path, text in files.items()
        if path.startswith("codex_ml/")
    }
    before, after = audits.own_matrix(), audits.audited({**files, **copied})
    assert not audits.raised(before, after)
    assert after.mean <= before.mean
    old, new = audits.scores(before), audits.scores(after)
    assert {one: (old[one], new[one]) for one in new if new[one] > old[one] + 1e-6} == {}
