"""The page about checkpoints is true: its examples run, its table is complete."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from codex_ml import checkpointing
from codex_ml.checkpointing.dtypes import DTYPES
from codex_ml.checkpointing.manifest import Manifest
from tests.conftest import TORCH

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "training" / "Checkpointing_Surfaces.md").read_text()


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def legacy_table() -> dict[str, str]:
    rows = section("Canonical and legacy paths")
    return dict(re.findall(r"^\| `([\w.]+)` \| `([\w.]+)` \|$", rows, re.MULTILINE))


@pytest.mark.parametrize(("legacy", "canonical"), legacy_table().items())
def test_a_legacy_path_warns_once_and_re_exports(legacy: str, canonical: str) -> None:
    code = f"""
import importlib, warnings
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    legacy = importlib.import_module({legacy!r})
    importlib.import_module({legacy!r})
assert [(w.category, str(w.message)) for w in told] == [
    (DeprecationWarning, {f"{legacy} is a legacy path: import {canonical}"!r})
], told
canonical = importlib.import_module({canonical!r})
assert legacy.__all__ == canonical.__all__
assert all(getattr(legacy, name) is getattr(canonical, name) for name in canonical.__all__)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_table_has_every_legacy_path() -> None:
    package = Path(checkpointing.__file__).parents[1]
    shims = {
        ".".join(path.relative_to(package.parent).with_suffix("").parts)
        for path in package.rglob("*.py")
        if 'CANONICAL = "codex_ml.checkpointing' in path.read_text()
    }
    assert shims == legacy_table().keys()


@TORCH
def test_the_examples_and_commands_run(tmp_path: Path) -> None:
    (example,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    lines = re.findall(r"^\$ codex-ml (.*)$", section("Command line"), re.MULTILINE)
    commands = [shlex.split(line) for line in lines]
    assert len(commands) == 10
    code = f"{example}\nfrom codex_ml.cli import main\nassert not any(map(main, {commands!r}))"
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], cwd=tmp_path, check=True)


@pytest.mark.skipif(
    not (ROOT / "benchmarks").is_dir(), reason="a source distribution holds no benchmarks"
)
def test_the_campaigns_exist() -> None:
    for module in re.findall(r"^\$ python -m ([\w.]+)", PAGE, re.MULTILINE):
        assert (ROOT / module.replace(".", "/")).with_suffix(".py").is_file()


def test_the_format_names_every_key_of_the_manifest() -> None:
    text = section("Format, schema version 1")
    for name in Manifest.__struct_fields__:
        assert f"`{name}`" in text, name


def test_every_dtype_is_named() -> None:
    named = section("What is saved").split("dtypes: ")[1].split("Everything else")[0]
    for name in DTYPES:
        stem = re.sub(r"^(u?int)\d+$", r"\1", name)
        assert name.removeprefix("float8_") in named or stem in named, name
