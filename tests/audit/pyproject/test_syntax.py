"""Each way to break TOML has its place and its own cure, whatever the parser calls it."""

import pytest

from audit.pyproject.guard import problems


@pytest.mark.parametrize(
    ("text", "place", "cure"),
    [
        ("a = [1\n", (2, 1), "close it with ]"),
        ("a = [\n  'b'\n  'c'\n]\n", (3, 3), "put a comma between the elements"),
        ("a = {b = 1\n", (1, 11), "on the line that it begins on"),
        ("a = {b = 1 c = 2}\n", (1, 12), "put a comma between the keys"),
        ("a = {b = 1,}\n", (1, 12), "remove the comma before it"),
        ("a = {\nb = 1}\n", (1, 6), "write an inline table on one line"),
        ("a: 1\n", (1, 2), "write key = value"),
        ("a = 1, # x\n", (1, 6), "remove the comma"),
        ("a = [1]]\n", (1, 8), "remove the bracket"),
        ("]\n", (1, 1), "remove the bracket"),
        ("[]\n", (1, 2), "name the table"),
        ("[a\n", (1, 3), "close the table's name"),
        ("a = 1\rb = 2\n", (1, 6), "LF or CRLF"),
        ("a = 1 b = 2\n", (1, 7), "put each key on a line of its own"),
        ("a = 01\n", (1, 6), "correct the number"),
        ("a = 2020-13-01\n", (1, 9), "put text in quotes"),
        ("a = True\n", (1, 5), "lower case"),
        ("a = None\n", (1, 5), "leave the key out"),
        ("a = “x”\n", (1, 5), "straight quotes"),
        ("a = x\n", (1, 5), "put text in quotes"),
        ("a = \n", (1, 5), "give the key a value"),
        ("a =", (1, 4), "give the key a value"),
        ("a = [1,,2]\n", (1, 8), "put a value before it"),
        ("é = 1\n", (1, 1), "put the name in quotes"),
        ("a. = 1\n", (1, 4), "write a name there"),
        ("a = 'x\nb = 'y'\n", (1, 7), "close the quotes on the line"),
        ("a = 'x", (1, 7), "close the quotes"),
        ('a = """x', (1, 9), "close the quotes"),
        ('a = "\\u12"\n', (1, 8), "hexadecimal digits"),
        ('a = "\\ud800"\n', (1, 12), "hexadecimal digits"),
        ('a = "C:\\pip"\n', (1, 10), "use single quotes"),
        ("a = 1 # \x02\n", (1, 9), "remove it"),
        ("<<<<<<< HEAD\n", (1, 1), "resolve the merge conflict"),
        ("a.b = 1\na = 2\n", (2, 6), "rename one of them"),
        ("a = []\n[[a]]\n", (2, 4), "rename one of them"),
        ("[a]\nb = 1\n[a.b]\n", (3, 1), "keep one"),
        ("[a]\n[a]\n", (2, 1), "merge the two"),
    ],
)
def test_the_cure_fits_what_stands_there(text: str, place: tuple[int, int], cure: str) -> None:
    (found,) = problems(text)
    assert (found.line, found.column) == place
    assert cure in found.says.rpartition(": ")[2]
