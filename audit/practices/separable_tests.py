"""Testing: heavy tests can be left out."""

import re
from collections.abc import Iterator
from typing import Final

from audit.code.modules import Module
from audit.facts.model import Call
from audit.practices import runs, settings
from audit.practices.registry import Place, of_key, practice
from audit.practices.suites import TEST_FILE, broadest, calls, place_in, tests_of
from audit.repository import Repository

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
_SELECTS: Final = re.compile(r"(^|\s)(-m|--ignore|--deselect|-k)[ =]|(^|\s)--(without|skip|no)-")
_HEAVY_FOLDER: Final = re.compile(
    r"(?<![^/])((integration|e2e|end[-_]to[-_]end|functional|gpu|multi_?gpu|slow|regression|nightly|large)s?"
    r"([-_]?tests?)?)(?=/)"
)
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

    By markers, conditional skips, options that select, or a folder of their own
    (``tests/integration``, ``tests/gpu``) beside light tests.

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
    skips = list(calls(repo, "tests are skipped where they cannot run", _separates))
    yield from (place for module, place in skips if not TEST_FILE.search(module.path))
    yield from broadest(repo, (*skips, *_marked(repo)))
    for file, key in settings.pytest_options(repo):
        if _SELECTS.search(key.value):
            yield of_key(file, key, f"pytest selects tests: {key.value[:60]}")
    for step in runs.test_steps(repo):
        argv = step.runs(*runs.RUNNERS)
        if argv and _SELECTS.search(" ".join(argv[1:])):
            yield step.place(f"CI selects tests: {step.text[:60]}")
    yield from _apart(repo)


def _apart(repo: Repository) -> Iterator[Place]:
    """Yield the first test of each folder that keeps heavy tests from the others."""
    folders: dict[str, Place] = {}
    light = False
    for module in repo.tests:
        tests = tests_of(module) if TEST_FILE.search(module.path) else []
        if tests:
            heavy = _HEAVY_FOLDER.search(module.path)
            light = light or not heavy
            if heavy:
                place = place_in(module, tests[0].line, f"heavy tests are in {heavy[0]}", heavy[0])
                folders.setdefault(heavy[0], place)
    yield from folders.values() if light else ()


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
                        yield place_in(module, one.line, "chooses which tests run", one.name)
                        break


def _own_mark(text: str) -> str:
    """Return the first marker of the project's own in a text, else nothing."""
    names = re.findall(r"pytest\.mark\.(\w+)", text)
    return next((one for one in names if one != "skipif" and one not in _BUILTIN_MARKS), "")


def _marked(repo: Repository) -> Iterator[tuple[Module, Place]]:
    """Yield tests with a marker of the project's own, or a decorator that requires something."""
    for module in repo.tests:
        for mark in module.facts.assigns:
            if mark.target.endswith("pytestmark") and (own := _own_mark(mark.value)):
                yield module, place_in(module, mark.line, f"all are marked {own}")
        for one in module.facts.definitions:
            for decorator in one.decorators:
                if own := _own_mark(decorator):
                    yield module, place_in(module, one.line, f"marked {own}", one.name)
                elif re.search(
                    r"[.:](require\w*|slow\w*|skip_?(if|unless)\w*|[Rr]un_?[Ii]f"
                    r"|(multi_?)?(gpu|cuda|tpu|npu)_?(test|only)\w*)(\(|$)",
                    decorator,
                ):
                    says = f"under a condition: {decorator[:50]}"
                    yield module, place_in(module, one.line, says, one.name)
