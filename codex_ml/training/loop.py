"""The training loop."""

import logging
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import torch

from codex_ml import distributed
from codex_ml.training.cures import naming_cures
from codex_ml.training.errors import Interrupted, NonFiniteError
from codex_ml.training.schedule import learning_rate
from codex_ml.training.signals import stop_requests

if TYPE_CHECKING:
    from codex_ml.checkpointing import CheckpointManager
    from codex_ml.tracking.base import Tracker
    from codex_ml.training.assembly import Parts
    from codex_ml.training.callbacks import Callback
    from codex_ml.training.run import Watch
    from codex_ml.training.signals import StopRequest
    from codex_ml.training.stepper import Step

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Result:
    """How a run ended."""

    step: int
    loss: float | None
    """Of the last step; None if there was none to make."""
    best_validation_loss: float | None
    reason: str


class Loop:
    """Makes the steps of a run, and logs, evaluates and saves between them."""

    def __init__(
        self, parts: "Parts", manager: "CheckpointManager", trackers: "list[Tracker]"
    ) -> None:
        """Take what a run is made of."""
        self.parts = parts
        self.progress = parts.progress
        self.config = parts.config
        self._manager = manager
        self._trackers = trackers
        self._callbacks: Callback = parts.callbacks
        self._saved: int | None = parts.progress.step or None
        self._reason: str | None = None
        self._metrics: dict[str, float] = {}
        self._clock = time.perf_counter(), parts.progress.step

    def stop(self, reason: str) -> None:
        """End the run after the step in progress."""
        self._reason = reason

    def run(self, until: int | None = None, watch: "Watch | None" = None) -> Result:
        """Go on to the last step, or to step `until`, and save; `watch` sees every micro-batch.

        Raises:
            Interrupted: SIGTERM or SIGINT came; the step was finished and saved.
            NonFiniteError: a loss or gradient is not finite, and the policy is to stop.
            TrainingError: an operation has no deterministic kernel, or memory ran out.

        """
        steps = self.config.training.steps
        until = steps if until is None else min(until, steps)
        last: Step | None = None
        with stop_requests() as request, naming_cures():
            self._callbacks.on_start(self)
            stream = self.parts.stream
            batches = watch(iter(stream), stream.position) if watch else iter(stream)
            while self.progress.step < until and self._reason is None:
                last = self._step(batches)
                self._check_signal(request)
            self._save()
            self._callbacks.on_end(self)
        return self._result(last)

    def _step(self, batches: Iterator[Any]) -> "Step":
        progress, config = self.progress, self.config
        rate = learning_rate(progress.step, config.training.steps, config.optimizer)
        start = self.parts.stream.position
        step = self.parts.stepper.step(batches, rate)
        if not step.applied:
            self._not_finite(step, start)
        progress.step += 1
        self._metrics = {"loss": step.loss}
        self._callbacks.on_step(self, step.loss)
        if progress.step % config.logging.every == 0:
            self._log(step, rate)
        if config.evaluation.every and progress.step % config.evaluation.every == 0:
            self._evaluate()
        if config.checkpoints.every and progress.step % config.checkpoints.every == 0:
            self._save()
        return step

    def _log(self, step: "Step", rate: float) -> None:
        (then, at), now = self._clock, time.perf_counter()
        self._clock = now, self.progress.step
        tokens = self.progress.global_batch * self.config.training.block_size
        record = {
            "loss": step.loss,
            "lr": rate,
            "epoch": self.parts.stream.epoch,
            "tokens_per_second": (self.progress.step - at) * tokens / (now - then),
        }
        if step.norm is not None:
            record["grad_norm"] = step.norm
        self._track(record)

    def _track(self, record: dict[str, float]) -> None:
        for tracker in self._trackers:
            tracker.log(self.progress.step, record)

    def _evaluate(self) -> None:
        if self.parts.validation is None:
            return
        loss = evaluate(self.parts, self.config.evaluation.batches)
        self.progress.evaluated(loss)
        self._metrics["validation_loss"] = loss
        self._track({"validation_loss": loss})
        self._callbacks.on_evaluation(self, loss)
        patience = self.config.evaluation.patience
        if patience and self.progress.stale >= patience:
            self.stop(f"no better validation loss in {patience} evaluations")

    def _save(self) -> None:
        if self._saved == self.progress.step:
            return
        parts = self.parts
        self._manager.save(
            self.progress.step,
            model=parts.model,
            optimizer=parts.optimizer,
            stream=parts.stream,
            config=parts.plain_config,
            metrics=self._metrics,
            digests={"tokenizer": parts.tokenizer.digest},
            progress=self.progress,
            callbacks=self._callbacks,
        )
        self._saved = self.progress.step

    def _not_finite(self, step: "Step", start: int) -> None:
        """Name the batch; stop or go on as the policy says."""
        self.progress.skipped += 1
        wrong = [number for number, loss in enumerate(step.losses) if not math.isfinite(loss)]
        stream = self.parts.stream
        samples = [index for number in wrong or [0] for index in stream.indices(start + number)]
        what = f"loss {step.losses[wrong[0]]}" if wrong else f"gradient norm {step.norm}"
        message = (
            f"step {self.progress.step + 1}: {what} in micro-batch "
            f"{(wrong or [0])[0] + 1} of {len(step.losses)}, rank {distributed.rank()}, "
            f"samples {samples}; nothing of this step was applied"
        )
        if self.config.training.non_finite == "stop":
            raise NonFiniteError(
                f"{message}: look at the samples, lower optimizer.lr, "
                'or set training.non_finite = "skip"'
            )
        _logger.warning(message)

    def _check_signal(self, request: "StopRequest") -> None:
        stops = request.signal is not None
        if distributed.world_size() > 1:  # a signal may reach the ranks at different steps
            stops = distributed.all_reduce_mean(float(stops)) > 0
        if stops:
            self._save()
            self._manager.wait()
            name = request.signal.name if request.signal else "a signal to another rank"
            raise Interrupted(
                f"stopped by {name} after step {self.progress.step}, which is saved: "
                "go on with --resume"
            )

    def _result(self, last: "Step | None") -> Result:
        best = self.progress.best
        return Result(
            step=self.progress.step,
            loss=last.loss if last else None,
            best_validation_loss=best if math.isfinite(best) else None,
            reason=self._reason or "all steps made",
        )


@torch.no_grad()
def evaluate(parts: "Parts", batches: int) -> float:
    """Return the mean held-out loss in nats over the first `batches` batches, and all ranks.

    Fewer, if there are fewer whole ones; always the same, in the same order.
    """
    stream = parts.validation
    assert stream is not None  # the caller's condition
    stream.position = 0
    whole = len(parts.splits.validation or ()) // stream.global_batch
    model = parts.loss_model
    model.eval()
    losses = [parts.stepper.loss(*batch) for batch in islice(stream, min(batches, max(1, whole)))]
    model.train()
    mean: float = distributed.all_reduce_mean(torch.stack(losses).float().mean()).item()
    return mean
