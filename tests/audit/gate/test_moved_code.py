"""The gate on real code that is only moved, reformatted or renamed: nothing is lost."""

import ast
import shutil
from datetime import date
from pathlib import Path

import pytest

from audit import compare
from audit.config import Config
from audit.gate import policy
from audit.model import Outcome
from audit.run import engine
from audit.run.request import Options, build
from audit.store import NoStore

ROOT = Path(__file__).parents[3]
PARTS = ("codex_ml", "tests/checkpointing", "tests/plugins", "docs/training")


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A part of this project: product, tests and pages."""
    root = tmp_path_factory.mktemp("original")
    for part in PARTS:
        shutil.copytree(ROOT / part, root / part, ignore=shutil.ignore_patterns("__pycache__"))
    return root


def audited(root: Path) -> Outcome:
    return engine.audit(build(Options(root), NoStore()), NoStore())


@pytest.fixture(scope="module")
def before(original: Path) -> Outcome:
    """What is found in it."""
    return audited(original)


def reformat(root: Path) -> None:
    """Write every module as the parser's own printer does: other lines, quotes, brackets."""
    for path in (root / "codex_ml").rglob("*.py"):
        path.write_text(ast.unparse(ast.parse(path.read_text())) + "\n")


def shift(root: Path) -> None:
    """Move every line of every module."""
    for path in (root / "codex_ml").rglob("*.py"):
        text = path.read_text()
        if "from __future__" not in text:
            path.write_text("# a line\n\n# another\n" + text)


def rename(root: Path) -> None:
    """Rename modules that nothing outside the package names, and what imports them."""
    for old, new in (
        ("publishing", "releasing"),
        ("retention", "keeping"),
        ("deletion", "removal"),
    ):
        (root / f"codex_ml/checkpointing/{old}.py").rename(
            root / f"codex_ml/checkpointing/{new}.py"
        )
        for path in [*root.rglob("*.py"), *root.rglob("*.md")]:
            text = path.read_text()
            text = text.replace(f"checkpointing.{old}", f"checkpointing.{new}")
            path.write_text(
                text.replace(f"checkpointing import {old}", f"checkpointing import {new} as {old}")
            )


@pytest.mark.parametrize("change", [reformat, shift, rename])
def test_nothing_is_lost(change: object, original: Path, before: Outcome, tmp_path: Path) -> None:
    shutil.copytree(original, tmp_path / "changed")
    change(tmp_path / "changed")  # type: ignore[operator]
    after = audited(tmp_path / "changed")
    assert before.matrix.source.tree != after.matrix.source.tree
    moved = compare.worse(compare.compare(before.matrix, after.matrix))
    decision = policy.decide(after, Config(), {}, date(2030, 1, 1), moved)
    assert [one.says for one in decision.broken] == []
    assert [one for change in moved.changes for one in change.losses] == []


def test_a_body_that_is_gone_is_a_loss(original: Path, before: Outcome, tmp_path: Path) -> None:
    shutil.copytree(original, tmp_path / "changed")
    (tmp_path / "changed/codex_ml/checkpointing/dcp.py").write_text("")
    after = audited(tmp_path / "changed")
    moved = compare.worse(compare.compare(before.matrix, after.matrix))
    decision = policy.decide(after, Config(), {}, date(2030, 1, 1), moved)
    assert any("dcp.py" in e.path for one in decision.broken for e in one.evidence)
