"""A report as a run writes it."""

from pathlib import Path

import pytest

from audit.cli import main


@pytest.fixture
def written(sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A report of the sample, with two more formats."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    out = tmp_path / "out"
    assert main(["run", str(sample), "--out", str(out), "--format=sarif", "--format=badge"]) == 0
    return out
