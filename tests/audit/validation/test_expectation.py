"""The grammar of expectations: what is known, what is refused, what is free text."""

import pytest

from audit.errors import AuditError
from audit.validation.expectation import clauses
from audit.validation.model import Clause
from audit.validation.parse import parse
from audit.validation.plan import plan


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("exit 0", [Clause("exit", "0")]),
        ("Exit 2", [Clause("exit", "2")]),
        ("no regressions", [Clause("exit", "0")]),
        ("valid JSON", [Clause("json")]),
        ("exit 0; stderr empty; valid JSON", [Clause("exit", "0"), Clause("empty", "", "stderr"), Clause("json")]),
        ("stdout contains a b", [Clause("contains", "a b")]),
        ("stderr contains `a; b`; exit 1", [Clause("contains", "a; b", "stderr"), Clause("exit", "1")]),
        ('stdout contains "a;b"', [Clause("contains", "a;b")]),
        ("stdout matches schema docs/s.json", [Clause("schema", "docs/s.json")]),
        ("`exit 0`; `stderr empty`", [Clause("exit", "0"), Clause("empty", "", "stderr")]),
        ("stdout contains `a` and `b`", [Clause("contains", "`a` and `b`")]),
        ("exit 0;", [Clause("exit", "0")]),
    ],
)  # fmt: skip
def test_what_is_known(words: str, expected: list[Clause]) -> None:
    assert clauses(words) == tuple(expected)


@pytest.mark.parametrize(
    "words",
    [
        "exit zero", "exit", "exit -1", "exti 0", "returns 0", "stdout nothing", "stdout is fine",
        "stderr", "sdterr empty", "valid YAML", "output contains x", "stdout matches docs/s.json",
        "exit 0; all well", "all well; stderr empty", "stdout contains",
    ],
)  # fmt: skip
def test_what_looks_structured_must_be_known(words: str) -> None:
    with pytest.raises(AuditError, match=r"unknown expectation '.*': known are exit N, no regr"):
        clauses(words)


@pytest.mark.parametrize(
    "words",
    [
        "no behaviour change; deprecation warnings allowed",
        "contracts aligned",
        "S1, S3, S4, S6 run; template hash embedded",
        "JSON schema and flows stable",
        "the exit code is stable",
        "existing 3 files are kept",
    ],
)
def test_what_is_free_text(words: str) -> None:
    assert clauses(words) == ()


def test_without_an_exit_code_success_is_expected() -> None:
    page = "| command | expected |\n|---|---|\n| a | valid JSON |\n| b | aligned |\n| c | exit 3 |"
    first, second, third = plan(parse("page.md", page))
    assert first.clauses == (Clause("exit", "0"), Clause("json"))
    assert second.clauses == (Clause("exit", "0"),)
    assert third.clauses == (Clause("exit", "3"),)
    assert [one.free for one in (first, second, third)] == [False, True, False]


def test_an_id_that_was_used_is_a_problem() -> None:
    page = "| id | command | expected |\n|---|---|---|\n| A | a | ok |\n| A | b | ok |"
    assert [one.problem for one in plan(parse("page.md", page))] == [
        "",
        "the id A is on line 3, too",
    ]


def test_a_shown_exit_code_frees_the_command_before_it() -> None:
    first, second = plan(parse("page.md", "```console\n$ false\nno\n$ echo $?\n1\n```"))
    assert first.clauses == (Clause("shown", "no"),)
    assert second.clauses == (Clause("exit", "0"), Clause("shown", "1"))
