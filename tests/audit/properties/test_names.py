"""No score for a name: whatever only mentions a practice raises none above `declared`.

Each way of mentioning is tried on a package without any practice, one practice after the
other, and on this project's own runtime, all practices at once. What is mentioned is the
practice's id, its definition and the whole good example of its page.
"""

from collections.abc import Callable

import pytest

from audit.practices import registry
from tests.audit.properties import audits
from tests.audit.properties.audits import BARE, CODE, PRACTICES, Files

MOST = 0.005
"""What a mention may move a capability's score by."""
Way = Callable[[registry.Practice, str], dict[str, str]]


def _words(practice: registry.Practice) -> str:
    return f"{practice.id}: {practice.prose.title}. {practice.present_if} {practice.looks_for}"


def _mention(practice: registry.Practice) -> str:
    return f"{_words(practice)}\n\n{practice.prose.good}"


def _comment(practice: registry.Practice, module: str) -> dict[str, str]:
    text = "".join(f"# {row}\n" for row in _mention(practice).splitlines())
    return {module: f"\n\n{text}"}


def _docstring(practice: registry.Practice, module: str) -> dict[str, str]:
    name = practice.id.replace("-", "_")
    return {
        module: f"\n\ndef describe_{name}() -> None:\n    {_mention(practice)!r}\n",
        f"{module.rpartition('/')[0]}/about_{name}.py": f"{_mention(practice)!r}\n",
    }


def _string(practice: registry.Practice, module: str) -> dict[str, str]:
    return {module: f"\n\n{practice.id.replace('-', '_').upper()} = {_mention(practice)!r}\n"}


def _sentence(practice: registry.Practice, module: str) -> dict[str, str]:
    return {"README.md": f"\n\nThis package does {_words(practice)}\n"}


def _empty_file(practice: registry.Practice, module: str) -> dict[str, str]:
    folder, name = module.rpartition("/")[0], practice.id.replace("-", "_")
    return {
        f"{folder}/named/{name}.py": "",
        f"docs/named/{name}.md": "",
        f"tests/named/test_{name}.py": "",
    }


def _dead_function(practice: registry.Practice, module: str) -> dict[str, str]:
    code = audits.sources(practice)
    dead = audits.as_dead_function(practice.id, code)
    compile(dead, practice.id, "exec")  # the example must be code here too, or nothing is tried
    return {module: dead}


WAYS: dict[str, Way] = {
    "comment": _comment,
    "docstring": _docstring,
    "string": _string,
    "sentence": _sentence,
    "empty-file": _empty_file,
    "dead-function": _dead_function,
}


def added(files: Files, more: dict[str, str]) -> dict[str, str]:
    """Return the files with texts put at their ends."""
    return {**files, **{path: files.get(path, "") + text for path, text in more.items()}}


@pytest.mark.parametrize("way", WAYS)
def test_a_mention_in_a_package_without_practices(way: str) -> None:
    before, wrong = audits.audited(BARE), {}
    for practice in CODE if way == "dead-function" else PRACTICES:
        after = audits.audited(added(BARE, WAYS[way](practice, "sums/add.py")))
        if found := audits.raised(before, after) or audits.moved(before, after, MOST):
            wrong[practice.id] = found
    assert not wrong


@pytest.mark.parametrize("way", WAYS)
def test_mentions_of_everything_in_real_code(way: str) -> None:
    files = dict(audits.own())
    for practice in CODE if way == "dead-function" else PRACTICES:
        files = added(files, WAYS[way](practice, "codex_ml/training/__init__.py"))
    before, after = audits.own_matrix(), audits.audited(files)
    assert not audits.raised(before, after)
    found = audits.moved(before, after, MOST)
    if way == "dead-function":  # an unsafe load is unsafe in dead code too: it may lower a score
        old, new = found.pop("safety-security", (0.0, 0.0))
        assert new <= old
    assert not found
