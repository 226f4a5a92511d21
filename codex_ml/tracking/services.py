"""TensorBoard, MLflow and Weights & Biases, each behind its own library."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from codex_ml.errors import CodexError
from codex_ml.extras import how_to_install
from codex_ml.tracking.base import Record


class TensorBoard:
    """Event files in ``<run>/tensorboard``."""

    def __init__(self, run: Path, config: Mapping[str, Any], step: int) -> None:  # noqa: ARG002
        """Open them; events after `step` are purged by the viewer."""
        writer = _library("torch.utils.tensorboard", "tensorboard").SummaryWriter
        self._writer = writer(str(run / "tensorboard"), purge_step=step + 1 if step else None)

    def log(self, step: int, record: Record) -> None:
        """Write every metric as a scalar."""
        for name, value in record.items():
            self._writer.add_scalar(name, value, step)

    def close(self) -> None:
        """Write what is left."""
        self._writer.close()


class MLflow:
    """A run of MLflow, at the tracking URI that its own settings name."""

    def __init__(self, run: Path, config: Mapping[str, Any], step: int) -> None:
        """Go on with the run of this directory's name, or start it."""
        self._mlflow = _library("mlflow", "mlflow")
        with _refusals("mlflow", self._mlflow.MlflowException, "set MLFLOW_TRACKING_URI"):
            found = self._mlflow.search_runs(
                filter_string=f"attributes.run_name = '{run.name}'", output_format="list"
            )
            known = found[0].info.run_id if step and found else None
            self._run = self._mlflow.start_run(run_id=known, run_name=None if known else run.name)
            if known is None:
                self._mlflow.log_dict(dict(config), "config.json")

    def log(self, step: int, record: Record) -> None:
        """Send every metric."""
        self._mlflow.log_metrics(dict(record), step=step)

    def close(self) -> None:
        """End the run."""
        self._mlflow.end_run()


class WeightsAndBiases:
    """A run of Weights & Biases, in the project that its own settings name."""

    def __init__(self, run: Path, config: Mapping[str, Any], step: int) -> None:
        """Go on with the run of this directory's name, or start it."""
        library = _library("wandb", "wandb")
        with _refusals("wandb", library.Error, "log in, or set WANDB_MODE=offline"):
            self._run = library.init(
                id=run.name, dir=str(run), config=dict(config), resume="allow" if step else None
            )

    def log(self, step: int, record: Record) -> None:
        """Send every metric."""
        self._run.log(dict(record), step=step)

    def close(self) -> None:
        """End the run."""
        self._run.finish()


@contextmanager
def _refusals(tracker: str, kind: type[Exception], cure: str) -> Iterator[None]:
    """Make a library's own error one line that says what to do."""
    try:
        yield
    except kind as error:
        reason = str(error).partition("\n")[0]
        raise CodexError(f"tracker {tracker}: {reason}: {cure}") from error


def _library(module: str, tracker: str) -> Any:
    try:
        return import_module(module)
    except ModuleNotFoundError:
        raise CodexError(f"tracker {tracker}: {how_to_install(tracker)}") from None
