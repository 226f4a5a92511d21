"""What the specifications do not allow in [project] and in groups: the place, and a cure."""

from pathlib import Path

import pytest

from audit.pyproject.guard import problems

VALID = '[project]\nname = "x"\nversion = "1"\n'


@pytest.mark.parametrize(
    ("row", "column", "says"),
    [
        ("description = 'a\\nb'".replace("'", '"'), 1, "shorten it to one"),
        ("description = 1", 1, "(got int): write one text in quotes"),
        ("readme = 'x.exe'", 1, "content-type ="),
        ("readme = { file = 'a.md' }", 1, '"content-type": add it'),
        ("readme = { file = 'a', text = 'b', content-type = 'c' }", 1, "give one of the two"),
        ("license = { file = 'a', text = 'b' }", 1, "give one of the two"),
        ("license = 1", 1, "write one text in quotes"),
        ("license-files = 'a'", 1, "write an array"),
        ("license-files = ['a', '../b']", 23, "below the project's folder"),
        ("license-files = ['/a']", 18, "below the project's folder"),
        ("license-files = ['a[']", 18, "no pattern of files"),
        ("authors = 'me'", 1, "write an array"),
        ("authors = ['me']", 12, "write a table"),
        ("authors = [{ name = 'n', mail = 'm' }]", 12, "remove them"),
        ("authors = [{}]", 12, "give one of the two"),
        ("keywords = [1]", 13, "write one text in quotes"),
        ("urls = []", 1, "write a table"),
        (f"urls = {{ {'x' * 33} = 'https://x' }}", 1, "shorten the name"),
        ("scripts = { a = 'module' }", 13, "'module' names no function"),
        ("gui-scripts = { a = 'b c:d' }", 17, "package.module:main"),
        ("entry-points = { console_scripts = {} }", 18, "move it to [project.scripts]"),
        ("entry-points = { 'a b' = {} }", 1, "rename it"),
        ("dependencies = ['a>>1']", 17, "string 'a>>1': Expected "),
        ("optional-dependencies = { 'a b' = [] }", 27, "'a b' is no name"),
        ("optional-dependencies = { a_b = [], A-B = [] }", 37, "A-B and a_b are the same name"),
        ("dynamic = 'version'", 1, 'write ["version"]'),
        ("dynamic = ['name']", 12, "remove it"),
        ("import-names = ['a b']", 1, "package.module"),
    ],
)
def test_what_is_refused(row: str, column: int, says: str) -> None:
    (found,) = problems(f"{VALID}{row}\n")
    assert (found.line, found.column) == (4, column)
    assert says in found.says


def test_license_files_need_an_expression() -> None:
    (found,) = problems(VALID + "license = { text = 'MIT' }\nlicense-files = ['a']\n")
    assert (found.line, "or remove license-files" in found.says) == (5, True)


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ("[dependency-groups]\na = [{ include-group = 'b' }]\n", (2, 6), "no group b"),
        ("[dependency-groups]\na = [{ include = 'a' }]\n", (2, 6), "correct the key"),
        ("[dependency-groups]\na = [{ include-group = 'A' }]\n", (2, 6), "includes this group again"),
        ("[dependency-groups]\na = ['b', 1]\n", (2, 11), "1 is no requirement"),
        ("[dependency-groups]\na_b = []\na-b = []\n", (3, 1), "the same name: merge the two"),
        ("[build-system]\nrequires = ['a', {}]\n", (2, 18), "{} is no requirement"),
        ("[build-system]\nrequires = []\nbackend-path = '.'\n", (3, 1), 'write ["."]'),
        ("tool = 1\n", (1, 1), "write [tool.NAME]"),
    ],
)  # fmt: skip
def test_other_tables(text: str, place: tuple[int, int], says: str) -> None:
    (found,) = problems(text)
    assert (found.line, found.column) == place
    assert says in found.says


def test_groups_that_include_each_other_in_a_ring_are_each_named() -> None:
    ring = "".join(f"{a} = [{{ include-group = '{b}' }}]\n" for a, b in ("ab", "bc", "ca"))
    assert [one.line for one in problems("[dependency-groups]\n" + ring)] == [2, 3, 4]


@pytest.mark.parametrize(
    "rows",
    [
        "readme = { file = 'R.txt', content-type = 'text/plain' }",
        "license = { file = 'COPYING' }",
        "license = 'MIT'\nlicense-files = ['LICEN[CS]E*', 'docs/**/NOTICE', 'Third Party.txt']",
        "scripts = { a = 'b.c:d.e', 'x y' = 'b : c' }",
        "entry-points = { pytest11 = { x = 'module' } }",
        "optional-dependencies = { A_b = ['c'], d = [] }",
        "import-names = ['a', 'a.b; private']",
        "[dependency-groups]\na = [{ include-group = 'B_c' }, 'd']\nb-c = []",
    ],
)
def test_what_is_accepted(rows: str) -> None:
    assert problems(f"{VALID}{rows}\n") == ()


def test_no_file_outside_of_the_document_is_read_without_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("LICENSE", "R.md"):
        (tmp_path / name).mkdir()  # to read one would fail
    assert problems(VALID + "readme = 'R.md'\nlicense = { file = 'LICENSE' }\n") == ()
