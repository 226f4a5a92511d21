"""Each fault alone in a clean project is the one finding; the clean project has none."""

import pytest

from audit.docs_truth import engine
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
    assert new.strip("()\n") in files[path].splitlines()[finding.line - 1]
    assert near in finding.nearest


def test_a_page_missing_from_the_navigation() -> None:
    (finding,) = engine.check(
        world(project({"mkdocs.yml": ("  - Usage: usage.md\n", "")}))
    ).findings
    assert (finding.kind, finding.path) == ("navigation", "docs/usage.md")
