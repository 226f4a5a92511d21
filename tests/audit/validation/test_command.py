"""``codex-audit validate``: exit codes, formats, and that reading a document never runs it."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema
import pytest

from audit.cli import main

SCHEMA = Path(__file__).parents[3] / "docs/schemas/validation.schema.json"
PAGE = """| id | command | expected |
|---|---|---|
| A | `touch made && echo '[1]'` | valid JSON |
| B | `{second}` | as it was |
"""


@pytest.fixture
def page(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    path = tmp_path / "page.md"
    path.write_text(PAGE.format(second="true"))
    return path


def test_without_execute_the_plan_is_printed_and_nothing_runs(
    page: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["validate", str(page)]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "planned  A         touch made && echo '[1]'\n                     valid JSON\n" in out
    assert "by its exit code: as it was" in out
    assert out.endswith("\n2 contracts; nothing was run: --execute runs them\n")
    assert not (page.parent / "made").exists()


def test_held_and_broken_are_exit_codes_0_and_1(
    page: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["validate", str(page), "--execute"]) == 0
    assert capsys.readouterr().out.endswith("\n2 of 2 contracts held, 0 broken\n")
    assert (page.parent / "made").exists()
    page.write_text(PAGE.format(second="echo one; echo two; exit 7"))
    assert main(["validate", str(page), "--execute", "--jobs", "2"]) == 1
    out = capsys.readouterr().out
    assert "line 4: exit 7, expected 0: two\n" in out
    assert f"\n{'':21}stdout:\n{'':23}one\n{'':23}two\n\n" in out
    assert out.endswith("\n1 of 2 contracts held, 1 broken\n")


def test_a_plan_that_cannot_be_run_is_exit_code_1(
    page: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page.write_text(PAGE.format(second="") + "\n")
    assert main(["validate", str(page)]) == 1
    assert "2 contracts, 1 of them cannot be run;" in capsys.readouterr().out


def test_json_matches_its_schema(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page.write_text(PAGE.format(second="echo one; exit 7"))
    for flags, states in (([], ["planned"] * 2), (["--execute"], ["held", "broken"])):
        main(["validate", str(page), "--format", "json", *flags])
        found = json.loads(capsys.readouterr().out)
        jsonschema.validate(found, json.loads(SCHEMA.read_text()))
        assert [one["status"] for one in found["contracts"]] == states
    assert (found["held"], found["broken"], found["contracts"][1]["exit_code"]) == (1, 1, 7)
    assert found["contracts"][1]["stdout"] == ["one"]


def test_junit_counts_and_holds_no_control_characters(
    page: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page.write_text(PAGE.format(second=r"printf '\033[31m<&' >&2; exit 7"))
    main(["validate", str(page), "--format", "junit", "--execute"])
    root = ET.fromstring(capsys.readouterr().out)  # noqa: S314 (our own)
    (suite,) = root
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("2", "1", "0")
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert failure.get("message") == r"exit 7, expected 0: \x1b[31m<&"
    assert failure.text == f"{failure.get('message')}\nstderr:\n  \\x1b[31m<&"


def test_text_holds_no_control_characters(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page.write_text(PAGE.format(second=r"printf '\033[31m' >&2; exit 7"))
    main(["validate", str(page), "--execute"])
    out = capsys.readouterr().out
    assert r"\x1b[31m" in out
    assert "\x1b" not in out


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"# Title\n", "states no contract: write a table"),
        (b"\xff", "byte 0 is not UTF-8"),
    ],
    ids=["missing", "no contract", "not UTF-8"],
)
def test_bad_input_is_one_line_and_exit_code_2(
    content: bytes | None, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "page.md"
    if content is not None:
        path.write_bytes(content)
    assert main(["validate", str(path), "--execute"]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert says in err


def test_a_timeout_of_nothing_is_refused(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", str(page), "--timeout", "0"]) == 2
    assert "--timeout" in capsys.readouterr().err
