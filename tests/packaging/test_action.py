"""The GitHub Action and the pre-commit hooks run public commands; these run the same lines."""

import os
import re
import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest
import yaml
from pre_commit import clientlib  # type: ignore[import-untyped]

from audit.cli import COMMANDS, main

ROOT = Path(__file__).parents[2]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
SITES = [one for one in sys.path if one.endswith("-packages")]
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]


@pytest.fixture
def audited(tmp_path: Path) -> Path:
    """A repository whose policy does not hold."""
    root = tmp_path / "audited"
    (root / "pkg").mkdir(parents=True)
    (root / "pkg/__init__.py").write_text(
        "import torch\n\n\ndef save(m):\n    torch.save(m.state_dict(), 'x')\n"
    )
    (root / "codex-audit.toml").write_text('required = ["checkpoint-async"]\n')
    return root


def test_the_action_takes_no_expression_into_a_shell() -> None:
    """GitHub pastes an expression as text: in `run` it would be code of whoever opened the PR."""
    for step in STEPS:
        assert "${{" not in step["run"]
        for value in step["env"].values():
            name = re.fullmatch(r"\$\{\{ (?:inputs\.(\w+)|github\.action_path) \}\}", value)
            assert name, value
            assert name[1] is None or name[1] in ACTION["inputs"]


def run(
    step: dict[str, Any], inputs: dict[str, str], variables: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a step of the action as its runner does."""
    own = {
        key: str(ROOT) if "action_path" in value else inputs[value.split(".")[1].split()[0]]
        for key, value in step["env"].items()
    }
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        env=os.environ | variables | own, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.slow
def test_the_action_installs_itself_and_gates(audited: Path, tmp_path: Path) -> None:
    """Offline: pip builds and installs without an index; dependencies come from around the tests."""
    summary = tmp_path / "summary.md"
    variables = {
        "RUNNER_TEMP": str(tmp_path), "GITHUB_STEP_SUMMARY": str(summary),
        "XDG_CACHE_HOME": str(tmp_path / "cache"), "PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1",
        "PIP_NO_BUILD_ISOLATION": "0", "PYTHONPATH": os.pathsep.join(SITES),
        "PATH": f"{Path(sysconfig.get_path('scripts'))}:{os.environ['PATH']}",
    }  # fmt: skip
    inputs = {name: one["default"] for name, one in ACTION["inputs"].items()}
    inputs |= {"path": str(audited), "sarif": str(tmp_path / "a b.sarif")}
    for step in STEPS:
        done = run(step, inputs, variables)
        assert done.returncode == (step["name"] == "Gate"), done.stderr
    assert done.stdout.startswith("::error file=pkg/__init__.py,line=5,title=checkpoint-async::")
    assert "The gate is broken" in summary.read_text()
    assert "checkpoint-async" in (tmp_path / "a b.sarif").read_text()


def test_the_hooks_are_a_manifest_of_pre_commit_and_public_commands(
    audited: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(audited)
    hooks = clientlib.load_manifest(str(ROOT / ".pre-commit-hooks.yaml"))
    for hook in hooks:
        program, command, *rest = shlex.split(hook["entry"])
        assert (program, rest, hook["pass_filenames"]) == ("codex-audit", [], False)
        assert command in COMMANDS
        assert main([command]) in (0, 1), capsys.readouterr().err
    assert main(["gate"]) == 1
