"""Score for something: what implements, tests, documents or copies a practice moves its score.

The code that is mutated is real: this project's own runtime with its tests and pages. The
practices that it has not are mutated in the good examples of their pages, each inside a package.
"""

import ast
from collections.abc import Iterable, Iterator, Sequence

import pytest

from audit.model import PracticeResult
from audit.practices import registry
from audit.stages.capabilities import decide
from tests.audit.properties import audits
from tests.audit.properties.audits import BARE, CODE, Files


# ------------------------------------------------------------------------- mutation
def without(text: str, lines: Iterable[int]) -> str:
    """Return a module without the functions that hold some lines, or, where a line is in no
    function, without its statement."""
    tree, rows = ast.parse(text), text.splitlines(keepends=True)
    for first, last, indent in sorted({_extent(tree, line) for line in lines}, reverse=True):
        rows[first - 1 : last] = [f"{' ' * indent}pass\n"]
    return "".join(rows)


def _extent(tree: ast.Module, line: int) -> tuple[int, int, int]:
    """Return first and last line and the indentation of the outermost function around a line,
    methods of classes included, or of the statement there."""
    body: list[ast.stmt] = tree.body
    while True:
        found = next(one for one in body if _first(one) <= line <= (one.end_lineno or 0))
        if not isinstance(found, ast.ClassDef) or not _first(found.body[0]) <= line:
            return _first(found), found.end_lineno or 0, found.col_offset
        body = found.body


def _first(one: ast.stmt) -> int:
    decorators = getattr(one, "decorator_list", [])
    return min(int(each.lineno) for each in (one, *decorators))


def removed(files: Files, result: PracticeResult) -> dict[str, str]:
    """Return the files without the functions that the evidence of a practice is in."""
    places: dict[str, set[int]] = {}
    for one in result.evidence:
        places.setdefault(one.path, set()).add(one.line)
    return {**files, **{path: without(files[path], places[path]) for path in places}}


def decided(files: Files, practices: Sequence[registry.Practice]) -> tuple[PracticeResult, ...]:
    """Return the decisions about some practices."""
    return decide(audits.repository(files), practices)


def mutants() -> Iterator[tuple[str, registry.Practice, dict[str, str]]]:
    """Yield every practice that is present in real code, that code without it; then each
    practice in a package around its page's example, without it."""
    real = {path: text for path, text in audits.own().items() if not path.startswith("tests/")}
    for practice, before in zip(CODE, decided(real, CODE), strict=True):
        if before.status == "present":
            yield "runtime", practice, removed(real, before)
    for practice in CODE:
        files = {**BARE, **audits.example(practice)}
        (before,) = decided(files, [practice])
        assert before.status == "present", practice.id
        yield "example", practice, removed(files, before)


def test_removing_what_implements_a_practice_is_noticed() -> None:
    noticed: list[str] = []
    missed: list[str] = []
    for where, practice, files in mutants():
        (after,) = decided(files, [practice])
        (noticed if after.status != "present" else missed).append(f"{practice.id} ({where})")
    practices = {one.partition(" ")[0] for one in (*noticed, *missed)}
    assert len(practices) >= 60
    assert sum("runtime" in one for one in (*noticed, *missed)) >= 40
    assert len(noticed) >= 0.95 * (len(noticed) + len(missed)), missed


# --------------------------------------------------------------------- components
@pytest.mark.parametrize("name", ["checkpointing", "tokenization", "training-engine"])
def test_removing_the_tests_lowers_the_tests_component(name: str) -> None:
    before = audits.capability(audits.own_matrix(), name)
    files = {path: text for path, text in audits.own().items() if not path.startswith("tests/")}
    after = audits.capability(audits.audited(files), name)
    assert after.components.tests == 0 < before.components.tests
    assert after.score < before.score


@pytest.mark.parametrize("name", ["checkpointing", "tokenization", "training-engine"])
def test_removing_the_pages_lowers_documentation(name: str) -> None:
    before = audits.capability(audits.own_matrix(), name)
    files = {path: text for path, text in audits.own().items() if not path.endswith(".md")}
    after = audits.capability(audits.audited(files), name)
    assert after.components.documentation == 0 < before.components.documentation
    assert after.score < before.score


@pytest.mark.parametrize("name", ["checkpointing", "tokenization", "training-engine"])
def test_pasting_a_duplicate_lowers_consistency(name: str) -> None:
    before = audits.capability(audits.own_matrix(), name)
    files = dict(audits.own())
    pasted = "\n\n".join(_bodies(files, before.practices))
    after = audits.capability(
        audits.audited({**files, "codex_ml/training/pasted.py": pasted}), name
    )
    assert after.components.consistency < before.components.consistency


def _bodies(files: Files, rows: Iterable[PracticeResult]) -> Iterator[str]:
    """Yield the modules that hold evidence, without what must stand at a module's start."""
    for path in sorted({one.path for row in rows for one in row.evidence if one.code}):
        yield files[path].replace("from __future__ import annotations\n", "")
