"""Testing: a suite, in CI, parametrized, end to end, with coverage."""

import re
from collections.abc import Iterator
from typing import Final

from audit.facts.model import Call
from audit.practices import pipelines, runs, settings
from audit.practices.registry import Place, in_file, of_key, practice
from audit.practices.suites import TEST_FILE, broadest, calls, place_in, tests_of
from audit.practices.training_tests import trains
from audit.repository import Repository

MIN_TESTS: Final = 5


@practice("test-suite", looks_for="at least five test functions that check something", code=False)
def test_suite(repo: Repository) -> Iterator[Place]:
    """There is a suite of automated tests.

    Functions that pytest or unittest would collect, and that call or assert something.

    Why:
        Without tests every change is a guess about everything it touches.
    Fix:
        Add ``tests/test_<module>.py`` files, beginning with what users call first.
    Good:
        # file: tests/test_scale.py
        from package import scale

        def test_one(): assert scale(1) == 2
        def test_zero(): assert scale(0) == 0
        def test_negative(): assert scale(-1) == -2
        def test_float(): assert scale(0.5) == 1
        def test_large(): assert scale(10**9) == 2 * 10**9
    Bad:
        # file: tests/test_scale.py
        def test_one(): pass
        def test_two(): assert True
        def test_three(): ...
        def test_four(): pass
        def test_five(): pass
        def test_six(): pass
    Limits:
        What the tests check, and how well, is not judged; `test-coverage` and the tests
        component of a score say more.
    """
    found = [(module, tests_of(module)) for module in repo.tests if TEST_FILE.search(module.path)]
    if sum(len(tests) for _, tests in found) >= MIN_TESTS:
        yield from broadest(
            repo,
            (
                (
                    module,
                    place_in(module, tests[0].line, f"{len(tests)} test functions", tests[0].name),
                )
                for module, tests in found
                if tests
            ),
            of_subject=False,
        )


@practice(
    "test-in-ci", looks_for="a CI step that runs pytest, unittest, tox or a test script", code=False
)
def test_in_ci(repo: Repository) -> Iterator[Place]:
    """CI runs the tests.

    Why:
        Tests that run on one desk protect one desk.
    Fix:
        Add ``- run: python -m pytest`` to a workflow on pull requests.
    Good:
        # file: .github/workflows/ci.yml
        on: [pull_request]
        jobs:
          test:
            runs-on: ubuntu-latest
            steps:
              - run: uv run --extra test pytest -q
    Bad:
        # file: .github/workflows/ci.yml
        on: [pull_request]
        jobs:
          lint:
            runs-on: ubuntu-latest
            steps:
              - run: pip install pytest ruff
              - run: ruff check .
    Limits:
        Tests that an external service runs by its own configuration cannot be seen.
    """
    for step in runs.test_steps(repo):
        yield step.place(f"CI runs {step.text[:60]}")


# ------------------------------------------------------------------- parametrized
_PARAMETRIZERS: Final = frozenset(
    "parametrize expand parameters named_parameters product parameterized parameterized_class given "
    "rule subTest ddt data parametrize_with_checks variants".split()
)
_PARAMETRIZED: Final = re.compile(
    r"^((@metafunc|pytest\.mark|torch\.testing\._internal\.common_utils)\.parametrize"
    r"|sklearn\.utils\.estimator_checks\.\w+|chex\.variants|(parameterized|absl\.testing|hypothesis|ddt|pytest_cases)\b.*)$"
)


@practice(
    "test-parametrized",
    looks_for="pytest.mark.parametrize, parameterized, subTest, hypothesis in tests",
    code=False,
)
def test_parametrized(repo: Repository) -> Iterator[Place]:
    """Tests run over tables of cases or generated input.

    Why:
        One test over ten inputs is cheaper to read and to extend than ten copies of a test.
    Fix:
        Decorate with ``@pytest.mark.parametrize`` and give each case an id.
    Good:
        # file: tests/test_scale.py
        import pytest
        from package import scale

        @pytest.mark.parametrize("value", [0, 1, 2])
        def test_scale(value):
            assert scale(value) == 2 * value
    Bad:
        # file: tests/test_scale.py
        from package import scale

        def test_scale():
            for value in [0, 1, 2]:
                assert scale(value) == 2 * value
    """
    yield from broadest(repo, calls(repo, "the test runs over several cases", _is_parametrized))


def _is_parametrized(call: Call) -> bool:
    name = call.names[0]
    if name == "pytest.fixture" and call.keyword("params"):
        return True
    last = name.rpartition(".")[2]
    if last not in _PARAMETRIZERS or not (call.args or call.kwargs):
        return False
    return last == "subTest" or bool(_PARAMETRIZED.match(name))


# --------------------------------------------------------------------- end to end
@practice(
    "test-end-to-end",
    looks_for="a test that trains a model by the product's training code",
    code=False,
)
def test_end_to_end(repo: Repository) -> Iterator[Place]:
    """A test trains a small model for real.

    A test calls product code that runs backward and an optimizer step; or it runs a training
    script; or, where the product has no training code of its own, it trains with the product's
    parts.

    Why:
        Units can all be right while the loop that joins them does not learn.
    Fix:
        Train a model of a few thousand parameters for two steps on made-up data through the
        function that users call, and assert that the loss falls.
    Good:
        # file: package/__init__.py
        # file: package/loop.py
        def fit(model, batches, optimizer):
            for x, y in batches:
                loss = (model(x) - y).pow(2).mean()
                loss.backward()
                optimizer.step()
        # file: tests/test_fit.py
        from package.loop import fit

        def test_loss_falls(tiny, batches, optimizer):
            fit(tiny, batches, optimizer)
    Bad:
        # file: package/__init__.py
        # file: package/loop.py
        def fit(model, batches, optimizer):
            for x, y in batches:
                loss = (model(x) - y).pow(2).mean()
                loss.backward()
                optimizer.step()

        def shape(batches):
            return batches[0].shape
        # file: tests/test_fit.py
        from package.loop import shape

        def test_shape(batches):
            assert shape(batches) == (2, 3)
    Limits:
        Training that a test starts by a console command alone is not recognised.
    """
    for found in trains(repo):
        yield from broadest(
            repo, ((module, place_in(module, line, says)) for module, line, says in found)
        )


# ---------------------------------------------------------------------- coverage
_COVERAGE_ACTIONS: Final = (
    "codecov/codecov-action",
    "coverallsapp/",
    "py-cov-action/",
    "orgoro/coverage",
    "codacy/codacy-coverage",
    "irongut/codecoverage",
    "mishakav/pytest-coverage",
)


@practice(
    "test-coverage",
    looks_for="[tool.coverage], .coveragerc, --cov, coverage run, codecov configuration",
    code=False,
)
def test_coverage(repo: Repository) -> Iterator[Place]:
    """Coverage is measured.

    Why:
        What no test reaches is what breaks unseen; coverage is the list of it.
    Fix:
        Run ``pytest --cov=package`` in CI with a ``[tool.coverage]`` table.
    Good:
        # file: pyproject.toml
        [tool.pytest.ini_options]
        addopts = "-q --cov=package"
    Bad:
        # file: pyproject.toml
        [project]
        name = "package"
        version = "1"
        optional-dependencies = {test = ["pytest-cov"]}
    """
    says = "coverage is configured"
    yield from settings.places(settings.section(repo, "tool.coverage", "pyproject.toml"), says)
    yield from settings.places(settings.section(repo, "", ".coveragerc", ".coveragerc.toml"), says)
    for name in ("coverage:run", "coverage:report", "coverage:paths"):
        yield from settings.places(settings.section(repo, name, "setup.cfg", "tox.ini"), says)
    for file, key in settings.pytest_options(repo):
        if re.search(r"--cov\b", key.value):
            yield of_key(file, key, f"pytest measures coverage: {key.value[:60]}")
    names = ("codecov.yml", ".codecov.yml", "codecov.yaml", ".codecov.yaml")
    yield from settings.places(settings.section(repo, "", *names), "codecov is configured")
    for file, key in repo.keys_of(*names):
        if file.path.startswith(".github/") and key.value:
            yield of_key(file, key, "codecov is configured")
    yield from _measured(repo)


def _measured(repo: Repository) -> Iterator[Place]:
    """Yield the runs that measure coverage: in CI, in a Makefile, in a script."""
    ordered = sorted(pipelines.steps(repo), key=lambda step: runs.main_first(repo, step.file))
    for step in ordered:
        if step.kind == "command" and _measures(step.text):
            yield step.place(f"CI measures coverage: {step.text[:60]}")
    for step in pipelines.using(repo, *_COVERAGE_ACTIONS):
        yield step.place(f"CI reports coverage: {step.text[:60]}")
    for step in pipelines.running(repo, "codecov", "codecovcli", "coveralls"):
        yield step.place(f"CI reports coverage: {step.text[:60]}")
    for file, line in pipelines.automation(repo):
        if _measures(line.text):
            yield in_file(file, line.line, f"measures coverage: {line.text[:60]}", line.text[:60])


def _measures(text: str) -> bool:
    return bool(
        re.search(
            r"\s--(with-)?cov(erage)?\b(?!-report-only)|\bcoverage run\b|codecov\.io/bash", text
        )
    )
