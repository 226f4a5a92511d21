"""The canonical form: what it changes, what it leaves, and that it means the same."""

from textwrap import dedent

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.pyproject.canonical import canonical
from audit.pyproject.guard import problems
from audit.pyproject.spelling import requirement
from tests.audit.pyproject.faults import faults


def form(text: str) -> str:
    return canonical(dedent(text).lstrip("\n"))


def same(text: str) -> bool:
    return form(text) == dedent(text).lstrip("\n")


# ------------------------------------------------------------------------- order
def test_tables_are_build_system_project_groups_others_tools() -> None:
    assert form("""
        [tool.b]
        x = 1
        [dependency-groups]
        [project.optional-dependencies]
        [project.urls]
        [other]
        [tool.a]
        [project]
        name = "x"
        [tool.b.c]
        [build-system]
        requires = []
    """).split("\n[")[0:] == [
        "[build-system]\nrequires = []",
        'project]\nname = "x"',
        "project.urls]",
        "project.optional-dependencies]",
        "dependency-groups]",
        "other]",
        "tool.b]\nx = 1",
        "tool.b.c]",
        "tool.a]\n",
    ]


def test_project_keys_follow_the_specification_and_comments_go_with_them() -> None:
    assert form("""
        [project]
        # The two are kept
        # in step.
        version = "1"  # by hand
        dynamic = []

        name = "x"
    """) == dedent("""\
        [project]
        name = "x"
        # The two are kept
        # in step.
        version = "1"  # by hand

        dynamic = []
    """)


def test_a_comment_between_blank_lines_heads_the_table_below_it() -> None:
    assert form("""
        [tool.a]
        x = 1
        # y = 2

        # -------- metadata

        [project]
        name = "x"
    """) == dedent("""\
        # -------- metadata

        [project]
        name = "x"

        [tool.a]
        x = 1
        # y = 2
    """)


def test_a_comment_at_the_top_with_a_blank_line_below_stays_at_the_top() -> None:
    text = form("# Copyright\n\n[tool.a]\n\n[project]\nname = 'x'\n")
    assert text == "# Copyright\n\n[project]\nname = 'x'\n\n[tool.a]\n"


def test_arrays_of_tables_keep_their_order() -> None:
    text = form("[[tool.a]]\nx = 1\n[tool.a.s]\n[build-system]\nrequires = []\n[[tool.a]]\nx = 2\n")
    assert (
        text == "[build-system]\nrequires = []\n[[tool.a]]\nx = 1\n[tool.a.s]\n[[tool.a]]\nx = 2\n"
    )


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[tool.z]\nb = 1\na = 2\n[tool.a]\n", id="tools and their keys"),
        pytest.param('[project]\nkeywords = ["b", "a"]\n', id="keywords"),
        pytest.param('[project]\nname = "My_Project"\n', id="the project's own name"),
        pytest.param('[project.scripts]\nB = "a:b"\nA = "a:a"\n', id="scripts"),
        pytest.param(
            '[project]\nlicense = { text = "mit" }\n', id="a licence that is no expression"
        ),
        pytest.param("[project.optional-dependencies]\nB_b = []\na = []\n", id="extras' names"),
        pytest.param('[tool.poetry.dependencies]\nFoo_Bar = "^1"\n', id="another tool's tables"),
        pytest.param("", id="an empty file"),
        pytest.param("# only a comment", id="a file without statements"),
        pytest.param('a = """\n[project]\n"""\n', id="a header inside a string"),
    ],
)
def test_left_alone(text: str) -> None:
    assert canonical(text) == text


# ------------------------------------------------------------------ requirements
@pytest.mark.parametrize(
    ("given_", "wanted"),
    [
        ("Foo_Bar.baz", "foo-bar-baz"),
        ("foo[B,a]", "foo[B,a]"),
        ("foo[b, a] >= 1", "foo[a,b]>=1"),
        ("foo <2, >= 1.0", "foo>=1.0,<2"),
        ("foo (>=1)", "foo>=1"),
        ("foo!=1.5,<2,>=1", "foo>=1,!=1.5,<2"),
        ("foo==1.0.*", "foo==1.0.*"),
        ("foo===any", "foo===any"),
        ('foo;python_version<"3.12"', "foo; python_version < '3.12'"),
        ("foo @ https://a/b.whl ; os_name=='nt'", "foo @ https://a/b.whl ; os_name == 'nt'"),
        ("foo@git+https://a/b@v1#egg=foo", "foo @ git+https://a/b@v1#egg=foo"),
    ],
)
def test_requirement_spelling(given_: str, wanted: str) -> None:
    assert requirement(given_) == wanted
    assert requirement(wanted) == wanted


def test_requirements_are_sorted_everywhere_they_can_stand() -> None:
    text = form("""
        [build-system]
        requires = ["b", "A"]
        [project]
        name = "x"
        dependencies = ["b", "A"]
        optional-dependencies = { Dev = ["b", "A"] }
        [dependency-groups]
        test = ["b", { include-group = "dev" }, "A"]
        dev = ["b", "A"]
    """)
    assert text.count('["a", "b"]') == 4
    assert '[{ include-group = "dev" }, "a", "b"]' in text


def test_a_comment_beside_a_requirement_goes_with_it() -> None:
    assert (
        form("""
        [project]
        dependencies = [
            "b",  # for b
            "c"   # for c
            , "a",
            "d"
        ]
    """).count("# for")
        == 2
    )
    assert form("""
        [project]
        dependencies = [
            "b",  # for b
            "a",
        ]
    """) == dedent("""\
        [project]
        dependencies = [
            "a",
            "b",  # for b
        ]
    """)


def test_an_array_with_a_comment_line_keeps_its_order_but_is_respelt() -> None:
    text = form("""
        [project]
        dependencies = [
            # core
            "B_b",
            "a",
        ]
    """)
    assert '# core\n    "b-b",\n    "a",' in text


def test_quotes_stay_and_the_markers_quotes_fit_into_them() -> None:
    text = form("""
        [project]
        dependencies = ['A; os_name=="nt"', "B; os_name=='nt'", "C; os_name==\\"nt\\""]
    """)
    assert """['a; os_name == "nt"', "b; os_name == 'nt'", "c; os_name == 'nt'"]""" in text


def test_a_requirement_laid_out_over_lines_is_left_as_it_is() -> None:
    text = '[project]\ndependencies = [\n  """\\\n  Foo >=1 \\\n  """,\n]\n'
    assert canonical(text) == text


def test_a_licence_expression_gets_its_canonical_case() -> None:
    assert (
        form("[project]\nlicense = 'mit or  apache-2.0'")
        == "[project]\nlicense = 'MIT OR Apache-2.0'"
    )


def test_crlf_and_a_missing_last_line_end_stay() -> None:
    text = canonical("[tool.a]\r\nx = 1\r\n\r\n[project]\r\nversion = '1'\r\nname = 'x'")
    assert text == "[project]\r\nname = 'x'\r\nversion = '1'\r\n\r\n[tool.a]\r\nx = 1"


# ---------------------------------------------------------------------- properties
_NAMES = st.sampled_from(["Foo", "foo_bar", "a.b", "Zed", "numpy", "B-2"])
_REQUIREMENTS = st.builds(
    lambda name, extra, bounds, marker, quote: (
        quote + name + extra + bounds + marker.replace('"', "'" if quote == '"' else '"') + quote
    ),
    _NAMES,
    st.sampled_from(["", "[x]", "[z, A]"]),
    st.sampled_from(["", ">=1", " <2, >= 1.0", "==1.*", "~=1.4", "===x"]),
    st.sampled_from(["", '; os_name=="nt"', ' ; python_version < "3.12" and extra == "a"']),
    st.sampled_from("\"'"),
)
_GAPS = st.sampled_from(["", " ", "\n", "\n    ", "  # beside\n", "\n  # above\n  ", "\n\n"])


@st.composite
def _arrays(draw: st.DrawFn) -> str:
    rows = draw(st.lists(st.tuples(_REQUIREMENTS, _GAPS), max_size=5))
    end = draw(st.sampled_from(["", ",", ",\n", "\n", " # end\n"])) if rows else ""
    return f"[{draw(_GAPS)}" + ",".join(row + gap for row, gap in rows) + f"{end}]"


_OTHERS = st.sampled_from(
    ["1", "-1.5", "nan", "1979-05-27 07:32:00", "true", '"# no comment"', "'''\n[x]\n'''",
     '"""a\n"b\\""""', '{ a = 1, "b c" = [1, 2] }', "[\n  1, # one\n  [2],\n]"]
)  # fmt: skip
_TRIVIA = st.sampled_from(["", "\n", "\n\n", "# a\n", "# a\n\n", "\n# a\n", "\n# a\n# b\n\n# c\n"])
_TOOLS = ["a", "b.c", "b", '"q.r"', "b.d"]


@st.composite
def _documents(draw: st.DrawFn) -> str:
    """Write a valid project file in an untidy way."""
    project = draw(st.permutations(["name", "version", "description", "dependencies", "keywords"]))
    written = {
        "name": 'name = "x"', "version": "version = '1.0' # beside", "keywords": "keywords=['b' ]",
        "dependencies": f"dependencies = {draw(_arrays())}", "description": 'description="d"',
    }  # fmt: skip
    tables = {
        "[build-system]": ["build-backend = 'b'", f"requires = {draw(_arrays())}"],
        "[project]": [written[key] for key in project],
        "[project.optional-dependencies]": [f"Extra_1 = {draw(_arrays())}"],
        "[ project . urls ]": ["Home = 'https://x'"],
        "[dependency-groups]": [f"dev = {draw(_arrays())}"],
    } | {f"[tool.{name}]": [f"k{n} = {draw(_OTHERS)}" for n in range(2)] for name in _TOOLS}
    heads = draw(st.permutations(sorted(tables)))
    kept = [head for head in heads if head == "[project]" or draw(st.booleans())]
    lines = [row for head in kept for row in (head, *tables[head])]
    text = draw(_TRIVIA) + "".join(f"{line}\n{draw(_TRIVIA)}" for line in lines)
    text = text.rstrip("\n") if draw(st.booleans()) else text
    return text.replace("\n", "\r\n") if draw(st.booleans()) else text


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_documents())
def test_any_valid_document_keeps_its_meaning_its_comments_and_its_canonical_form(
    text: str,
) -> None:
    assert problems(text) == ()
    assert list(faults(text, canonical(text))) == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_documents(), st.randoms(use_true_random=False))
def test_any_damaged_document_is_judged_without_a_crash(text: str, random: object) -> None:
    at = random.randrange(len(text) + 1)  # type: ignore[attr-defined]
    damaged = text[:at] + random.choice("[\"'=\n}],.#\\") + text[at + 1 :]  # type: ignore[attr-defined]
    for one in problems(damaged):
        assert 1 <= one.line <= damaged.count("\n") + 1
        assert one.column >= 1
        assert one.says
