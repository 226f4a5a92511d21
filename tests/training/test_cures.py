"""What torch refuses, said as the key to change."""

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from codex_ml import plugins
from codex_ml.cli import run
from codex_ml.cli.train import command
from codex_ml.training.config_file import dump
from codex_ml.training.cures import naming_cures
from codex_ml.training.errors import TrainingError
from tests.training.runs import tiny


class Fault(nn.Module):
    """A bigram table that does first what `how` says."""

    def __init__(self, vocab_size: int, block_size: int, how: str = "") -> None:  # noqa: ARG002
        super().__init__()
        self.logits = nn.Parameter(torch.zeros(vocab_size, vocab_size))
        self.how = how

    def forward(self, ids: Tensor) -> Tensor:
        match self.how:
            case "put":
                torch.zeros(4).put_(torch.tensor([0]), torch.ones(1), accumulate=False)
            case "memory":
                torch.empty(2**58)
            case "defect":
                torch.ones(2) @ torch.ones(3)
        return self.logits[ids]


plugins.register("models", "fault", Fault)


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    monkeypatch.setattr(torch.utils.deterministic, "fill_uninitialized_memory", True)
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", False)


def train(folder: Path, how: str, *overrides: str) -> int:
    config = tiny(folder / "run", f"model={{name='fault', how='{how}'}}", *overrides)
    path = folder / "run.toml"
    path.write_text(dump(config))
    try:
        return run(command, [str(path)])
    finally:
        torch.use_deterministic_algorithms(False)


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("put", "put_ has no deterministic kernel: set training.deterministic = false"),
        ("memory", "out of memory: lower training.batch_size"),
    ],
)
def test_the_key_to_change_is_named(
    tmp_path: Path, how: str, says: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert train(tmp_path, how, "training.deterministic=true") == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert f"error: {says}" in err
    assert "Traceback" not in err


def test_where_it_is_not_asked_for_no_kernel_is_missing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert train(tmp_path, "put") == 0
    assert json.loads(capfd.readouterr().out)["step"] == 12


def test_a_defect_of_the_model_stays_one(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert train(tmp_path, "defect") == 3
    assert "Traceback" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), "out of memory"),
        (
            RuntimeError("Deterministic behavior was enabled; set CUBLAS_WORKSPACE_CONFIG=:4096:8"),
            "CUBLAS_WORKSPACE_CONFIG does not allow deterministic kernels",
        ),
    ],
)
def test_what_only_a_cuda_device_says(error: RuntimeError, says: str) -> None:
    with pytest.raises(TrainingError, match=says), naming_cures():
        raise error
