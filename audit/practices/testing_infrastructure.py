"""Testing: a suite, in CI, parametrized, end to end, separable, with coverage."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from audit.code.modules import Module
from audit.facts.model import Call, Definition
from audit.practices import pipelines, runs, settings
from audit.practices.registry import Place, in_file, of_key, practice
from audit.practices.training_tests import trains
from audit.repository import Repository

MIN_TESTS: Final = 5
_TEST_FILE: Final = re.compile(r"(^|/)(test_[^/]*|tests?|[^/]*_tests?)\.py$")
_TEST_NAME: Final = re.compile(r"(^|\.)test\w*$")
_LITERAL: Final = re.compile(r"^(True|False|None|'.*'|[\d.]+|builtins\.True)$")


def _place(module: Module, line: int, says: str, symbol: str = "") -> Place:
    """Return a place in a test: tests are judged as files, nothing has to reach them."""
    return Place(module.path, line, says, -1, symbol or module.dotted)


def _broadest(repo: Repository, found: Iterable[tuple[Module, Place]]) -> Iterator[Place]:
    """Yield one place a module: suites beside the packages before those in them, then the
    modules that use most of the product: where somebody who asks would be sent first."""
    first: dict[str, tuple[Module, Place]] = {}
    for module, place in found:
        first.setdefault(module.path, (module, place))
    shipped = {module.path.partition("/")[0] for module in repo.product}
    owner, edges = repo.program.owner, repo.graph.edges

    def rank(row: tuple[Module, Place]) -> tuple[bool, int, str]:
        module = row[0]
        nodes = range(module.first, module.first + len(module.facts.definitions))
        used = {
            owner[one].path for node in nodes for one in edges[node] if owner[one].role == "product"
        }
        return module.path.partition("/")[0] in shipped, -len(used), module.path

    for _, place in sorted(first.values(), key=rank):
        yield place


def _calls(
    repo: Repository, says: str, wanted: Callable[[Call], bool]
) -> Iterator[tuple[Module, Place]]:
    """Yield the calls in tests that a rule wants."""
    for module in repo.tests:
        for call in module.facts.calls:
            if wanted(call):
                yield module, _place(module, call.line, says)


def _tests(module: Module) -> list[Definition]:
    """Return the test functions of a module that call or check something."""
    facts = module.facts
    busy = {call.scope for call in facts.calls if call.decorates < 0}
    busy |= {
        one.scope
        for one in facts.raises
        if one.block >= 0 and not _LITERAL.match(facts.blocks[one.block].text)
    }
    return [
        one
        for place, one in enumerate(facts.definitions)
        if one.kind == "function"
        and place in busy
        and _TEST_NAME.search(one.name)
        and facts.definitions[one.parent].kind != "function"
    ]


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
    found = [(module, _tests(module)) for module in repo.tests if _TEST_FILE.search(module.path)]
    if sum(len(tests) for _, tests in found) >= MIN_TESTS:
        yield from _broadest(
            repo,
            (
                (
                    module,
                    _place(module, tests[0].line, f"{len(tests)} test functions", tests[0].name),
                )
                for module, tests in found
                if tests
            ),
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
    "rule subTest ddt data".split()
)
_PARAMETRIZED: Final = re.compile(
    r"^((@metafunc|pytest\.mark|torch\.testing\._internal\.common_utils)\.parametrize"
    r"|(parameterized|absl\.testing|hypothesis|ddt)\b.*)$"
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
    yield from _broadest(repo, _calls(repo, "the test runs over several cases", _is_parametrized))


def _is_parametrized(call: Call) -> bool:
    name = call.names[0]
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
        yield from _broadest(
            repo, ((module, _place(module, line, says)) for module, line, says in found)
        )


# ----------------------------------------------------------------------- markers
_BUILTIN_MARKS: Final = frozenset(
    "parametrize usefixtures filterwarnings xfail asyncio anyio skip tryfirst trylast hookwrapper "
    "vcr django_db dependency order run timeout flaky benchmark no_cover".split()
)
_SKIPS: Final = frozenset(
    {
        "pytest.mark.skipif",
        "unittest.skipIf",
        "unittest.skipUnless",
        "pytest.skip",
        "pytest.importorskip",
    }
)
_MARKERS: Final = re.compile(r"pytest(\.ini_options)?\.markers(\[\d+\])?$")
_HOOKS: Final = frozenset(
    {"pytest_collection_modifyitems", "pytest_runtest_setup", "pytest_ignore_collect"}
)
_CHOOSES: Final = re.compile(
    r"\.(add_marker|getoption|getvalue|iter_markers|get_closest_marker|getenv|pop|deselected)$"
    r"|^pytest\.skip$|^os\.environ"
)
_SELECTS: Final = re.compile(r"(^|\s)(-m|--ignore|--deselect|-k)[ =]")
_HEAVY: Final = re.compile(
    r"cuda|gpu|is_available|device_count|environ|getenv|find_spec|rocm|npu|tpu|xpu|mps|platform"
    r"|distributed|bf16|slow|network|online|version|_available|has_",
    re.IGNORECASE,
)


@practice(
    "test-markers",
    looks_for="markers, conditional skips or selections that separate slow, GPU or network tests",
    code=False,
)
def test_markers(repo: Repository) -> Iterator[Place]:
    """Heavy tests can be left out of a run.

    Why:
        A suite that needs an hour and two GPUs is not run before a push.
    Fix:
        Declare markers (``slow``, ``gpu``) in pytest's options, mark tests, and deselect by default.
    Good:
        # file: pyproject.toml
        [tool.pytest.ini_options]
        markers = ["slow: takes more than a minute"]
        # file: tests/test_fit.py
        import pytest

        @pytest.mark.slow
        def test_fit():
            assert fit()
    Bad:
        # file: tests/test_fit.py
        import pytest

        @pytest.mark.parametrize("size", [1, 2])
        def test_fit(size):
            assert fit(size)
    """
    for file in settings.own(repo, *settings.PYTEST_FILES):
        for key in settings.leaves(file):
            if _MARKERS.search(key.path):
                yield of_key(file, key, f"marker {key.value.strip()[:60]}")
    yield from _selection_hooks(repo)
    skips = list(_calls(repo, "tests are skipped where they cannot run", _separates))
    yield from (place for module, place in skips if not _TEST_FILE.search(module.path))
    yield from _broadest(repo, (*skips, *_marked(repo)))
    for step in runs.test_steps(repo):
        if _SELECTS.search(step.text):
            yield step.place(f"CI selects tests: {step.text[:60]}")


def _separates(call: Call) -> bool:
    """Tell whether a call skips by hardware, package, system or environment."""
    if call.names[0] not in _SKIPS:
        return False
    return any(_HEAVY.search(one) for one in (*call.args, *(value for _, value in call.kwargs)))


def _selection_hooks(repo: Repository) -> Iterator[Place]:
    """Yield pytest's hooks that choose tests by marker, option or environment."""
    for module in repo.tests:
        for place, one in enumerate(module.facts.definitions):
            if one.name in _HOOKS:
                for call in module.facts.calls:
                    if call.scope == place and _CHOOSES.search(call.names[0]):
                        yield _place(module, one.line, "chooses which tests run", one.name)
                        break


def _marked(repo: Repository) -> Iterator[tuple[Module, Place]]:
    """Yield tests with a marker of the project's own, or a decorator that requires something."""
    for module in repo.tests:
        for one in module.facts.definitions:
            for decorator in one.decorators:
                own = decorator.partition("pytest.mark.")[2].partition("(")[0]
                if own and own != "skipif" and own not in _BUILTIN_MARKS:
                    yield module, _place(module, one.line, f"marked {own}", one.name)
                elif re.search(r"[.:](require\w*|slow\w*|skip_?(if|unless)\w*)(\(|$)", decorator):
                    says = f"under a condition: {decorator[:50]}"
                    yield module, _place(module, one.line, says, one.name)


# ---------------------------------------------------------------------- coverage
_COVERAGE_ACTIONS: Final = (
    "codecov/codecov-action",
    "coverallsapp/",
    "py-cov-action/",
    "orgoro/coverage",
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
    for step in pipelines.steps(repo):
        if step.kind == "command" and _measures(step.text):
            yield step.place(f"CI measures coverage: {step.text[:60]}")
    for step in pipelines.using(repo, *_COVERAGE_ACTIONS):
        yield step.place(f"CI reports coverage: {step.text[:60]}")
    for file, line in pipelines.automation(repo):
        if _measures(line.text):
            yield in_file(file, line.line, f"measures coverage: {line.text[:60]}", line.text[:60])


def _measures(text: str) -> bool:
    return bool(re.search(r"\s--cov\b(?!-report-only)|\bcoverage run\b", text))
