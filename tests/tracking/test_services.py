"""TensorBoard, MLflow and Weights & Biases: their own libraries, offline, through a real run."""

from importlib import import_module
from pathlib import Path

import pytest

from codex_ml.errors import CodexError
from codex_ml.training import train
from tests.training.runs import losses, tiny

pytestmark = pytest.mark.filterwarnings("ignore")


def trained(run: Path, tracker: str) -> list[float]:
    """Train half a run and go on; return the losses that metrics.ndjson has."""
    config = tiny(run, f"logging.trackers=['{tracker}']", "training.steps=4")
    train(config, until=2)
    train(config, resume=True)
    return losses(run)


def test_tensorboard_has_every_loss(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import (  # type: ignore[import-untyped]
        EventAccumulator,
    )

    expected = trained(tmp_path / "r", "tensorboard")
    events = EventAccumulator(str(tmp_path / "r" / "tensorboard")).Reload().Scalars("loss")
    assert [event.step for event in events] == [1, 2, 3, 4]
    assert [event.value for event in events] == pytest.approx(expected)


def test_mlflow_has_every_loss_in_one_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mlflow = import_module("mlflow")  # typed: read as source it would take the checker minutes
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "mlruns").as_uri())
    expected = trained(tmp_path / "r", "mlflow")
    (run,) = mlflow.search_runs(output_format="list")
    history = mlflow.MlflowClient().get_metric_history(run.info.run_id, "loss")
    assert [metric.value for metric in history] == expected


def test_wandb_keeps_a_run_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    trained(tmp_path / "r", "wandb")
    assert len(list((tmp_path / "r/wandb").glob("offline-run-*/run-r.wandb"))) == 2


def test_what_the_service_refuses_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "gopher://nowhere")
    with pytest.raises(CodexError, match=r"tracker mlflow: .*: set MLFLOW_TRACKING_URI"):
        trained(tmp_path / "r", "mlflow")
