"""Templates: hashed, sandboxed, and their errors named."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from audit import templates
from audit.errors import ConfigError


def test_the_hash_covers_names_and_bytes() -> None:
    one = {"a.j2": b"x", "b.j2": b"y"}
    assert templates.digest(one) == templates.digest(dict(reversed(one.items())))
    assert (
        len(
            {
                templates.digest(t)
                for t in (one, {"a.j2": b"y", "b.j2": b"x"}, {"a.j2": b"xb.j2y"}, {})
            }
        )
        == 4
    )


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (b"{{ x.__class__.__mro__ }}", "access to attribute"),
        (b"{{ missing }}", "'missing' is undefined"),
        (b"\n{% if %}", r"t.j2:2"),
        (b"{% include 'other.j2' %}", "other.j2"),
        (b"{{ 1 / 0 }}", "division by zero"),
        (b"{{ rows.append(1) }}", "append.*is unsafe"),
    ],
    ids=["attributes", "undefined", "syntax", "missing include", "arithmetic", "mutation"],
)
def test_a_bad_template_is_one_clear_error(source: bytes, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        templates.render({"t.j2": source}, "t.j2", {"x": 1, "rows": []})


def test_an_override_replaces_its_namesake_only(tmp_path: Path) -> None:
    (tmp_path / "matrix.md.j2").write_text("mine")
    found = templates.load(tmp_path)
    assert found["matrix.md.j2"] == b"mine"
    assert found["matrix.html.j2"] == templates.load()["matrix.html.j2"]


HOSTILE = st.text(alphabet="|`<>[]()*_#\\!&\"'\n\ra ", max_size=30)


@given(HOSTILE)
def test_a_cell_stays_one_cell_whatever_it_says(words: str) -> None:
    table = f"| a | b |\n|---|---|\n| {templates.markdown(words)} | {templates.code(words)} |\n"
    tokens = MarkdownIt("commonmark").enable("table").parse(table)
    assert sum(token.type == "td_open" for token in tokens) == 2
    assert not any(
        child.type in ("html_inline", "link_open", "image")
        for token in tokens
        for child in token.children or ()
    )


@given(HOSTILE)
def test_html_escapes_what_it_is_given(words: str) -> None:
    found = templates.render(
        {"t.html.j2": b'<p title="{{ x }}">{{ x }}</p>'}, "t.html.j2", {"x": words}
    )
    assert found.count("<") == found.count(">") == 2
