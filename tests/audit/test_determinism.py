"""Same tree, same bytes: cold or warm, one process or two, anywhere, in any locale."""

import os
import shutil
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.audit.conftest import Run, write


def digests(out: Path) -> dict[str, str]:
    return {
        str(one.relative_to(out)): sha256(one.read_bytes()).hexdigest()
        for one in sorted(out.rglob("*"))
        if one.is_file()
    }


@pytest.fixture
def reference(sample: Path, audit: Run, tmp_path: Path) -> dict[str, str]:
    write(
        sample,
        {
            f"sample/m{n}.py": f"import torch\n\n\ndef f{n}(x):\n    return torch.load(x)\n" * 40
            for n in range(400)
        },
    )
    done = audit("run", sample, "--out", tmp_path / "reference", "--jobs", 1)
    assert done.returncode == 0, done.stderr
    return digests(tmp_path / "reference")


def test_artefacts_are_the_same_bytes_everywhere(
    sample: Path, audit: Run, tmp_path: Path, reference: dict[str, str]
) -> None:
    other = tmp_path / "elsewhere" / "renamed"
    shutil.copytree(sample, other)
    for one in other.rglob("*"):
        if ".git" not in one.parts:
            os.utime(one, (1, 1))
    runs: dict[str, dict[str, Any]] = {
        "warm": {"arguments": (sample,)},
        "two processes, cold": {"arguments": (sample, "--no-cache", "--jobs", 2)},
        "another folder": {"arguments": (".", "--no-cache"), "cwd": sample},
        "another locale and hash seed": {
            "arguments": (sample, "--no-cache"), "LC_ALL": "tr_TR.UTF-8", "LANG": "C", "PYTHONHASHSEED": "7",
            "TZ": "Asia/Tokyo", "PYTHONUTF8": "0",
        },
        "a copy with other times": {"arguments": (other, "--no-cache")},
    }  # fmt: skip
    for place, (name, settings) in enumerate(runs.items()):
        arguments = settings.pop("arguments")
        done = audit("run", *arguments, "--out", tmp_path / str(place), **settings)
        assert done.returncode == 0, done.stderr
        assert digests(tmp_path / str(place)) == reference, name


def test_a_fast_run_on_a_fresh_tree_gives_the_same_scores(
    sample: Path, audit: Run, tmp_path: Path
) -> None:
    fast = audit("run", sample, "--fast", "--format", "json", "--no-cache")
    full = audit("run", sample, "--format", "json", "--no-cache")
    assert fast.stdout == full.stdout


def test_editing_one_file_changes_the_result_of_a_warm_run(sample: Path, audit: Run) -> None:
    before = audit("run", sample, "--format", "json").stdout
    (sample / "sample/loop.py").write_text("x = 1\n")
    after = audit("run", sample, "--format", "json").stdout
    assert before != after
    assert after == audit("run", sample, "--format", "json", "--no-cache").stdout
