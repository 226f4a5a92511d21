"""``codex-audit`` as its users meet it: processes, streams, exit codes, files."""

import json
import os
import re
from pathlib import Path

import jsonschema
import pytest

from tests.audit.conftest import Git, Run, write

ROOT = Path(__file__).parents[3]


def test_run_prints_the_matrix_on_stdout_and_nothing_else(sample: Path, audit: Run) -> None:
    done = audit("run", sample)
    assert done.returncode == 0
    assert done.stderr == ""
    assert done.stdout.startswith("sample at ")
    assert max(len(line) for line in done.stdout.splitlines()) <= 80
    assert "\x1b" not in done.stdout


def test_json_is_alone_on_stdout_and_fits_the_published_schema(sample: Path, audit: Run) -> None:
    done = audit("run", sample, "--format", "json")
    matrix = json.loads(done.stdout)
    assert done.stderr == ""
    schema = json.loads((ROOT / "docs/schemas/capability_matrix.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(matrix)
    assert matrix["source"]["root_name"] == "sample"


def test_every_present_practice_has_a_place_that_exists(sample: Path, audit: Run) -> None:
    matrix = json.loads(audit("run", sample, "--format", "json").stdout)
    present = [
        p for c in matrix["capabilities"] for p in c["practices"] if p["status"] == "present"
    ]
    assert {"train-loop", "checkpoint-save", "checkpoint-train-state"} <= {p["id"] for p in present}
    for practice in present:
        assert practice["evidence"], practice["id"]
        for one in practice["evidence"]:
            lines = (sample / one["path"]).read_text().splitlines()
            assert 1 <= one["line"] <= max(len(lines), 1), one
            assert one["says"]


def test_out_writes_reports_artefacts_and_a_manifest_that_verifies(
    sample: Path, audit: Run, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    done = audit("run", sample, "--out", out)
    assert [line.split()[0] for line in done.stderr.splitlines()][:6] == [
        "S1",
        "S2",
        "S3",
        "S4",
        "S5",
        "S6",
    ]
    manifest = json.loads((out / "manifest.json").read_text())
    for suffix in ("md", "html", "json"):
        assert (
            manifest["template_hash"] in (out / f"reports/capability_matrix.{suffix}").read_text()
        )
    assert audit("verify", out).returncode == 0
    report = out / "reports/capability_matrix.md"
    report.write_text(report.read_text().replace("Mean", "mean"))
    done = audit("verify", out)
    assert done.returncode == 1
    assert done.stdout.startswith("reports/capability_matrix.md: SHA-256")


def test_fast_runs_four_stages(sample: Path, audit: Run, tmp_path: Path) -> None:
    done = audit("run", sample, "--fast", "--out", tmp_path / "out")
    assert [line.split()[0] for line in done.stderr.splitlines()][:4] == ["S1", "S3", "S4", "S6"]
    assert not (tmp_path / "out/audit_artifacts/gaps.json").exists()


def test_single_stages_write_what_a_run_writes(sample: Path, audit: Run, tmp_path: Path) -> None:
    audit("run", sample, "--out", tmp_path / "run")
    for stage in ("S1", "S2", "S3", "S4", "S5", "S6"):
        assert audit("stage", stage, sample, "--out", tmp_path / "stages").returncode == 0
    for one in (tmp_path / "run").rglob("*.*"):
        if one.is_file():
            other = tmp_path / "stages" / one.relative_to(tmp_path / "run")
            assert one.read_bytes() == other.read_bytes(), one


def test_a_stage_names_the_artefact_it_lacks(sample: Path, audit: Run, tmp_path: Path) -> None:
    done = audit("stage", "S4", sample, "--out", tmp_path / "out")
    assert done.returncode == 2
    assert "context_index.json: missing: run stage S1 first" in done.stderr


def test_artefacts_of_another_tree_are_refused(sample: Path, audit: Run, tmp_path: Path) -> None:
    audit("stage", "S1", sample, "--out", tmp_path / "out")
    (sample / "new.py").write_text("x = 1\n")
    done = audit("stage", "S3", sample, "--out", tmp_path / "out")
    assert done.returncode == 2
    assert "is of another tree: run stage S1 again" in done.stderr


def test_a_run_into_the_tree_does_not_audit_its_own_reports(sample: Path, audit: Run) -> None:
    first = audit("run", sample, "--format", "json", "--out", sample)
    second = audit("run", sample, "--format", "json", "--out", sample)
    assert json.loads(first.stdout)["source"] == json.loads(second.stdout)["source"]


def test_a_revision_is_audited_from_the_object_store(sample: Path, audit: Run, git: Git) -> None:
    before = audit("run", sample, "--format", "json").stdout
    write(sample, {"sample/loop.py": "x = 1\n"})
    git("commit", "-qam", "second", cwd=sample)
    assert audit("run", sample, "--rev", "HEAD~1", "--format", "json").stdout == before
    assert audit("run", sample, "--format", "json").stdout != before


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "nowhere"], "nowhere: no such folder"),
        (["run", "sample", "--rev", "nope"], "revision 'nope': not a commit"),
        (["run", "sample", "--format", "yaml"], "'yaml' is not one of"),
        (["run", "sample", "--format", "md", "--format", "json"], "several --format go to stdout"),
        (["run", "sample", "--fasst"], "--fasst"),
        (["run", "sample", "--config", "nope.toml"], "nope.toml: no such file"),
        (["run", "sample", "--out", "/proc/nope"], "/proc/nope"),
        (["explain", "checkpointin", "sample"], "did you mean 'checkpointing'?"),
        (["practices", "docs-sit"], "did you mean 'docs-site'?"),
        (["verify", "sample"], "manifest.json: missing"),
        (["frobnicate"], "No such command"),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, list) else "",
)  # fmt: skip
def test_a_mistake_is_one_clear_line_and_exit_2(
    arguments: list[str], says: str, sample: Path, audit: Run
) -> None:
    done = audit(*arguments)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_closed_pipe_ends_quietly(sample: Path, audit: Run, tmp_path: Path) -> None:
    import subprocess
    import sys

    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-m", "audit", "run", str(sample), "--format", "json"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_unreadable_content_is_a_recorded_reason_not_a_failure(sample: Path, audit: Run) -> None:
    write(
        sample, {"sample/bad.py": "def (", "bad.yaml": "a: [", "bad.json": "{", "new.py": "x = t''"}
    )
    (sample / "nul.py").write_bytes(b"a\0b")
    matrix = json.loads(audit("run", sample, "--format", "json").stdout)
    assert {p["path"] for p in matrix["problems"]} >= {
        "sample/bad.py",
        "bad.yaml",
        "bad.json",
        "nul.py",
    }


def test_an_unread_product_file_makes_absences_unknown_with_an_interval(
    sample: Path, audit: Run
) -> None:
    write(sample, {"sample/bad.py": "def ("})
    matrix = json.loads(audit("run", sample, "--format", "json").stdout)
    rows = {p["id"]: p for c in matrix["capabilities"] for p in c["practices"]}
    assert rows["checkpoint-async"]["status"] == "unknown"
    assert "sample/bad.py" in rows["checkpoint-async"]["looked_for"]
    (checkpointing,) = (c for c in matrix["capabilities"] if c["id"] == "checkpointing")
    assert checkpointing["interval"][1] > checkpointing["score"]


def test_explain_gives_the_arithmetic_down_to_lines(sample: Path, audit: Run) -> None:
    done = audit("explain", "checkpointing", sample)
    assert done.returncode == 0
    assert re.search(r"functionality +\d\.\d+ × 0\.25", done.stdout)
    assert re.search(r"sample/loop.py:\d+  \S", done.stdout)
    assert "what would raise the score" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    found = json.loads(audit("explain", "checkpoint-save", sample, "--format", "json").stdout)
    assert found["practices"][0]["evidence"][0]["path"] == "sample/loop.py"


def test_version_is_quick_to_import() -> None:
    import subprocess
    import sys

    code = (
        "import sys, audit.cli as c; c.main(['--version']); "
        "heavy = {'torch', 'jinja2', 'rich', 'msgspec', 'yaml', 'sqlite3'} & set(sys.modules); "
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
