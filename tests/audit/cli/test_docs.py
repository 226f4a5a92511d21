"""``docs``: the report, its forms, its exit codes."""

import json
from pathlib import Path

import jsonschema

from tests.audit.conftest import Run, write
from tests.audit.docs_truth.sample import project

SCHEMA = Path(__file__).parents[3] / "docs/schemas/documentation.schema.json"


def test_a_project_that_tells_the_truth_exits_with_0(tmp_path: Path, audit: Run) -> None:
    write(tmp_path / "sample", project())
    done = audit("docs", tmp_path / "sample")
    assert (done.returncode, done.stderr) == (0, "")
    assert "3 pages: " in done.stdout
    assert " 0 wrong, " in done.stdout


def test_a_wrong_claim_is_named_and_exits_with_1(tmp_path: Path, audit: Run) -> None:
    write(tmp_path / "sample", project({"docs/usage.md": (". --jobs 2", ". --job 2")}))
    done = audit("docs", tmp_path / "sample", "--format", "json")
    assert done.returncode == 1
    found = json.loads(done.stdout)
    jsonschema.validate(found, json.loads(SCHEMA.read_text()))
    (finding,) = found["findings"]
    assert finding["kind"] == "command"
    assert finding["nearest"] == "--jobs"


def test_a_page_cannot_write_to_the_terminal(tmp_path: Path, audit: Run) -> None:
    write(tmp_path / "sample", project({"docs/usage.md": (". --jobs 2", ". --job \x1b[31m")}))
    done = audit("docs", tmp_path / "sample")
    assert r"--job \x1b[31m" in done.stdout
    assert "\x1b" not in done.stdout


def test_a_folder_that_is_not_there_is_one_line(tmp_path: Path, audit: Run) -> None:
    done = audit("docs", tmp_path / "nowhere")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
