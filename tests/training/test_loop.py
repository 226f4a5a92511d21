"""What the loop does between the first and the last step."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from codex_ml import plugins
from codex_ml.checkpointing import CheckpointManager
from codex_ml.errors import CodexError
from codex_ml.tracking import ndjson
from codex_ml.training import Callback, ConfigError, Loop, NonFiniteError, TrainingError, train
from codex_ml.training.errors import Interrupted
from tests.training.runs import losses, tensors, tiny


class Table(nn.Module):
    """A bigram table; `bad` samples make its loss what they say."""

    def __init__(self, vocab_size: int, block_size: int, bad_step: int = -1) -> None:  # noqa: ARG002
        super().__init__()
        self.logits = nn.Parameter(torch.zeros(vocab_size, vocab_size))
        self.calls = 0
        self.bad_step = bad_step

    def forward(self, ids: Tensor) -> Tensor:
        self.calls += 1
        return self.logits[ids] * (math.nan if self.calls == self.bad_step else 1.0)


class Watcher(Callback):
    """Counts what it is told, and stops after five steps in all."""

    seen: "list[tuple[str, float]]" = []  # noqa: RUF012  # of the last run

    def __init__(self) -> None:
        self.steps = 0
        Watcher.seen = []

    def on_start(self, loop: Loop) -> None:
        self.seen.append(("start", loop.progress.step))

    def on_step(self, loop: Loop, loss: float) -> None:
        self.steps += 1
        self.seen.append(("step", loss))
        if self.steps == 5:
            loop.stop("five are enough")

    def on_evaluation(self, loop: Loop, loss: float) -> None:  # noqa: ARG002
        self.seen.append(("evaluation", loss))

    def on_end(self, loop: Loop) -> None:
        self.seen.append(("end", loop.progress.step))

    def state_dict(self) -> dict[str, Any]:
        return {"steps": self.steps}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.steps = state["steps"]


plugins.register("models", "bigram", Table)
plugins.register("callbacks", "watcher", Watcher)


def test_a_bigram_table_learns(tmp_path: Path) -> None:
    config = tiny(tmp_path / "r", "model={name='bigram'}", "training.steps=40", "optimizer.lr=0.3")
    result = train(config)
    found = losses(tmp_path / "r")
    assert found[0] == pytest.approx(math.log(256), abs=1e-4)
    assert sum(found[-10:]) / 10 < 4.0
    assert result.step == 40
    assert result.reason == "all steps made"
    assert result.best_validation_loss is not None
    assert result.best_validation_loss < 4.5


def test_the_run_directory_says_what_was_done(tmp_path: Path) -> None:
    run = tmp_path / "r"
    train(tiny(run))
    records = ndjson.read(run / "metrics.ndjson")
    assert [record["step"] for record in records if "loss" in record] == list(range(1, 13))
    assert [record["step"] for record in records if "validation_loss" in record] == [4, 8, 12]
    assert {"lr", "epoch", "tokens_per_second", "grad_norm"} <= records[0].keys()
    [environment] = json.loads((run / "environment.json").read_text())
    assert environment["torch"] == torch.__version__
    assert environment["threads"] == 1
    checkpoint = CheckpointManager(run / "checkpoints").load("best")
    assert checkpoint.metrics["validation_loss"] == min(
        record["validation_loss"] for record in records if "validation_loss" in record
    )
    assert checkpoint.config["optimizer"]["warmup"] == 3


def test_accumulated_micro_batches_make_the_step_of_their_sum(tmp_path: Path) -> None:
    one = tiny(
        tmp_path / "one", "model.dropout=0", "training.batch_size=4", "training.accumulation=1"
    )
    two = tiny(
        tmp_path / "two", "model.dropout=0", "training.batch_size=2", "training.accumulation=2"
    )
    train(one)
    train(two)
    assert losses(tmp_path / "one") == pytest.approx(losses(tmp_path / "two"), rel=1e-4)


def test_bfloat16_is_close_and_not_equal(tmp_path: Path) -> None:
    for precision in ("float32", "bfloat16"):
        train(tiny(tmp_path / precision, f"training.precision={precision}"))
    exact, rough = losses(tmp_path / "float32"), losses(tmp_path / "bfloat16")
    assert rough != exact
    assert rough == pytest.approx(exact, rel=0.02)


def test_a_gradient_is_clipped_to_its_norm(tmp_path: Path) -> None:
    train(tiny(tmp_path / "free", "optimizer.clip=0"))
    assert "grad_norm" not in ndjson.read(tmp_path / "free" / "metrics.ndjson")[0]
    train(tiny(tmp_path / "tight", "optimizer.clip=1e-9", "optimizer.eps=1"))
    found = losses(tmp_path / "tight")
    assert found[0] - found[-1] < 0.1


def test_a_loss_that_is_not_finite_stops_and_names_the_samples(tmp_path: Path) -> None:
    config = tiny(tmp_path / "r", "model={name='bigram', bad_step=6}", "evaluation.every=0")
    with pytest.raises(
        NonFiniteError, match=r"step 3: loss nan in micro-batch 2 of 2, rank 0"
    ) as e:
        train(config)
    assert e.value.exit_code == 1
    assert "samples [" in str(e.value)
    assert len(losses(tmp_path / "r")) == 2


def test_a_loss_that_is_not_finite_can_be_skipped(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    words = ["model={name='bigram', bad_step=6}", "evaluation.every=0", "logging.every=12"]
    train(tiny(tmp_path / "r", *words, "training.non_finite=skip"))
    assert "step 3: loss nan" in caplog.text
    state = CheckpointManager(tmp_path / "r" / "checkpoints").load()
    assert state["progress"]["skipped"] == 1
    assert state["model"]["logits"].isfinite().all()


def test_callbacks_are_told_and_can_stop_and_keep_their_state(tmp_path: Path) -> None:
    config = tiny(tmp_path / "r", "callbacks=['watcher']", "evaluation.every=2")
    train(config, until=2)
    assert [what for what, _ in Watcher.seen] == ["start", "step", "step", "evaluation", "end"]
    result = train(config, resume=True)
    assert (result.step, result.reason) == (5, "five are enough")
    assert Watcher.seen[0] == ("start", 2)
    assert Watcher.seen[-1] == ("end", 5)


def test_training_stops_when_evaluations_get_no_better(tmp_path: Path) -> None:
    result = train(tiny(tmp_path / "r", "optimizer.lr=0", "optimizer.min_lr=0",
                        "evaluation.patience=2", "evaluation.every=1"))  # fmt: skip
    assert (result.step, result.reason) == (3, "no better validation loss in 2 evaluations")


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    run = tmp_path / "r"
    train(tiny(run))
    before = tensors(run), (run / "metrics.ndjson").read_bytes()
    with pytest.raises(TrainingError, match="holds a run: go on with --resume"):
        train(tiny(run))
    assert (tensors(run), (run / "metrics.ndjson").read_bytes()) == before


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("data.path={empty}", r"empty\.txt: 0 tokens are fewer than one window"),
        ("data.path=none.txt", "none.txt: cannot be read"),
        ("model.heads=3", "heads divide the width"),
        ("training.device=quantum", "no device 'quantum'"),
        ("logging.trackers=['mlflw']", "did you mean 'mlflow'"),
        ("callbacks=['none']", "no plugin 'none' in group callbacks"),
    ],
)
def test_a_run_that_cannot_start_is_not_in_the_way_of_the_next(
    word: str, says: str, tmp_path: Path
) -> None:
    empty = tmp_path / "empty.txt"
    empty.touch()
    with pytest.raises(CodexError, match=says):
        train(tiny(tmp_path / "r", word.format(empty=empty)))
    assert train(tiny(tmp_path / "r"), until=1).step == 1


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("model.width=32", "model.width was 16 and is 32"),
        ("seed=1", "seed was 0 and is 1"),
        ("optimizer.lr=0.5", "optimizer.lr was 0.001 and is 0.5"),
    ],
)
def test_another_runs_configuration_is_refused(word: str, says: str, tmp_path: Path) -> None:
    train(tiny(tmp_path / "r"), until=3)
    with pytest.raises(ConfigError, match=says):
        train(tiny(tmp_path / "r", word), resume=True)


def test_another_tokenizer_is_refused(tmp_path: Path) -> None:
    from codex_ml.tokenization import ByteTokenizer

    train(tiny(tmp_path / "r"), until=3)
    ByteTokenizer(["<x>"]).save(tmp_path / "other.json")
    other = tiny(tmp_path / "r", f"tokenizer={tmp_path / 'other.json'}")
    with pytest.raises(TrainingError, match="was trained with another tokenizer"):
        train(other, resume=True)


def test_another_global_batch_is_refused(tmp_path: Path) -> None:
    train(tiny(tmp_path / "r"), until=3)
    with pytest.raises(TrainingError, match="a step of the saved run has 4 samples, here it has 6"):
        train(tiny(tmp_path / "r", "training.accumulation=3"), resume=True)


def test_changed_data_is_refused(tmp_path: Path) -> None:
    from codex_ml.data import DataError

    path = tmp_path / "text"
    path.write_text("so long lives this " * 100)
    config = tiny(tmp_path / "r", f"data.path={path}")
    train(config, until=3)
    path.write_text("so long lives this " * 200)
    with pytest.raises(DataError, match="resume with the data and the seed of the start"):
        train(config, resume=True)


def test_two_processes_cannot_train_in_one_directory(tmp_path: Path) -> None:
    from codex_ml.training import rundir

    with rundir.locked(tmp_path / "r"), pytest.raises(TrainingError, match="another process"):
        train(tiny(tmp_path / "r"))


def test_a_file_in_the_runs_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "r").write_text("mine")
    with pytest.raises(TrainingError, match="cannot be the run's directory"):
        train(tiny(tmp_path / "r"))


def test_interrupted_is_exit_code_130() -> None:
    assert Interrupted.exit_code == 130
