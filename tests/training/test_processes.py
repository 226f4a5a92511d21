"""Training as users meet it: processes, signals, exit codes, proofs."""

import json
import os
import re
import signal
import time
from pathlib import Path

import pytest

from codex_ml.checkpointing import CheckpointManager
from codex_ml.training import Config, load_run, train
from tests.training.runs import command, losses, start, tensors, tiny


def wait_for_step(config: Config, step: int) -> None:
    deadline = time.monotonic() + 60
    while len(losses(Path(config.run))) < step:
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_all_processes_saves_and_the_run_resumes_exactly(
    number: signal.Signals, tmp_path: Path
) -> None:
    words = ["training.workers=1", "training.steps=60", "checkpoints.every=0"]
    config = tiny(tmp_path / "broken", *words)
    child = command(config)
    wait_for_step(config, 2)
    os.killpg(child.pid, number)
    stdout, stderr = child.communicate(timeout=60)
    assert (child.returncode, stdout) == (130, "")
    step = CheckpointManager(tmp_path / "broken" / "checkpoints").load().step
    assert 2 <= step < 60
    message = f"stopped by {number.name} after step {step}, which is saved: go on with --resume"
    assert message in stderr
    assert "Traceback" not in stderr

    resumed = command(config, "--resume")
    stdout, _ = resumed.communicate(timeout=120)
    assert (resumed.returncode, json.loads(stdout)["step"]) == (0, 60)
    train(tiny(tmp_path / "whole", *words))
    assert losses(tmp_path / "broken") == losses(tmp_path / "whole")
    assert tensors(tmp_path / "broken") == tensors(tmp_path / "whole")


def test_a_proof_holds(tmp_path: Path) -> None:
    child = command(tiny(tmp_path / "r"), "--prove-resume", "--steps", "8", "--interruptions", "3")
    stdout, stderr = child.communicate(timeout=300)
    proof = json.loads(stdout)
    assert (child.returncode, stderr) == (0, "")
    assert proof["equal"]
    assert proof["losses"] == 8
    assert proof["tensors"] > 20
    assert [each["signal"] for each in proof["interruptions"]] == ["SIGKILL", "SIGTERM", "SIGINT"]
    assert all(each["micro_batch"] % 2 == 1 for each in proof["interruptions"])  # inside a step
    assert not (tmp_path / "r").exists()


FORGETFUL = """
import torch
from codex_ml.models import Transformer

class Forgetful(Transformer):
    "Keeps a count that no checkpoint holds."
    count = 0

    def forward(self, ids):
        self.count += 1
        return super().forward(ids) * (1 + self.count / 1000)
"""


def test_a_proof_that_does_not_hold_says_where(tmp_path: Path) -> None:
    (tmp_path / "forgetful.py").write_text(FORGETFUL)
    environment = {
        "PYTHONPATH": f"{tmp_path}:{Path(__file__).parents[2]}",
        "CODEX_ML_PLUGINS_OVERRIDE": "models.transformer=forgetful:Forgetful",
    }
    arguments = ["--prove-resume", "--steps", "5", "--interruptions", "1"]
    child = command(tiny(tmp_path / "r"), *arguments, **environment)
    stdout, stderr = child.communicate(timeout=300)
    proof = json.loads(stdout)
    assert child.returncode == 1
    assert not proof["equal"]
    assert any("tensor model/" in difference for difference in proof["differences"])
    assert "not equal: record" in stderr


def test_the_demo_learns_and_samples(tmp_path: Path) -> None:
    run = tmp_path / "demo"
    arguments = ["--demo", f"run={run}", "model.layers=1", "training.steps=60", "logging.every=1"]
    arguments += ["evaluation.every=20"]
    child = start(*arguments)
    stdout, stderr = child.communicate(timeout=300)
    assert child.returncode == 0
    assert json.loads(stdout)["step"] == 60
    found = losses(run)
    assert sum(found[-5:]) < 0.7 * sum(found[:5])
    shown = [float(loss) for loss in re.findall(r"held-out loss (\d+\.\d+)\n", stderr)]
    assert len(shown) == 3
    assert shown == sorted(shown, reverse=True)
    assert stderr.index("held-out loss") < stderr.index("--- a sample ---")
    assert load_run(run).tokenizer.vocab_size == 256


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "no CONFIG is given"),
        (("none.toml",), "none.toml: cannot be read"),
        (("--demo", "trainin.steps=1"), "no key 'trainin': did you mean 'training'?"),
        (("--demo", "model.name=gpt"), "no plugin 'gpt' in group models"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(
    arguments: tuple[str, ...], says: str, tmp_path: Path
) -> None:
    words = (f"run={tmp_path / 'r'}",) if "--demo" in arguments else ()
    child = start(*arguments, *words)
    stdout, stderr = child.communicate(timeout=60)
    assert (child.returncode, stdout) == (2, "")
    assert stderr.startswith("error: ")
    assert stderr.count("\n") == 1
    assert says in stderr
