"""What is scanned, pinned, restrained and loaded safely."""

import pytest

from tests.audit.build import decided

HITS = [
    pytest.param(
        "security-policy",
        """\
        # file: .github/SECURITY.md
        # Security

        Please report security problems privately by mail to us and wait for an answer before you publish.
        """,
        id="policy in .github",
    ),
    pytest.param(
        "security-policy",
        """\
        # file: SECURITY
        Please report security problems privately by mail to us and wait for an answer before you publish.
        """,
        id="policy as text in the root",
    ),
    pytest.param(
        "security-policy",
        """\
        # file: docs/security.rst
        Security
        ========

        Please report security problems privately by mail to us and wait for an answer before you publish.
        """,
        id="policy in docs",
    ),
    pytest.param(
        "security-dependency-updates",
        """\
        # file: renovate.json
        {"extends": ["config:recommended"]}
        """,
        id="renovate",
    ),
    pytest.param(
        "security-dependency-updates",
        """\
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          test:
            runs-on: ubuntu-latest
            steps:
              - run: uvx pip-audit
        """,
        id="pip-audit in CI",
    ),
    pytest.param(
        "security-dependency-updates",
        """\
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          test:
            runs-on: ubuntu-latest
            steps:
              - uses: actions/dependency-review-action@v4
        """,
        id="dependency review action",
    ),
    pytest.param(
        "security-code-scanning",
        """\
        # file: pyproject.toml
        [tool.ruff.lint]
        extend-select = ['S']
        """,
        id="ruff's security rules",
    ),
    pytest.param(
        "security-code-scanning",
        """\
        # file: tox.ini
        [testenv:sec]
        commands = bandit -r src
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          test:
            runs-on: ubuntu-latest
            steps:
              - run: tox -e sec
        """,
        id="bandit in a tox environment that CI runs",
    ),
    pytest.param(
        "security-code-scanning",
        """\
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          test:
            runs-on: ubuntu-latest
            steps:
              - uses: github/codeql-action/analyze@v3
        """,
        id="CodeQL",
    ),
    pytest.param(
        "security-code-scanning",
        """\
        # file: .pre-commit-config.yaml
        repos:
          - repo: https://github.com/pre-commit/pre-commit-hooks
            hooks:
              - id: detect-private-key
        """,
        id="private key hook",
    ),
    pytest.param(
        "security-no-unsafe-deserialization",
        """\
        import torch

        def load(path):
            return torch.load(path, weights_only=True)
        """,
        id="weights only",
    ),
    pytest.param(
        "security-no-unsafe-deserialization",
        """\
        import yaml

        class Loader(yaml.SafeLoader):
            pass

        def load(text):
            return yaml.load(text, Loader=Loader)
        """,
        id="loader derived from the safe one",
    ),
    pytest.param(
        "security-no-unsafe-deserialization",
        """\
        import json
        import pickle

        def gather(tensor, path):
            return pickle.loads(tensor.cpu().numpy().tobytes()), json.load(path)
        """,
        id="pickle between processes only",
    ),
    pytest.param(
        "security-no-unsafe-deserialization",
        """\
        from safetensors.torch import load_file

        def load(model, path):
            model.load_state_dict(load_file(path))
        """,
        id="safetensors",
    ),
    pytest.param(
        "security-pinned-actions",
        """\
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          test:
            runs-on: ubuntu-latest
            steps:
              - uses: actions/checkout@v4
              - uses: github/codeql-action/init@v3
              - uses: codecov/codecov-action@aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
        """,
        id="actions of GitHub by tag, others by hash",
    ),
    pytest.param(
        "security-pinned-actions",
        """\
        # file: .github/workflows/docs.yml
        on: [push]
        jobs:
          build:
            uses: org/repo/.github/workflows/build.yml@aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
        """,
        id="reusable workflow by hash",
    ),
    pytest.param(
        "security-pinned-actions",
        """\
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          test:
            runs-on: ubuntu-latest
            steps:
              - uses: actions/checkout@v4
              - run: pytest
        """,
        id="no third-party action",
    ),
    pytest.param(
        "security-workflow-permissions",
        """\
        # file: .github/workflows/ci.yml
        on: [push]
        permissions: {}
        jobs:
          test:
            runs-on: ubuntu-latest
            steps:
              - run: pytest
        """,
        id="none granted at the top",
    ),
    pytest.param(
        "security-workflow-permissions",
        """\
        # file: .github/workflows/ci.yml
        on: [push]
        permissions: read-all
        jobs:
          test:
            runs-on: ubuntu-latest
            steps:
              - run: pytest
        """,
        id="read-all at the top",
    ),
    pytest.param(
        "security-workflow-permissions",
        """\
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          test:
            runs-on: ubuntu-latest
            permissions:
              contents: read
            steps:
              - run: pytest
        """,
        id="in every job",
    ),
]
MISSES = [
    pytest.param(
        "security-policy",
        """\
        # file: SECURITY.md
        # Security
        """,
        id="heading only",
    ),
    pytest.param(
        "security-policy",
        """\
        # file: docs/guides/serving/security.md
        # Security of the server

        Please report security problems privately by mail to us and wait for an answer before you publish.
        """,
        id="page about secure serving deep in the docs",
    ),
    pytest.param(
        "security-policy",
        """\
        # file: package/__init__.py
        # file: package/security.py
        POLICY = 'report by mail to the address that is given on the page of the project'
        """,
        id="code of that name",
    ),
    pytest.param(
        "security-dependency-updates",
        """\
        # file: renovate.json
        {"$schema": "https://docs.renovatebot.com/renovate-schema.json"}
        """,
        id="empty renovate",
    ),
    pytest.param(
        "security-dependency-updates",
        """\
        # file: docs/dependabot.yml
        version: 2
        updates:
          - package-ecosystem: pip
        """,
        id="dependabot configuration outside .github",
    ),
    pytest.param(
        "security-dependency-updates",
        """\
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          test:
            runs-on: ubuntu-latest
            steps:
              - run: pip install pip-audit
              - run: pytest
        """,
        id="pip-audit only installed",
    ),
    pytest.param(
        "security-code-scanning",
        """\
        # file: pyproject.toml
        [tool.ruff.lint]
        select = ['E', 'SIM', 'SLF']
        """,
        id="other ruff rules",
    ),
    pytest.param(
        "security-code-scanning",
        """\
        # file: pyproject.toml
        [tool.ruff.lint]
        select = ['ALL']
        ignore = ['S']
        """,
        id="security rules that are ignored again",
    ),
    pytest.param(
        "security-code-scanning",
        """\
        # file: pyproject.toml
        [project]
        name = 'p'
        version = '1'
        dependencies = ['bandit']
        """,
        id="bandit as a dependency",
    ),
    pytest.param(
        "security-no-unsafe-deserialization",
        """\
        import torch

        def load(path):
            return torch.load(path, map_location='cpu')
        """,
        id="torch.load by default",
    ),
    pytest.param(
        "security-no-unsafe-deserialization",
        """\
        from pickle import load as read

        def cache(path):
            with open(path, 'rb') as file:
                return read(file)
        """,
        id="pickle under an alias",
    ),
    pytest.param(
        "security-no-unsafe-deserialization",
        """\
        import pickle

        def cache(path):
            with open(path, 'rb') as file:
                return pickle.loads(file.read())
        """,
        id="unpickled bytes of a file",
    ),
    pytest.param(
        "security-no-unsafe-deserialization",
        """\
        import yaml

        def load(text):
            return yaml.load(text, Loader=yaml.FullLoader)
        """,
        id="full YAML loader",
    ),
    pytest.param(
        "security-no-unsafe-deserialization",
        """\
        def double(x):
            return 2 * x
        """,
        id="nothing is loaded",
    ),
    pytest.param(
        "security-pinned-actions",
        """\
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          test:
            runs-on: ubuntu-latest
            steps:
              - uses: actions/checkout@v4
              - uses: codecov/codecov-action@v5
        """,
        id="tag",
    ),
    pytest.param(
        "security-pinned-actions",
        """\
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          test:
            runs-on: ubuntu-latest
            steps:
              - uses: codecov/codecov-action@1234abc
        """,
        id="short hash",
    ),
    pytest.param(
        "security-pinned-actions",
        """\
        # file: .github/dependabot.yml
        version: 2
        """,
        id="no workflow",
    ),
    pytest.param(
        "security-workflow-permissions",
        """\
        # file: .github/workflows/ci.yml
        on: [push]
        permissions: {}
        jobs:
          test:
            runs-on: ubuntu-latest
            steps:
              - run: pytest
        # file: .github/workflows/docs.yml
        on: [push]
        jobs:
          docs:
            steps:
              - run: mkdocs build
        """,
        id="one of two workflows",
    ),
    pytest.param(
        "security-workflow-permissions",
        """\
        # file: .github/workflows/ci.yml
        on: [push]
        permissions: {}
        jobs:
          test:
            runs-on: ubuntu-latest
            steps:
              - run: pytest
        # file: .github/workflows/docs.yml
        on: [push
        jobs: {
        """,
        id="workflow that cannot be read",
    ),
    pytest.param(
        "security-workflow-permissions",
        """\
        # file: pyproject.toml
        [tool.x]
        permissions = 'read'
        """,
        id="no workflow",
    ),
]


@pytest.mark.parametrize(("practice", "text"), HITS)
def test_present(practice: str, text: str) -> None:
    assert decided(practice, text).status == "present"


@pytest.mark.parametrize(("practice", "text"), MISSES)
def test_absent(practice: str, text: str) -> None:
    assert decided(practice, text).status == "absent"
