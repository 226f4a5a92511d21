"""Data files: JSON with comments is read where a program reads it so, and refused elsewhere."""

import pytest

from audit.facts import data
from audit.facts.kinds import kind_of

EDITORS = """{
    // what the container is
    "image": "https://example.org/python:3", /* a
    comment */ "features": {"a": ["x, ]", "//y",],},
}
"""


def test_comments_and_trailing_commas_are_no_keys() -> None:
    keys = {one.path: (one.line, one.value) for one in data.jsonc(EDITORS.encode()).keys}
    assert keys == {
        "image": (3, "https://example.org/python:3"),
        "features": (4, ""),
        "features.a": (4, ""),
        "features.a[0]": (4, "x, ]"),
        "features.a[1]": (4, "//y"),
    }


@pytest.mark.parametrize("text", [EDITORS, '{"a": 1,}', '{"a": 1} // b'])
def test_plain_json_has_neither(text: str) -> None:
    with pytest.raises(ValueError, match="line"):
        data.json(text.encode())


@pytest.mark.parametrize("text", ['{"a" 1}', '{"a": 1,,}', "{,,}"])
def test_what_is_broken_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="line"):
        data.jsonc(text.encode())


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("tsconfig.json", "jsonc"),
        ("web/tsconfig.build.json", "jsonc"),
        ("jsconfig.json", "jsonc"),
        (".devcontainer.json", "jsonc"),
        (".devcontainer/devcontainer.json", "jsonc"),
        (".vscode/settings.json", "jsonc"),
        ("a.jsonc", "jsonc"),
        ("package.json", "json"),
        ("my-tsconfig.json", "json"),
        ("vscode/settings.json", "json"),
    ],
)
def test_the_name_says_whether_comments_are_read(path: str, kind: str) -> None:
    assert kind_of(path) == kind
