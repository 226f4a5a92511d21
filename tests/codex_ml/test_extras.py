"""A library that is not installed names the extra that brings it, in one line."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from codex_ml.checkpointing import CheckpointManager
from codex_ml.cli import main
from codex_ml.errors import CodexError
from codex_ml.extras import EXTRAS, cure
from codex_ml.plugins.errors import PluginLoadError
from codex_ml.plugins.load import load
from codex_ml.plugins.metadata import Entry
from codex_ml.tracking.services import MLflow, TensorBoard, WeightsAndBiases
from tests.conftest import TORCH

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
OWN_MESSAGE = {"transformers"}  # in no extra: codex_ml.models says what to install
MODULES = {"mlflow-skinny": "mlflow", "pyyaml": "yaml", "markdown-it-py": "markdown_it"}


def modules(requirements: list[str]) -> set[str]:
    """Return the modules that requirements bring, those of extras that they name included."""
    found = set()
    for line in requirements:
        if own := re.fullmatch(r"codex-ml\[(.+)]", line):
            found |= modules(PROJECT["optional-dependencies"][own[1]])
        else:
            name = re.split(r"[^\w-]", line)[0]
            found.add(MODULES.get(name, name.replace("-", "_")))
    return found


def imported() -> set[str]:
    """Return the top-level modules that the runtime imports anywhere."""
    found = set()
    for path in (ROOT / "codex_ml").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    return found - sys.stdlib_module_names - {"codex_ml"}


def test_every_library_that_is_no_core_dependency_names_its_extra() -> None:
    assert imported() - modules(PROJECT["dependencies"]) <= EXTRAS.keys() | OWN_MESSAGE


@pytest.mark.parametrize(("module", "extra"), EXTRAS.items())
def test_the_extra_brings_the_library(module: str, extra: str) -> None:
    assert module in modules(PROJECT["optional-dependencies"][extra])


def test_a_missing_library_is_one_line_and_exit_2() -> None:
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from codex_ml.cli import guard\n"
        "sys.exit(guard(lambda: __import__('torch.nn')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "error: torch is not installed: run pip install 'codex-ml[train]'\n"


def test_every_extra_that_a_message_names_is_one_of_this_distribution() -> None:
    """Only `cure` fills a name in, and the tests above hold its names to pyproject.toml."""
    named = {
        (path.name, extra)
        for path in (ROOT / "codex_ml").rglob("*.py")
        for extra in re.findall(r"codex-ml\[([^]]*)]", path.read_text())
    }
    assert {extra for _, extra in named} <= PROJECT["optional-dependencies"].keys() | {
        "{EXTRAS[module"
    }
    assert [file for file, extra in named if "{" in extra] == ["extras.py"]


@pytest.mark.parametrize(
    ("tracker", "module"),
    [
        pytest.param(TensorBoard, "torch.utils.tensorboard", marks=TORCH),
        (MLflow, "mlflow"),
        (WeightsAndBiases, "wandb"),
    ],
)
def test_a_tracker_without_its_library_says_what_to_install(
    tracker: Any, module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    name = module.rpartition(".")[2]
    with pytest.raises(
        CodexError, match=f"^tracker {name}: .* run pip install 'codex-ml.{name}.'$"
    ):
        tracker(tmp_path, {}, 0)


def test_a_remote_without_its_library_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    says = r"^remote 'memory://x' cannot be used: fsspec .* run pip install 'codex-ml.remote.'$"
    with pytest.raises(CodexError, match=says):
        CheckpointManager(tmp_path, remote="memory://x")


@pytest.mark.parametrize("arguments", [["--demo"], ["--demo", "--prove-resume"]])
def test_training_asks_for_the_extra_that_brings_all_it_needs(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for module in ("numpy", "torch"):
        monkeypatch.setitem(sys.modules, module, None)
    assert main(["train", *arguments]) == 2
    says = "error: torch is not installed: run pip install 'codex-ml[train]'\n"
    assert capsys.readouterr().err == says


def test_a_plugin_whose_library_is_missing_is_not_called_broken_code(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "codex_ml.models.transformer", raising=False)
    target = "codex_ml.models.transformer:Transformer"
    with pytest.raises(PluginLoadError, match=r": torch is not installed: run pip install '.*'$"):
        load(Entry("models", "transformer", target, "codex-ml", "1"))


@pytest.mark.parametrize(
    "error",
    [ImportError("broken"), ModuleNotFoundError(name="elsewhere"), ValueError("torch")],
    ids=["a broken library", "a library of nobody", "no import at all"],
)
def test_other_errors_are_not_hidden(error: Exception) -> None:
    assert cure(error) == ""


@pytest.mark.parametrize("extra", ["tensorboard", "mlflow", "wandb"])
def test_a_tracker_that_is_not_installed_names_an_extra_that_is_there(extra: str) -> None:
    assert extra in PROJECT["optional-dependencies"]
