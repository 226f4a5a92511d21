"""Documentation: examples that a machine runs."""

import re
from collections.abc import Iterator
from typing import Final

from audit.code.modules import Module
from audit.facts.model import Call, PythonFacts
from audit.practices import pipelines, settings
from audit.practices.ci_cd import ci_docs
from audit.practices.documentation import sphinx
from audit.practices.registry import Place, in_file, of_key, practice
from audit.practices.shell import argvs
from audit.repository import Repository

# -------------------------------------------------------------------------- tested
_DOC_OPTIONS: Final = re.compile(
    r"--(doctest-(modules|glob|plus|rst|cython|continue-on-failure|only)|nbmake|nbval(-lax)?|xdoctest"
    r"|xdoc|markdown-docs|codeblocks|phmdoctest|sybil|mktestdocs)\b"
)
_EXECUTORS: Final = frozenset((
    "doctest.testmod", "doctest.testfile", "doctest.DocTestSuite", "doctest.DocFileSuite",
    "doctest.DocTestRunner", "doctest.run_docstring_examples", "sybil.Sybil", "xdoctest.doctest_module",
    "mktestdocs.check_md_file", "mktestdocs.check_docstring", "pytest_examples.find_examples",
    "nbclient.NotebookClient", "testbook.testbook", "nbconvert.preprocessors.ExecutePreprocessor",
    "papermill.execute_notebook", "sybil.sybil.Sybil",
))  # fmt: skip
_DOC_COMMANDS: Final = (
    "doctest", "xdoctest", "make doctest", "phmdoctest", "treon", "nbdev_test", "nbval", "pytest_examples",
    "jupyter nbconvert --execute", "papermill", "codex-audit validate --execute", "codex-audit docs --execute",
)  # fmt: skip
_FENCE: Final = re.compile(r"```")
_PAGE: Final = re.compile(r"\.(md|rst)'|'README'", re.IGNORECASE)
_RUNS_TEXT: Final = frozenset({"builtins.exec", "builtins.eval", "runpy.run_path"})
_STARTS: Final = re.compile(r"^(subprocess\.\w+|os\.system)$")
_NOTEBOOKS: Final = re.compile(r"\bpapermill\b|\bnbconvert\b.*--execute")


@practice(
    "docs-tested",
    looks_for="doctest, sybil, mktestdocs, pytest-examples, nbmake or nbval in the test run or CI",
    code=False,
)
def docs_tested(repo: Repository) -> Iterator[Place]:
    """Examples in docs or docstrings are executed.

    By doctest or its kin in the test run, CI or a Makefile, by tests that execute the blocks
    of a page, by a script in CI that executes notebooks, or by nbdev.

    Why:
        An example is the part of the docs that is copied; it has to run.
    Fix:
        Add ``--doctest-modules`` (or ``--doctest-glob=*.md``) to pytest's options.
    Good:
        # file: pyproject.toml
        [tool.pytest.ini_options]
        addopts = "--doctest-modules --doctest-glob=README.md"
    Bad:
        # file: pyproject.toml
        [tool.pytest.ini_options]
        doctest_optionflags = "NORMALIZE_WHITESPACE"
    """
    for file, key in settings.pytest_options(repo):
        if _DOC_OPTIONS.search(key.value):
            yield of_key(file, key, f"pytest runs examples: {key.value[:60]}")
    for step in pipelines.steps(repo):
        if step.kind == "command" and (_executes_docs(step) or _by_script(repo, step)):
            yield step.place(f"CI runs examples: {step.text[:60]}")
    for step in pipelines.using(repo, "fastai/workflows/nbdev-ci"):
        yield step.place("CI runs the notebooks")
    yield from _executing_builds(repo)
    for module in repo.tests:
        for call in module.facts.calls:
            if not _EXECUTORS.isdisjoint(call.names) or _runs_page(module, call):
                yield Place(module.path, call.line, f"tests run {call.names[0]}", -1, module.dotted)
    for file, line in pipelines.automation(repo):
        starts = any(argv[0] in ("pytest", "py.test") for argv in argvs(line.text))
        if starts and _DOC_OPTIONS.search(line.text):
            yield in_file(file, line.line, f"runs examples: {line.text[:60]}", line.text[:60])


def _runs_page(module: Module, call: Call) -> bool:
    """Tell whether a call executes what a test reads from a page: at once, or as a program that
    is made of its fences."""
    runs = not _RUNS_TEXT.isdisjoint(call.names) or bool(_STARTS.match(call.names[0]))
    return runs and _reads(module, _PAGE) and _reads(module, _FENCE)


def _reads(module: Module, wanted: re.Pattern[str]) -> bool:
    calls = module.facts.calls
    return any(wanted.search(one) for call in calls for one in (*call.args, *call.names))


def _by_script(repo: Repository, step: pipelines.Step) -> bool:
    """Tell whether a step runs a script of the repository that executes notebooks or examples."""
    for argv in step.argvs:
        for file in repo.named(argv[0]) if argv[0].endswith(".py") else ():
            for call in file.facts.calls if isinstance(file.facts, PythonFacts) else ():
                if not _EXECUTORS.isdisjoint(call.names) or (
                    _STARTS.match(call.names[0]) and any(map(_NOTEBOOKS.search, call.args))
                ):
                    return True
    return False


_MODES: Final = re.compile(r"^'?(force|cache|auto|always)'?$")
_EXECUTING: Final = re.compile(r":(nb_execution_mode|jupyter_execute_notebooks|nbsphinx_execute)$")


def _executing_builds(repo: Repository) -> Iterator[Place]:
    """Yield the settings by which a build of the docs in CI executes notebooks or examples."""
    if not any(ci_docs(repo)):
        return
    for file, key in repo.keys_of("_config.yml"):
        if key.path == "execute.execute_notebooks" and _MODES.match(key.value):
            yield of_key(file, key, f"the build executes notebooks: {key.value}")
    for file in sphinx(repo):
        for one in file.facts.assigns if isinstance(file.facts, PythonFacts) else ():
            if _EXECUTING.match(one.target) and _MODES.match(one.value):
                yield in_file(file, one.line, f"the build executes notebooks: {one.value}")
            elif one.target == ":sphinx_gallery_conf" and _has_scripts(repo, one.value):
                yield in_file(file, one.line, "the build executes the gallery's examples")


def _has_scripts(repo: Repository, settings_text: str) -> bool:
    """Tell whether a folder of a gallery's settings holds Python files."""
    named = re.search(r"'examples_dirs': (\[[^\]]*\]|'[^']*')", settings_text)
    folders = re.findall(r"'[./]*([\w./-]+?)/?'", named[1]) if named else []
    return any(
        path.endswith(".py") and any(f"/{folder}/" in f"/{path}" for folder in folders)
        for path in repo.files
    )


def _executes_docs(step: pipelines.Step) -> bool:
    if step.runs("pytest", "py.test") and _DOC_OPTIONS.search(step.text):
        return True
    if argv := step.runs("sphinx-build"):
        return "doctest" in argv
    return bool(step.runs(*_DOC_COMMANDS))
