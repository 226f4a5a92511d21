"""What the cache knows of a tree as it was never shows in the audit of the tree as it is."""

from collections.abc import Callable
from pathlib import Path

import pytest

from audit.formats import Report
from audit.report import outputs
from audit.run import engine, pipeline, request
from audit.stages import capabilities
from audit.store import NoStore, Store
from tests.audit.conftest import write

_SAVING = (
    "import os\nimport torch\n\n\ndef keep(model, path):\n    torch.save(model.state_dict(), path)\n"
    "    os.replace(path, 'latest.pt')\n"
)


def _append(path: str, text: str) -> Callable[[Path], None]:
    def edit(root: Path) -> None:
        with (root / path).open("a") as file:
            file.write(text)

    return edit


EDITS: dict[str, Callable[[Path], object]] = {
    "code": _append("sample/loop.py", "\n\n" + _SAVING),
    "lines move": lambda root: write(
        root, {"sample/loop.py": "# first\n\n" + (root / "sample/loop.py").read_text()}
    ),
    "a docstring": lambda root: write(root, {"sample/__init__.py": '"""Trains."""\n'}),
    "a test": _append("tests/test_loop.py", "\n\ndef test_again():\n    train(2)\n"),
    "a page": _append("README.md", "\nSee `sample.loop.train` and `sample.gone.train`.\n"),
    "configuration": _append("pyproject.toml", "\n[tool.ruff]\nline-length = 100\n"),
    "settings": _append("codex-audit.toml", "[weights]\ntests = 0.5\n"),
    "addition": lambda root: write(root, {"sample/saving.py": _SAVING}),
    "a copy": lambda root: write(root, {"sample/copied.py": (root / "sample/loop.py").read_text()}),
    "rename": lambda root: (root / "sample/loop.py").rename(root / "sample/looping.py"),
    "deletion": lambda root: (root / "tests/test_loop.py").unlink(),
    "CI": lambda root: write(
        root, {".github/workflows/ci.yml": "on: push\njobs:\n  a:\n    steps:\n    - run: pytest\n"}
    ),
}


def written(root: Path, store: Store | NoStore, processes: int) -> dict[str, bytes]:
    """Return all that a full run writes."""
    asked = request.build(request.Options(root, processes=processes), store)
    report = Report(engine.audit(asked, store), asked.catalogue, asked.templates)
    return outputs.everything(report, asked.config)


def test_an_edited_warm_run_writes_what_a_cold_one_writes(
    sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capabilities, "PARALLEL_CALLS", 0)
    monkeypatch.setattr(pipeline, "PARALLEL_BYTES", 0)
    store = Store(tmp_path / "cache.sqlite")
    before = written(sample, store, 2)
    for name, edit in EDITS.items():  # one after the other: the cache has seen all before
        edit(sample)
        after = written(sample, store, 2)
        assert after != before, name
        assert after == written(sample, NoStore(), 1), name
        before = after
