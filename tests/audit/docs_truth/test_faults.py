"""Each fault alone in a clean project is the one finding; the clean project has none."""

from pathlib import Path

import pytest

from audit.docs_truth import engine, kinds
from audit.docs_truth.model import Report
from audit.docs_truth.world import World
from audit.run.world import open_world
from audit.source.trees import open_source
from audit.store import NoStore
from tests.audit.conftest import Git, write
from tests.audit.docs_truth.sample import project, world

FAULTS = [
    ("link", "docs/index.md", "usage.md#options", "usages.md#options", "docs/usage.md"),
    ("anchor", "docs/index.md", "usage.md#options", "usage.md#choices", ""),
    ("image", "docs/index.md", "(logo.svg)", "(logos.svg)", "docs/logo.svg"),
    ("snippet", "docs/usage.md", "docs/example.toml", "docs/examples.toml", "docs/example.toml"),
    ("path", "docs/usage.md", "sample/core.py", "sample/cores.py", "sample/core.py"),
    ("command", "docs/usage.md", "sample audit . --jobs", "sample audits . --jobs", "sample audit"),
    ("command", "docs/usage.md", ". --jobs 2", ". --job 2", "--jobs"),
    ("ci-command", "docs/usage.md", ". --quiet\n", ". --quite\n", "--quiet"),
    ("flag", "docs/usage.md", "Pass `--quiet`", "Pass `--quite`", "--quiet"),
    ("identifier", "docs/reference.md", "::: sample.Runner", "::: sample.Runners", "sample.Runner"),
    ("cross-reference", "docs/index.md", "sample.core.run]", "sample.core.runs]", "sample.core.run"),
    ("symbol", "docs/usage.md", "sample.core.Runner.start", "sample.core.Runner.begin", ""),
    ("python-name", "docs/usage.md", "from sample import Runner\n\n", "from sample import Walker\n\n", ""),
    ("python-name", "docs/usage.md", "Runner(steps=2).start()", "Runner(steps=2).starts()", "start"),
    ("python-name", "docs/usage.md", "Runner(steps=2)", "Runner(stops=2)", "steps"),
    ("environment", "docs/reference.md", "`SAMPLE_CACHE`", "`SAMPLE_CACHES`", "SAMPLE_CACHE"),
    ("exit-code", "docs/reference.md", "| 2 | `USAGE` |", "| 3 | `USAGE` |", ""),
    ("json-key", "docs/reference.md", '"seconds": 1.5', '"secs": 1.5', "seconds"),
    ("config-key", "docs/usage.md", "depth = 3\nfolder", "depths = 3\nfolder", "depth"),
    ("make-target", "docs/usage.md", "`make check`", "`make checks`", "check"),
    ("extra", "docs/index.md", "sample[fast]", "sample[faster]", "fast"),
    ("default", "docs/usage.md", "| `--jobs` | `4` |", "| `--jobs` | `8` |", "4"),
    ("entry-point-group", "docs/reference.md", 'points."sample.plugins"', 'points."sample.plugin"', "sample.plugins"),
    ("docstring-parameter", "sample/core.py", "steps: how many", "stops: how many", "steps"),
]  # fmt: skip


def test_the_clean_project_has_no_finding() -> None:
    report = engine.check(world(project()))
    assert report.findings == ()
    assert report.suppressed == 0


@pytest.mark.parametrize(
    ("kind", "path", "old", "new", "near"), FAULTS, ids=[f"{one[0]}: {one[3]}" for one in FAULTS]
)
def test_a_fault_is_the_one_finding(kind: str, path: str, old: str, new: str, near: str) -> None:
    files = project({path: (old, new)})
    (finding,) = engine.check(world(files)).findings
    assert (finding.kind, finding.path) == (kind, path)
    assert new.strip("()\n").partition("\n")[0] in files[path].splitlines()[finding.line - 1]
    assert near in finding.nearest


def only(report: Report) -> tuple[str, str, str]:
    """Return kind, path and claim of the one finding."""
    (finding,) = report.findings
    return finding.kind, finding.path, finding.claim


def test_a_page_missing_from_the_navigation() -> None:
    report = engine.check(world(project({"docs/more.md": "# More\n"})))
    assert only(report) == ("navigation", "docs/more.md", "more.md")


NEW = [
    (
        "undocumented-option", "sample/cli.py",
        "def audit(path", '@click.option("--deep", is_flag=True)\ndef audit(path', "--deep",
    ),
    (
        "undocumented-environment", "sample/core.py",
        "    folder =", '    os.environ.get("SAMPLE_DEPTH")\n    folder =', "SAMPLE_DEPTH",
    ),
    (
        "undocumented-config-key", "sample/settings.py",
        "    strict", '    leeway: float = 0.5\n    strict', "leeway",
    ),
    (
        "undocumented-exit-code", "sample/errors.py",
        "USAGE = 2", "USAGE = 2\n    BROKEN = 3", "3 BROKEN",
    ),
    (
        "undocumented-symbol", "sample/__init__.py",
        '__all__ = ["Runner", "run"]',
        'from sample.errors import ExitCode as ExitCode\n__all__ = ["ExitCode", "Runner", "run"]', "ExitCode",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "path", "old", "new", "claim"), NEW, ids=[one[0] for one in NEW])
def test_what_no_page_names_is_the_one_finding(
    kind: str, path: str, old: str, new: str, claim: str
) -> None:
    assert only(engine.check(world(project({path: (old, new)})))) == (kind, path, claim)


# ------------------------------------------------------------------- real folders
def committed(root: Path, git: Git) -> Path:
    """Write the clean project, commit it and tag it as released."""
    write(root, project())
    git("init", "-q", "-b", "main", cwd=root)
    git("add", "-A", cwd=root)
    git("commit", "-q", "-m", "first", cwd=root)
    git("tag", "v1.0", cwd=root)
    return root


def opened(root: Path) -> World:
    """Open a folder as a world."""
    return open_world(open_source(root), NoStore(), root, {})


def test_a_signature_that_changed_since_the_release(tmp_path: Path, git: Git) -> None:
    root = committed(tmp_path / "sample", git)
    assert engine.check(opened(root)).findings == ()
    change = {"sample/core.py": ("steps: int, seed: int = 0", "steps: int, seed: int")}
    write(root, project(change))
    report = engine.check(opened(root))
    assert only(report) == ("signature", "sample/core.py", "sample.core.run since v1.0")
    write(root, {"CHANGELOG.md": "# Changes\n\n- `run` needs a seed.\n"})
    assert engine.check(opened(root)).findings == ()


@pytest.mark.parametrize("tag", ["v2.0", "v2.0.1"])
def test_a_release_of_another_branch_is_not_before_this_one(
    tag: str, tmp_path: Path, git: Git
) -> None:
    root = committed(tmp_path / "sample", git)
    git("tag", "v2.1rc1", cwd=root)  # which is none yet
    write(root, project({"sample/core.py": ("steps: int, seed: int = 0", "steps: int, seed: int")}))
    assert only(engine.check(opened(root)))[0] == "signature"
    git("checkout", "-q", "-b", "release", cwd=root)
    git("commit", "-q", "--allow-empty", "-m", "release", cwd=root)
    git("tag", tag, cwd=root)
    git("checkout", "-q", "HEAD~1", cwd=root)
    assert engine.check(opened(root)).findings == ()


EXECUTED = [
    ("python-output", "docs/usage.md", "'started'", "'begun'", "'started'"),
    ("console-output", "docs/index.md", "list\nnone", "list\nnothing", "none"),
]


@pytest.mark.parametrize(
    ("kind", "path", "old", "new", "near"), EXECUTED, ids=[one[0] for one in EXECUTED]
)
def test_output_that_is_not_what_is_shown(
    kind: str, path: str, old: str, new: str, near: str, tmp_path: Path
) -> None:
    write(tmp_path / "sample", project({path: (old, new)}))
    unread = opened(tmp_path / "sample")
    assert engine.check(unread).findings == ()
    (finding,) = engine.check(unread, execute=True).findings
    assert (finding.kind, finding.path) == (kind, path)
    assert near in finding.nearest


def test_the_clean_project_prints_what_it_shows(tmp_path: Path) -> None:
    write(tmp_path / "sample", project())
    report = engine.check(opened(tmp_path / "sample"), execute=True)
    assert report.findings == ()
    assert report.checked["python-output"] == 1
    assert report.checked["console-output"] == 1


def test_every_kind_has_a_fault() -> None:
    seeded = {one[0] for one in (*FAULTS, *NEW, *EXECUTED)} | {"navigation", "signature"}
    assert seeded == {one.id for one in kinds.every()}
