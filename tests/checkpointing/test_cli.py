"""`codex-ml checkpoint` as a user runs it: exit codes, JSON only on stdout, one line on stderr."""

import io
import json
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest
import torch

from codex_ml.checkpointing import CheckpointManager
from codex_ml.cli import main


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command in this process; `test_the_module_runs_by_itself` starts a real one."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        status = main(["checkpoint", *map(str, arguments)])
    return subprocess.CompletedProcess(arguments, status, out.getvalue(), err.getvalue())


def run_json(*arguments: str | Path) -> Any:
    done = run(*arguments, "--format", "json")
    assert done.stderr == ""
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    torch.manual_seed(0)
    model = torch.nn.Linear(3, 2)
    with CheckpointManager(folder, metric="loss") as manager:
        for step, loss in ((1, 0.5), (2, float("nan")), (3, 1.5)):
            manager.save(
                step,
                model=model,
                data={"position": step},
                rng=False,
                config={"lr": 0.1},
                metrics={"loss": loss},
            )
    return folder


def test_list(folder: Path) -> None:
    rows = run_json("list", folder)
    assert [row["step"] for row in rows] == [1, 2, 3]
    assert [row["metrics"]["loss"] for row in rows] == [0.5, "nan", 1.5]
    assert [row["best"] for row in rows] == [True, False, False]
    assert [row["last"] for row in rows] == [False, False, True]
    lines = run("list", folder).stdout.splitlines()
    assert lines[0].endswith("loss=0.5  best")
    assert lines[2].endswith("loss=1.5  last")


def test_inspect(folder: Path) -> None:
    row = run_json("inspect", folder, "--which", "best")
    assert row["step"] == 1
    assert row["config"] == {"lr": 0.1}
    assert row["data"] == {"position": 1}
    assert row["tensors"][0] == {"name": "model/weight", "dtype": "float32", "shape": [2, 3]}
    assert "  model/bias  float32 [2]" in run("inspect", folder).stdout


def test_verify_names_damage_and_exits_with_1(folder: Path, tmp_path: Path) -> None:
    done = run("verify", folder)
    assert (done.returncode, done.stdout.count(": holds")) == (0, 3)
    manager = CheckpointManager(tmp_path)
    manager.save(1, value=torch.ones(3))
    manager.save(2, value=torch.ones(3))
    path = tmp_path / "step-00000001" / "value.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    (tmp_path / "step-00000002" / "manifest.json").write_text("{}")
    done = run("verify", tmp_path)
    assert done.returncode == 1
    assert "step-00000001: DAMAGED: value/value" in done.stdout
    assert "manifest.json is damaged" in done.stdout
    rows = run_json("verify", tmp_path)
    assert [row["holds"] for row in rows] == [False, False]


def test_diff(folder: Path) -> None:
    first, third = folder / "step-00000001", folder / "step-00000003"
    done = run("diff", first, third)
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "state data/position: 1 -> 3",
        "metrics loss: 0.5 -> 1.5",
    ]
    assert run("diff", first, first).returncode == 0
    assert run_json("diff", first, third)["tensors"]["same"] == 2


def test_diff_tells_changed_and_reshaped_tensors(tmp_path: Path) -> None:
    manager = CheckpointManager(tmp_path)
    manager.save(1, rng=False, value={"a": torch.ones(2), "b": torch.ones(2), "c": torch.ones(2)})
    manager.save(2, rng=False, value={"a": torch.zeros(2), "b": torch.ones(3), "d": torch.ones(2)})
    lines = run("diff", tmp_path / "step-00000001", tmp_path).stdout.splitlines()
    assert lines[:4] == [
        "only old: value/c",
        "only new: value/d",
        "reshaped: value/b",
        "changed: value/a",
    ]


def test_prune(tmp_path: Path) -> None:
    manager = CheckpointManager(tmp_path)
    for step in (1, 2, 3, 4):
        manager.save(step, value=step, metrics={"loss": step})
    litter = tmp_path / ".tmp-step-00000009-0123456789abcdef"
    litter.mkdir()
    options = ("prune", tmp_path, "--keep-last", "1", "--keep-best", "1", "--metric", "loss")
    assert len(run_json(*options, "--dry-run")["deleted"]) == 2
    assert len(list(tmp_path.glob("step-*"))) == 4
    assert run(*options).stdout.count("deleted ") == 2
    assert sorted(path.name for path in tmp_path.iterdir() if not path.is_symlink()) == [
        "step-00000001",
        "step-00000004",
    ]


def test_convert_and_export(tmp_path: Path) -> None:
    torch.save({"model": {"w": torch.ones(2)}}, tmp_path / "a.pt")
    row = run_json("convert", tmp_path / "a.pt", tmp_path / "run", "--step", "5")
    assert row["path"].endswith("step-00000005")
    target = tmp_path / "model.safetensors"
    arguments = ("export", tmp_path / "run", target, "--to", "safetensors", "--component", "model")
    assert run(*arguments).returncode == 0
    again = run(*arguments)
    assert (again.returncode, again.stdout) == (2, "")
    assert "is there already" in again.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["list", "none"], "none: no such folder"),
        (["inspect", "none"], "none: no checkpoint to load"),
        (["inspect", ".", "--which", "7"], "no step 7"),
        (["verify", "none"], "none: no checkpoint to verify"),
        (["diff", "none", "none"], "none: no checkpoint to load"),
        (["prune", "none", "--keep-last", "1"], "none: no such folder"),
        (["prune", ".", "--keep-last", "0"], "0 is not in the range x>=1"),
        (["prune", ".", "--keep-last", "1", "--keep-best", "1"], "the metric's name"),
        (["convert", "none.pt", "new"], "none.pt: no such file or folder"),
        (["export", "none", "out", "--to", "torch"], "none: no checkpoint to load"),
        (["list", "run"], "run: no checkpoint here: name run/checkpoints"),
        (["prune", "run", "--keep-last", "1"], "run: no checkpoint here: name run/checkpoints"),
        (["inspect", "run"], "run: no checkpoint to load: name run/checkpoints"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_is_one_line_and_exit_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run/checkpoints").mkdir(parents=True)
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert message in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["list", "inspect", "verify", "diff", "prune"])
def test_torch_is_not_imported(folder: Path, name: str) -> None:
    arguments = {
        "diff": [str(folder), str(folder)],
        "prune": [str(folder), "--keep-last", "9"],
    }.get(name, [str(folder)])
    code = (
        "import sys; from codex_ml.cli import main; main(sys.argv[1:]);"
        "sys.exit(bool({'torch', 'numpy', 'fsspec'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code, "checkpoint", name, *arguments]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = (
        "import sys; from codex_ml.checkpointing import CheckpointManager, Checkpoint;"
        "sys.exit(bool({'torch', 'numpy', 'fsspec'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_module_runs_by_itself(folder: Path) -> None:
    for module in (["codex_ml.cli.checkpoint"], ["codex_ml", "checkpoint"]):
        for target, status in ((folder, 0), (folder / "none", 2)):
            command = [sys.executable, "-m", *module, "list", str(target)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert done.returncode == status
            assert len(done.stderr.splitlines()) == (status == 2)
