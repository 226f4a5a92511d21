"""Fingerprints: the same through layout, place and file name; different where the code is."""

import ast
import textwrap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.clones import stream
from audit.fingerprints import logical_line, stamp
from audit.model import Evidence, PracticeResult

CALLS = (
    "torch.save(model.state_dict(), 'a.pt')",
    "optimizer.step()",
    "run(a, b, *rest, key=[1, 2])",
)


def contents(text: str) -> str:
    return logical_line(stream(text), next(n for n, row in enumerate(text.split("\n"), 1) if row))


def finger(text: str, line: int, *, path: str, symbol: str, practice: str = "train-loop") -> str:
    evidence = Evidence(path, line, symbol, "says")
    row = PracticeResult(practice, "functionality", "present", "wired", (evidence,), "", "")
    (found,) = stamp([row], {path: stream(text)})
    return found.evidence[0].fingerprint


@pytest.mark.parametrize(
    "other",
    [
        "x = save(\n    a,\n    b,\n)\n",
        "x = (\n    save(a, b)\n)\n",
        "x = save(a, b)  # why\n",
        "x = \\\n  save(a,b)\n",
    ],
    ids=["split call", "wrapped in brackets", "comment", "continued"],
)
def test_layout_is_no_content(other: str) -> None:
    assert contents("x = save(a, b)\n") == contents(other)


def test_what_is_called_is_content() -> None:
    assert contents("x = save(a)\n") != contents("x = load(a)\n")


def test_a_line_inside_a_statement_names_the_statement() -> None:
    text = "x = outer(\n    inner(1),\n    other(2),\n)\n"
    flat = "x = outer(inner(1), other(2))\n"
    assert finger(text, 3, path="a.py", symbol="a:f") == finger(flat, 1, path="a.py", symbol="a:f")


@settings(deadline=None)
@given(
    st.integers(0, 5),
    st.lists(st.sampled_from(["", "# note", "y = other(3)"]), max_size=6),
    st.sampled_from(["pkg/a.py", "elsewhere/b.py"]),
    st.sampled_from(CALLS),
)
def test_moving_indenting_and_renaming_the_file_keep_it(
    depth: int, before: list[str], path: str, call: str
) -> None:
    here = finger(call, 1, path="pkg/a.py", symbol="pkg.a:Loop.fit")
    lines = ["if True:" + " pass" * (not depth), *before] if not depth else before
    text = "\n".join([*lines, textwrap.indent(call, "    " * depth)])
    dotted = path.removesuffix(".py").replace("/", ".")
    moved = finger(text, len(lines) + 1, path=path, symbol=f"{dotted}:Loop.fit")
    assert moved == here


@settings(deadline=None)
@given(st.sampled_from(CALLS))
def test_reformatting_by_the_parser_keeps_it(call: str) -> None:
    assert contents(ast.unparse(ast.parse(call))) == contents(call)


def test_another_practice_or_function_is_another() -> None:
    call = CALLS[0]
    one = finger(call, 1, path="a.py", symbol="a:f")
    assert finger(call, 1, path="a.py", symbol="a:g") != one
    assert finger(call, 1, path="a.py", symbol="a:f", practice="checkpoint-save") != one
