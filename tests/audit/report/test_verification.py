"""``verify`` names whatever differs; a new audit gives the same bytes."""

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from audit.cli import main
from tests.audit.conftest import Git, write

ROOT = Path(__file__).parents[3]


def verified(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    capsys.readouterr()
    code = main(["verify", *map(str, arguments)])
    return code, capsys.readouterr().out


def test_a_fresh_report_holds_and_a_rerun_gives_its_bytes(
    written: Path, sample: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verified(capsys, written)[0] == 0
    code, said = verified(capsys, written, sample, "--rerun")
    assert code == 0, said


def test_a_rerun_audits_the_revision_of_the_report_not_the_files_of_today(
    written: Path, sample: Path, git: Git, capsys: pytest.CaptureFixture[str]
) -> None:
    write(sample, {"sample/loop.py": "x = 1\n"})
    assert verified(capsys, written, sample, "--rerun")[0] == 0
    git("commit", "-qam", "second", cwd=sample)
    assert verified(capsys, written, sample, "--rerun")[0] == 0
    code, said = verified(capsys, written, sample, "--rerun", "--rev", "HEAD")
    assert code == 1
    assert "source: " in said
    assert "audit_artifacts/capabilities_scored.json: a new audit gives" in said


def test_a_rerun_names_another_configuration(
    written: Path, sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "other.toml").write_text("[thresholds]\nmean = 0.5\n")
    code, said = verified(capsys, written, sample, "--rerun", "--config", tmp_path / "other.toml")
    assert code == 1
    assert said.startswith("config_hash: ")
    assert "audit_artifacts/configuration.json: a new audit gives" in said


def rewrite(path: Path, change: Callable[[Any], None]) -> None:
    """Change a JSON file and make the manifest fit again."""
    value = json.loads(path.read_text())
    change(value)
    path.write_text(json.dumps(value))


def forge(out: Path, name: str, change: Callable[[Any], None]) -> None:
    """Change a file of a report and its hash in the manifest."""
    rewrite(out / name, change)
    digest = sha256((out / name).read_bytes()).hexdigest()
    rewrite(out / "manifest.json", lambda value: value["artefacts"].update({name: digest}))


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda out: (out / "reports/capability_matrix.svg").write_text("x"), "reports/capability_matrix.svg: SHA-256"),
        (lambda out: (out / "audit_artifacts/gaps.json").unlink(), "gaps.json: no such file"),
        (lambda out: (out / "reports/capability_matrix.txt").write_text("x"), "matrix.txt: not in the manifest"),
        (lambda out: rewrite(out / "manifest.json", lambda v: v["artefacts"].pop("reports/capability_matrix.md")), "matrix.md: not in the manifest"),
        (lambda out: rewrite(out / "manifest.json", lambda v: v["artefacts"].update({"../x": "0"})), "../x: leads out of the folder"),
        (lambda out: rewrite(out / "manifest.json", lambda v: v.update(template_hash="0" * 64)), "does not carry template hash 000"),
        (lambda out: rewrite(out / "manifest.json", lambda v: v.update(catalogue_hash="1")), "catalogue_hash: 1 in the manifest"),
        (lambda out: rewrite(out / "manifest.json", lambda v: v.update(config_hash="2")), "config_hash: 2 in the manifest"),
        (lambda out: rewrite(out / "manifest.json", lambda v: v["tool"].update(version="99")), "tool: codex-audit 99 wrote it"),
        (lambda out: forge(out, "audit_artifacts/configuration.json", lambda v: v.update(profile="library")), "in audit_artifacts/configuration.json"),
        (lambda out: forge(out, "manifest.intoto.json", lambda v: v["subject"].pop()), "states other files"),
        (lambda out: forge(out, "manifest.intoto.json", lambda v: v["predicate"].update(mean=1.0)), "or another origin"),
    ],
    ids=[
        "changed", "gone", "added", "unlisted", "outside", "template hash", "catalogue hash",
        "configuration hash", "tool", "configuration", "subjects", "predicate",
    ],
)  # fmt: skip
def test_each_difference_is_named(
    damage: Callable[[Path], None], says: str, written: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damage(written)
    code, said = verified(capsys, written)
    assert code == 1
    assert says in said


def test_a_manifest_of_a_newer_version_is_one_clear_line(
    written: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rewrite(written / "manifest.json", lambda value: value.update(schema_version=99))
    assert main(["verify", str(written)]) == 2
    assert "schema version 99 is newer than this tool" in capsys.readouterr().err


def test_the_statement_is_in_toto_and_fits_its_schema(written: Path) -> None:
    value = json.loads((written / "manifest.intoto.json").read_text())
    schema = json.loads((ROOT / "docs/schemas/statement.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(value)
    assert value["_type"] == "https://in-toto.io/Statement/v1"
    assert list(value["subject"][0]) == ["name", "digest"]
    for one in value["subject"]:
        content = (written / one["name"]).read_bytes()
        assert one["digest"]["sha256"] == sha256(content).hexdigest()
    manifest = json.loads((written / "manifest.json").read_text())
    assert set(manifest["artefacts"]) == {one["name"] for one in value["subject"]} | {
        "manifest.intoto.json"
    }
