"""The guard: what is refused, where, and with which cure; and what is not."""

from pathlib import Path

import pytest

from audit.pyproject.guard import problems

VALID = '[project]\nname = "x"\nversion = "1"\n'


@pytest.mark.parametrize(
    ("text", "line", "column", "says"),
    [
        pytest.param("[project\n", 1, 9, "close the table's name", id="an open bracket"),
        pytest.param("name = x\n", 1, 8, "put text in quotes", id="a value without quotes"),
        pytest.param('a = "x\nb = 1', 1, 7, "illegal character", id="an open string"),
        pytest.param("a = [1,\n", 2, 1, "close the bracket", id="an open array"),
        pytest.param("a = 1 b = 2\n", 1, 7, "on a line of its own", id="two keys on a line"),
        pytest.param('a = "\\d"\n', 1, 8, "double it", id="a lone backslash"),
        pytest.param("justakey\n", 1, 9, "write key = value", id="a key without a value"),
        pytest.param("a = " + "[" * 5000, 1, 1, "nested deeper", id="a tower of brackets"),
        pytest.param("a = 1\nb = " + "[" * 150 + "]" * 150, 2, 105, "flatten", id="a lower one"),
    ],
)
def test_invalid_toml(text: str, line: int, column: int, says: str) -> None:
    (found,) = problems(text)
    assert (found.line, found.column) == (line, column)
    assert says in found.says


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("[a]\nx = 1\n[a]\n", 3, "the table a is given twice, first at line 1: merge the two"),
        ("[a.b]\n[c]\n[ 'a' . b ]\n", 3, "the table a.b is given twice, first at line 1"),
        ("[a]\nx = 1\ny = 2\nx = 3\n", 4, "the key a.x is given twice, first at line 2: keep one"),
        ("a = { x = 1, x = 2 }\n", 1, "the key a.x is given twice"),
        ("[[a]]\n[a.b]\n[[a]]\n[a.b]\nx = 1\nx = 2\n", 6, "the key a[1].b.x is given twice"),
        ("a.b = 1\n[a]\n", 2, "Cannot declare ('a',) twice"),
    ],
)
def test_tables_and_keys_given_twice_name_both_places(text: str, line: int, says: str) -> None:
    (found,) = problems(text)
    assert found.line == line
    assert says.casefold() in found.says.casefold()


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        pytest.param(
            VALID + "[project.urls]\nHome = 'https://x'\ndependencies = ['a']\n",
            6,
            "dependencies stands below [project.urls]",
            id="dependencies below urls",
        ),
        pytest.param(
            VALID + "[project.scripts]\nx = 'a:b'\nreadme = 'R.md'\n",
            6,
            "readme stands below [project.scripts]",
            id="readme below scripts",
        ),
        pytest.param(
            VALID + "[project.optional-dependencies]\nversion = '1'\n",
            5,
            "move it up",
            id="version below extras",
        ),
        pytest.param(
            "[build-system]\nrequires = []\n[dependencies]\n",
            3,
            "outside [project]",
            id="a table of its own",
        ),
        pytest.param(
            "name = 'x'\n[tool.a]\n", 1, "name stands outside [project]", id="name above all tables"
        ),
        pytest.param("[build_system]\nrequires = []\n", 1, "[build-system]?", id="underscore"),
        pytest.param("[projects]\nname = 'x'\n", 1, "[project]?", id="plural"),
        pytest.param(
            VALID + "requires_python = '>=3'\n", 4, "use requires-python", id="underscore in a key"
        ),
        pytest.param(
            VALID + "install_requires = []\n", 4, "use dependencies", id="setuptools' name"
        ),
        pytest.param(
            VALID + "build-backend = 'x'\n",
            4,
            "[build-system] build-backend",
            id="backend in project",
        ),
        pytest.param(VALID + "zzz = 1\n", 4, "[tool] table", id="a key that nobody knows"),
        pytest.param(
            "[build-system]\nbuild-backend = 'x'\n", 1, "lacks requires", id="no requires"
        ),
        pytest.param(
            "[build-system]\nrequires = ['a >>1']\n", 2, "PEP 508", id="a bad build requirement"
        ),
        pytest.param(
            "[dependency-groups]\na = ['ok', 'b c']\n",
            2,
            "'b c' is no requirement",
            id="a bad group",
        ),
        pytest.param("[dependency-groups]\na = 'b'\n", 2, "no array", id="a group that is text"),
        pytest.param("[project]\nversion = '1'\n", 1, "name", id="no name"),
        pytest.param("[project]\nname = 'x'\n", 1, "version", id="no version"),
        pytest.param(
            "[project]\nname = 'x'\nversion = 'one'\n", 3, "write it like 1.2.3", id="version"
        ),
        pytest.param(VALID + "requires-python = '3.x.y'\n", 4, '">=3.11"', id="requires-python"),
        pytest.param(
            VALID + "dependencies = [\n 'a',\n 'b c']\n", 6, "PEP 508", id="the element's own line"
        ),
        pytest.param(
            VALID + "dependencies = 'a'\n", 4, "expecting list", id="dependencies as text"
        ),
        pytest.param(VALID + "license = 'my own'\n", 4, "SPDX", id="no licence expression"),
        pytest.param(VALID + "dynamic = ['version']\n", 3, "remove it", id="dynamic and given"),
        pytest.param("project = 1\n", 1, "project", id="project is a number"),
    ],
)
def test_valid_toml_that_is_no_project(text: str, line: int, says: str) -> None:
    found = problems(text)
    assert [one.line for one in found if says in one.says] == [line], found


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="an empty file"),
        pytest.param("[tool.poetry]\nname = 'x'\n", id="no project table"),
        pytest.param("[mystery]\nx = 1\n", id="a table of another standard"),
        pytest.param(VALID + "[project.urls]\nversion = 'https://x'\n", id="a link called version"),
        pytest.param(VALID + "[project.scripts]\nname = 'a:b'\n", id="a command called name"),
        pytest.param(
            VALID + "[project.optional-dependencies]\nurls = ['a']\n", id="an extra called urls"
        ),
        pytest.param(
            VALID + "readme = 'no.md'\nlicense-files = ['no*']\n", id="files are not looked for"
        ),
        pytest.param(
            VALID + "license = 'MIT'\nclassifiers = ['License :: OSI Approved :: MIT License']\n",
            id="a licence classifier beside the expression, which PEP 639 leaves to the builder",
        ),
    ],
)
def test_accepted(text: str) -> None:
    assert problems(text) == ()


def test_with_a_folder_the_files_it_names_must_be_there(tmp_path: Path) -> None:
    text = VALID + "readme = 'no.md'\nlicense-files = ['LICENSE*']\n"
    assert [one.line for one in problems(text, tmp_path)] == [4, 5]
    for name in ("no.md", "LICENSE"):
        tmp_path.joinpath(name).write_text("words")
    assert problems(text, tmp_path) == ()


def test_every_problem_is_reported_once_and_in_order() -> None:
    found = problems("[project]\nname = 'x y'\nversion = 'one'\nreqs = 1\n")
    assert [(one.line, one.column) for one in found] == [(2, 1), (3, 1), (4, 1)]
