"""CI and CD: a pipeline that lints, releases and builds docs."""

import re
from collections.abc import Iterator
from typing import Final

from audit.facts.model import DataFacts, ScriptFacts
from audit.practices import checkers, pipelines, runs, settings
from audit.practices.pipelines import Step
from audit.practices.registry import Place, in_file, practice
from audit.repository import Repository
from audit.sites import File

# Commands that check nothing: a step of these alone is no pipeline.
_IDLE: Final = frozenset("true : echo exit ls pwd sleep printf cd set export env date".split())
_PREPARES: Final = frozenset("pip pip3 apt apt-get brew conda mamba".split())
# Actions that tend issues and pull requests, or that only prepare a job.
_HOUSEKEEPING: Final = re.compile(
    r"^(actions/(checkout|setup-|cache|stale|labeler|first-interaction|github-script|add-to-project"
    r"|upload-artifact|download-artifact|create-github-app-token)|dessant/|lee-dohm/|peter-evans/"
    r"|pascalgn/|release-drafter/|eps1lon/|mergify|toshimaru/|probot/|slackapi/|astral-sh/setup-uv)"
)
_TALK: Final = frozenset(
    "issues issue_comment discussion discussion_comment watch fork label pull_request_review".split()
)


@practice("ci-workflow", looks_for="CI definitions with a step that does something", code=False)
def ci_workflow(repo: Repository) -> Iterator[Place]:
    """A pipeline is defined in the repository.

    A definition counts when it runs a command or an action that works on the code; bots that
    tend issues, and steps that only echo, do not.

    Why:
        What is not run on every change stops working without anybody noticing.
    Fix:
        Add a workflow that installs the package and runs its checks on every pull request.
    Good:
        # file: .github/workflows/ci.yml
        on: [push, pull_request]
        jobs:
          test:
            runs-on: ubuntu-latest
            steps:
              - uses: actions/checkout@v4
              - run: pip install -e .[dev]
              - run: pytest
    Bad:
        # file: .github/workflows/stale.yml
        on:
          schedule: [{cron: "0 1 * * *"}]
        jobs:
          stale:
            runs-on: ubuntu-latest
            steps:
              - uses: actions/stale@v9
              - run: echo done
    Limits:
        CI that is configured on a service alone, outside the repository, cannot be seen.
    """
    seen: set[str] = set()
    for step in (*runs.test_steps(repo), *filter(_works, pipelines.steps(repo))):
        if step.file.path not in seen and not _only_talks(step.file):
            seen.add(step.file.path)
            yield step.place("CI runs " + step.text.splitlines()[0][:60])
    for file in repo.named("jenkinsfile"):
        if isinstance(file.facts, ScriptFacts) and file.path not in seen:
            yield in_file(file, 1, "a Jenkins pipeline")


def _works(step: Step) -> bool:
    if step.kind == "action":
        return not _HOUSEKEEPING.match(step.text.lower()) and not step.text.startswith("./")
    heads = {argv[0] for argv in step.argvs}
    return heads.isdisjoint(_PREPARES) and bool(heads - _IDLE)


def _only_talks(file: File) -> bool:
    """Tell whether nothing but issues and comments starts a GitHub workflow."""
    events = set(pipelines.triggers(file))
    return bool(events) and events <= _TALK


# -------------------------------------------------------------------------- lint
_CHECKERS: Final = (*checkers.LINTERS, *checkers.FORMATTERS, *checkers.TYPE_CHECKERS)
_LINT_COMMANDS: Final = (
    *(command for one in _CHECKERS for command in one.commands),
    "pre-commit run", "prek run", "prek", "lintrunner", "reviewdog", "isort", "usort", "codespell", "pydocstyle",
    "interrogate", "ruff", "hatch fmt",
)  # fmt: skip
_LINT_ACTIONS: Final = (
    *(action for one in _CHECKERS for action in one.actions),
    "pre-commit/action", "pre-commit-ci/", "j178/prek-action", "tox-dev/action-pre-commit-uv",
    "super-linter/", "github/super-linter", "reviewdog/", "isort/isort-action", "rickstaa/action-black",
    "codespell-project/", "crate-ci/typos", "wemake-services/", "lgeiger/black-action", "cclauss/", "trunk-io/",
)  # fmt: skip


@practice(
    "ci-lint",
    looks_for="a CI step that runs a linter, formatter, type checker or pre-commit",
    code=False,
)
def ci_lint(repo: Repository) -> Iterator[Place]:
    """CI runs the linter.

    Why:
        A rule that only some desks check is a rule that the main branch breaks.
    Fix:
        Run ``pre-commit run --all-files`` (or ``ruff check`` and ``ruff format --check``) in CI.
    Good:
        # file: scripts/quality.sh
        ruff check src
        ruff format --check src
        # file: .github/workflows/quality.yml
        on: [pull_request]
        jobs:
          quality:
            runs-on: ubuntu-latest
            steps:
              - run: bash scripts/quality.sh
    Bad:
        # file: pyproject.toml
        [tool.ruff.lint]
        select = ["E"]
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          test:
            runs-on: ubuntu-latest
            steps:
              - run: pip install ruff pytest
              - run: pytest
    Limits:
        pre-commit.ci counts where the pre-commit file holds its settings (``ci:``).
    """
    for step in (
        *pipelines.running(repo, *_LINT_COMMANDS),
        *pipelines.using(repo, *_LINT_ACTIONS),
        *pipelines.reusing(
            repo, r"(^|[-_])(lint|linting|code[-_]?(style|quality)|pre[-_]commit|mypy)\b"
        ),
        *_linting_tests(repo),
    ):
        yield step.place(f"CI runs {step.text.splitlines()[0][:60]}")
        if step.origin != step.file.path:
            yield Place(step.origin, 1, f"{step.text[:60]}, which CI runs", -1, step.text[:60])
    if any(True for _ in settings.hooks(repo)):
        yield from settings.places(
            settings.section(repo, "ci", *settings.HOOK_FILES), "pre-commit.ci runs the hooks"
        )


_PYTEST_LINT: Final = re.compile(
    r"--(ruff(-format)?|black|mypy|flake8|flakes|pylint|pycodestyle|pep8|codestyle|isort)(?![\w-])"
)


def _linting_tests(repo: Repository) -> Iterator[Step]:
    """Yield the test runs of CI that lint by a plugin of pytest (``--ruff``, ``--mypy``)."""
    always = any(_PYTEST_LINT.search(key.value) for _, key in settings.pytest_options(repo))
    for step in pipelines.running(repo, "pytest", "py.test"):
        if always or _PYTEST_LINT.search(step.text):
            yield step


# ----------------------------------------------------------------------- release
_PUBLISH_COMMANDS: Final = (
    "twine upload", "poetry publish", "uv publish", "flit publish", "hatch publish", "pdm publish",
    "maturin publish", "maturin upload", "docker push", "podman push", "semantic-release",
    "anaconda upload", "conda upload", "npm publish", "semantic-release publish", "skopeo copy", "executor --destination", "crane push",
)  # fmt: skip
_PUBLISH_ACTIONS: Final = (
    "pypa/gh-action-pypi-publish", "jrubics/poetry-publish", "etils-actions/pypi-auto-publish",
    "python-semantic-release/", "casperdcl/deploy-pypi",
    "pytorch/test-infra/.github/workflows/build_wheels", "relekang/",
    "lightning-ai/utilities/.github/workflows/pypi", "pyo3/maturin-action",
)  # fmt: skip


@practice(
    "ci-release", looks_for="a CI step that publishes a package or pushes an image", code=False
)
def ci_release(repo: Repository) -> Iterator[Place]:
    """CI publishes releases.

    Why:
        A release that CI builds from a tag is the tag; one from a laptop is whatever was on it.
    Fix:
        Add a workflow on tags that builds with ``python -m build`` and publishes by trusted
        publishing (``pypa/gh-action-pypi-publish``).
    Good:
        # file: .github/workflows/release.yml
        on:
          release:
            types: [published]
        jobs:
          pypi:
            runs-on: ubuntu-latest
            permissions:
              id-token: write
            steps:
              - uses: actions/checkout@v4
              - run: python -m build
              - uses: pypa/gh-action-pypi-publish@release/v1
    Bad:
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          build:
            runs-on: ubuntu-latest
            steps:
              - run: python -m build
              - run: twine check dist/*
    Limits:
        Release assets uploaded to GitHub alone are no published package.
    """
    for step in (
        *pipelines.using(repo, *_PUBLISH_ACTIONS),
        *pipelines.running(repo, *_PUBLISH_COMMANDS),
        *pipelines.reusing(repo, r"(^|[-_])(pypi|publish|release)(?![-_]?(draft|note))"),
        *_image_builds(repo),
    ):
        yield step.place(f"CI publishes: {step.text.splitlines()[0][:60]}")


def _image_builds(repo: Repository) -> Iterator[Step]:
    """Yield the steps that build an image and push it."""
    for step in pipelines.using(repo, "docker/build-push-action", "docker/bake-action"):
        if _with(step, "push") not in ("", "false"):
            yield step
    for step in pipelines.running(repo, "docker build", "docker buildx"):
        if any("--push" in argv for argv in step.argvs):
            yield step


def _with(step: Step, name: str) -> str:
    """Return an input of an action: the `with` key beside its `uses`."""
    assert isinstance(step.file.facts, DataFacts)
    keys = step.file.facts.keys
    uses = next(one for one in keys if one.line == step.line and one.path.endswith(".uses"))
    wanted = f"{uses.path.removesuffix('uses')}with.{name}"
    return next((one.value for one in keys if one.path == wanted), "")


# -------------------------------------------------------------------------- docs
_DOCS_COMMANDS: Final = (
    "mkdocs build", "mkdocs gh-deploy", "mike deploy", "sphinx-build", "sphinx", "sphinx-multiversion",
    "doc-builder build", "jupyter-book build", "pdoc", "pdoc3", "quarto render", "quarto publish",
    "make html", "make docs", "make doc", "make linkcheck", "lazydocs", "zensical build",
    "nbdev_docs", "jb build", "great-docs build", "jekyll build", "docusaurus build", "hugo", "mdbook build",
)  # fmt: skip
_DOCS_ACTIONS: Final = (
    "huggingface/doc-builder/.github/workflows/build_", "ammaraskar/sphinx-action",
    "readthedocs/actions", "quarto-dev/quarto-actions/render", "quarto-dev/quarto-actions/publish",
    "mhausenblas/mkdocs-deploy-gh-pages", "fastai/workflows/quarto-ghp", "fastai/workflows/nbdev-ghp",
    "actions/jekyll-build-pages", "peaceiris/actions-hugo",
    "lightning-ai/utilities/.github/workflows/check-docs", "sphinx-notes/pages",
)  # fmt: skip
_DOCUSAURUS: Final = ("docusaurus.config.js", "docusaurus.config.ts")
_SITE_BUILDS: Final = ("yarn build", "npm build", "pnpm build")
_READTHEDOCS: Final = (
    ".readthedocs.yml", ".readthedocs.yaml", "readthedocs.yml", "readthedocs.yaml"
)  # fmt: skip


@practice("ci-docs", looks_for="a CI step or a Read the Docs file that builds the docs", code=False)
def ci_docs(repo: Repository) -> Iterator[Place]:
    """CI builds the documentation.

    Why:
        A broken reference or a page that does not render is found by the change that broke it.
    Fix:
        Run ``mkdocs build --strict`` (or ``sphinx-build -W``) in CI, or add ``.readthedocs.yaml``.
    Good:
        # file: .github/workflows/docs.yml
        on: [push]
        jobs:
          docs:
            runs-on: ubuntu-latest
            steps:
              - run: uv run mkdocs build --strict
    Bad:
        # file: .github/workflows/ci.yml
        on: [push]
        jobs:
          links:
            runs-on: ubuntu-latest
            steps:
              - run: pip install mkdocs
              - uses: lycheeverse/lychee-action@v2
    Limits:
        A docs build that is set up on a hosting service alone cannot be seen.
    """
    for step in (
        *pipelines.running(repo, *_DOCS_COMMANDS),
        *pipelines.using(repo, *_DOCS_ACTIONS),
        *pipelines.reusing(repo, r"(^|[-_])(docs?|documentation|sphinx|mkdocs)([-_]|$)"),
    ):
        yield step.place(f"CI builds the docs: {step.text.splitlines()[0][:60]}")
    if any(repo.named(*_DOCUSAURUS)):
        for step in pipelines.running(repo, *_SITE_BUILDS):
            yield step.place(f"CI builds the docs: {step.text.splitlines()[0][:60]}")
    for prefix in ("sphinx", "mkdocs", "build.commands", "build.tools", "build.image", "python"):
        yield from settings.places(
            settings.section(repo, prefix, *_READTHEDOCS), "Read the Docs builds the docs"
        )
