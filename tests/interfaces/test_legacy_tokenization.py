"""The contract of `tokenization`, the legacy import path of `codex_ml.tokenization`."""

import ast
import pkgutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import codex_ml.tokenization

ROOT = Path(__file__).parents[2]
LEGACY = ["tokenization"] + [
    f"tokenization.{module.name}"
    for module in pkgutil.iter_modules([str(ROOT / "tokenization")])
    if not module.name.startswith("_")
]
IMPORTS = {
    "import": "import {name}",
    "from": "from {name} import {attribute}",
    "import_module": "import importlib; importlib.import_module('{name}')",
}


def attributes(name: str) -> list[str]:
    """Public names that the successor defines."""
    module = import_module(f"codex_ml.{name}")
    if hasattr(module, "__all__"):
        return list(module.__all__)
    return [
        key
        for key, value in vars(module).items()
        if not key.startswith("_") and getattr(value, "__module__", None) == module.__name__
    ]


def python(code: str, path: Path) -> subprocess.CompletedProcess[str]:
    path.write_text(code)
    return subprocess.run(
        [sys.executable, "-W", "always", path],
        env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_every_public_module_has_a_legacy_name() -> None:
    public = {
        "tokenization.corpus", "tokenization.bpe", "tokenization.special",  # newer than the legacy
    }  # fmt: skip
    successors = {
        f"tokenization.{module.name}"
        for module in pkgutil.iter_modules(codex_ml.tokenization.__path__)
    }
    assert {*LEGACY} - {"tokenization"} == successors - public


@pytest.mark.parametrize("form", IMPORTS)
@pytest.mark.parametrize("name", LEGACY)
def test_one_warning_names_the_successor_and_the_callers_line(
    name: str, form: str, tmp_path: Path
) -> None:
    script = tmp_path / "caller.py"
    statement = IMPORTS[form].format(name=name, attribute=attributes(name)[0])
    done = python(f"\n\n{statement}\n", script)
    warned = [line for line in done.stderr.splitlines() if "Warning" in line]
    assert warned == [
        f"{script}:3: DeprecationWarning: {name} is deprecated: import codex_ml.{name} instead"
    ]
    assert done.returncode == 0


@pytest.mark.parametrize("name", LEGACY)
def test_importing_needs_no_optional_library(name: str, tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "for missing in ('numpy', 'sentencepiece', 'tiktoken', 'tokenizers', 'torch'):\n"
        "    sys.modules[missing] = None\n"
        f"import {name}\n"
        "print(*(key for key in sys.modules if key.startswith('codex_ml')))\n"
    )
    done = python(code, tmp_path / "caller.py")
    assert (done.returncode, done.stdout) == (0, "\n")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", LEGACY)
def test_every_object_is_the_same(name: str) -> None:
    legacy, successor = import_module(name), import_module(f"codex_ml.{name}")
    names = attributes(name)
    assert names
    for attribute in names:
        assert getattr(legacy, attribute) is getattr(successor, attribute)
    assert set(names) <= set(dir(legacy))
    with pytest.raises(AttributeError, match="no_such_thing"):
        _ = legacy.no_such_thing


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_star_import_takes_the_public_names() -> None:
    namespace: dict[str, object] = {}
    exec("from tokenization.byte import *", namespace)  # noqa: S102
    assert namespace["ByteTokenizer"] is codex_ml.tokenization.ByteTokenizer


@pytest.mark.parametrize("name", LEGACY)
def test_a_legacy_module_defines_nothing(name: str) -> None:
    stem = name.removeprefix("tokenization").lstrip(".").replace(".", "/") or "__init__"
    tree = ast.parse((ROOT / "tokenization" / f"{stem}.py").read_text())
    assert not [node for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)]
