"""Documents → contracts: what is one, what is malformed, what is none."""

import pytest

from audit.validation.parse import parse


def rows(text: str) -> list[tuple[str, str, str]]:
    return [(one.id, one.command, one.expected) for one in parse("page.md", text)]


def problems(text: str) -> list[str]:
    return [one.problem for one in parse("page.md", text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("| id | command | expected |\n|---|---|---|\n| A-1 | `x y` | exit 0 |", ("A-1", "x y", "exit 0")),
        ("| Command | Expected |\n|---|---|\n| `x` | exit 0 |", ("line 3", "x", "exit 0")),
        ("| COMMAND | why | Expectation |\n|---|---|---|\n| `x` | so | fine |", ("line 3", "x", "fine")),
        ("command | expected\n--- | ---\nx | exit 0", ("line 3", "x", "exit 0")),
        ("| command | expected |\n|---|---|\n| `a \\| b` | stdout contains `\\|` |", ("line 3", "a | b", "stdout contains `|`")),
        ("- item\n\n  | command | expected |\n  |---|---|\n  | `x` | exit 0 |", ("line 5", "x", "exit 0")),
        ("> | command | expected |\n> |---|---|\n> | `x` | exit 0 |", ("line 3", "x", "exit 0")),
        ("| command | expected |\r\n|---|---|\r\n| `x` | exit 0 |\r\n", ("line 3", "x", "exit 0")),
        ("| id | command | expected |\n|---|---|---|\n| `A` | `` echo `x` `` | ok |", ("A", "echo `x`", "ok")),
    ],
    ids=["with id", "without", "another column", "no outer pipes", "a pipe in a cell", "in a list",
         "in a quotation", "CRLF", "backticks in a command"],
)  # fmt: skip
def test_a_table_with_a_command_and_an_expectation_is_a_matrix(
    text: str, expected: tuple[str, str, str]
) -> None:
    assert rows(text) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "| command | does |\n|---|---|\n| `x` | y |",
        "| expected |\n|---|\n| exit 0 |",
        "```text\n| command | expected |\n|---|---|\n| `x` | exit 0 |\n```",
        "<!--\n| command | expected |\n|---|---|\n| `x` | exit 0 |\n-->",
        "```bash\n$ x\n```",
        "A command is expected | to hold.",
    ],
    ids=["other columns", "no command", "a fence", "a comment", "a bash block", "prose"],
)
def test_what_is_no_contract(text: str) -> None:
    assert parse("page.md", text) == ()


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("| A | `x` |", "the row has 2 cells, the header 3"),
        ("| A | `x` | exit 0 | y |", "the row has 4 cells, the header 3"),
        ("| A | | exit 0 |", "the command is empty"),
        ("| A | `x` | |", "the expectation is empty"),
        ("| A | run `x` | exit 0 |", "one command in backticks"),
        ("| A | `x` or `y` | exit 0 |", "one command in backticks"),
    ],
    ids=["too few cells", "too many", "no command", "no expectation", "words around", "two"],
)
def test_a_malformed_row_is_a_problem_and_the_others_are_not(row: str, says: str) -> None:
    bad, good = problems(f"| id | command | expected |\n|---|---|---|\n{row}\n| B | `y` | exit 0 |")
    assert says in bad
    assert good == ""


@pytest.mark.parametrize("delimiter", ["", "|---|\n", "|---|---|---|\n"])
def test_a_matrix_that_markdown_does_not_see_is_a_problem(delimiter: str) -> None:
    (problem,) = problems(f"| command | expected |\n{delimiter}| `x` | exit 0 |")
    assert "must be |---|---|" in problem


def test_a_console_block_is_commands_with_their_output() -> None:
    text = """```console
$ one
$ two \\
    --more
out

$ cat > f <<'EOF'
> $ inner
> EOF
$ four  # why
a
b
```"""
    found = parse("page.md", text)
    assert [(one.line, one.command, one.expected) for one in found] == [
        (2, "one", ""),
        (3, "two \\\n    --more", "out"),
        (7, "cat > f <<'EOF'\n$ inner\nEOF", ""),
        (10, "four  # why", "a\nb"),
    ]
    assert all(one.console for one in found)


def test_an_exit_code_that_is_shown_is_meant() -> None:
    found = parse("page.md", "```console\n$ false\n$ echo $?\n1\n```")
    assert [one.status_shown for one in found] == [True, False]


def test_a_console_block_without_a_prompt_is_a_problem() -> None:
    assert problems("```console\nout\n```") == ["the block must begin with '$ ' and a command"]


def test_contracts_come_in_the_order_of_the_page() -> None:
    text = "```console\n$ a\n```\n\n| command | expected |\n|---|---|\n| b | ok |\n\n```console\n$ c\n```"
    assert [command for _, command, _ in rows(text)] == ["a", "b", "c"]
