"""The manager saves, finds, restores and tidies up."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from codex_ml.checkpointing import (
    CheckpointError,
    CheckpointExistsError,
    CheckpointManager,
    CheckpointNotFoundError,
    CheckpointWarning,
    MismatchError,
    rng,
)


def steps(folder: Path) -> list[int]:
    return sorted(int(path.name[5:]) for path in folder.glob("step-*"))


def save_all(folder: Path, losses: list[float], **options: object) -> None:
    with CheckpointManager(folder, **options) as manager:  # type: ignore[arg-type]
        for step, loss in enumerate(losses, 1):
            manager.save(step, value=torch.tensor(step), rng=False, metrics={"loss": loss})


def test_a_restored_loop_goes_on_bit_by_bit(tmp_path: Path) -> None:
    def loop(model: torch.nn.Module, optimizer: torch.optim.Optimizer, steps: int) -> None:
        for _ in range(steps):
            optimizer.zero_grad()
            model(torch.randn(4, 8)).square().sum().backward()
            optimizer.step()

    def objects() -> tuple[torch.nn.Module, torch.optim.Optimizer]:
        model = torch.nn.Sequential(
            torch.nn.Linear(8, 8), torch.nn.BatchNorm1d(8), torch.nn.Dropout()
        )
        return model, torch.optim.AdamW(model.parameters(), lr=0.1)

    model, optimizer = objects()
    loop(model, optimizer, 3)
    manager = CheckpointManager(tmp_path)
    manager.save(3, model=model, optimizer=optimizer)
    loop(model, optimizer, 3)

    other, its_optimizer = objects()
    manager.restore(3, model=other, optimizer=its_optimizer)
    loop(other, its_optimizer, 3)
    for ours, theirs in zip(model.state_dict().values(), other.state_dict().values(), strict=True):
        assert torch.equal(ours, theirs)


def test_the_last_and_the_best_stay(tmp_path: Path) -> None:
    losses = [3.0, 1.0, 2.0, 1.0, float("nan"), 5.0]
    save_all(tmp_path, losses, keep_last=2, keep_best=1, metric="loss")
    assert steps(tmp_path) == [2, 5, 6]  # of equals the first is best; NaN never is
    manager = CheckpointManager(tmp_path)
    assert manager.load("best").step == 2
    assert manager.load("latest").step == 6
    assert (tmp_path / "best").readlink() == Path("step-00000002")
    assert (tmp_path / "last").readlink() == Path("step-00000006")


def test_the_greatest_is_best_with_mode_max(tmp_path: Path) -> None:
    save_all(
        tmp_path, [3.0, 5.0, float("inf"), 1.0], keep_last=1, keep_best=1, metric="loss", mode="max"
    )
    assert steps(tmp_path) == [2, 4]


def test_a_saved_step_is_replaced_only_on_request(tmp_path: Path) -> None:
    manager = CheckpointManager(tmp_path)
    manager.save(1, value=1)
    with pytest.raises(CheckpointExistsError, match="overwrite=True"):
        manager.save(1, value=2)
    assert manager.load(1)["value"] == 1
    manager.save(1, value=3, overwrite=True)
    assert manager.load(1)["value"] == 3
    assert steps(tmp_path) == [1]


def test_a_damaged_newest_checkpoint_is_named_and_passed_over(tmp_path: Path) -> None:
    save_all(tmp_path, [1.0, 2.0])
    path = tmp_path / "step-00000002" / "value.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"\xff")
    with pytest.warns(CheckpointWarning, match="value/value; going back to step 1"):
        assert CheckpointManager(tmp_path).load().step == 1


def test_an_empty_folder_has_nothing_to_load(tmp_path: Path) -> None:
    with pytest.raises(CheckpointNotFoundError, match="no checkpoint to load"):
        CheckpointManager(tmp_path / "none").load()


def test_another_model_is_refused_before_anything_changes(tmp_path: Path) -> None:
    manager = CheckpointManager(tmp_path)
    manager.save(1, model=torch.nn.Linear(2, 3))
    other = torch.nn.Linear(2, 4)
    before = other.weight.clone()
    with pytest.raises(MismatchError, match=r"weight 3x2 instead of 4x2"):
        manager.restore(model=other)
    assert torch.equal(other.weight, before)


def test_the_steps_of_a_folder(tmp_path: Path) -> None:
    manager = CheckpointManager(tmp_path / "run")
    assert not manager.steps
    for step in (3, 1, 2):
        manager.save(step, value=step)
    assert manager.steps == (1, 2, 3)


def test_an_optimizer_of_another_shape_is_refused(tmp_path: Path) -> None:
    weights = [torch.nn.Parameter(torch.ones(2)) for _ in range(3)]
    manager = CheckpointManager(tmp_path)
    manager.save(1, optimizer=torch.optim.SGD(weights))
    with pytest.raises(MismatchError, match=r"parameters per group \[3\] instead of \[2\]"):
        manager.restore(optimizer=torch.optim.SGD(weights[:2]))


def test_an_optimizer_state_of_another_shape_is_refused(tmp_path: Path) -> None:
    def build(width: int) -> torch.optim.Optimizer:
        weight = torch.nn.Parameter(torch.ones(width))
        optimizer = torch.optim.AdamW([weight])
        weight.grad = torch.ones(width)
        optimizer.step()
        return optimizer

    manager = CheckpointManager(tmp_path)
    manager.save(1, optimizer=build(3))
    with pytest.raises(MismatchError, match="exp_avg of parameter 0 3 instead of 2"):
        manager.restore(optimizer=build(2))


@pytest.mark.parametrize("key", ["python", "numpy", "torch"])
def test_a_random_state_that_is_none_changes_nothing(
    tmp_path: Path, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = CheckpointManager(tmp_path)
    model = torch.nn.Linear(1, 1)
    other = torch.nn.Linear(1, 1)
    before = other.weight.clone()
    state = rng.capture()
    with monkeypatch.context() as patch:
        patch.setattr(rng, "capture", lambda: state | {key: ()})
        manager.save(2, model=model)
    with pytest.raises(MismatchError, match="not a random state"):
        manager.restore(2, model=other)
    assert torch.equal(other.weight, before)
    assert rng.capture() == state


def test_an_object_gets_its_own_copy_of_the_same_types(tmp_path: Path) -> None:
    class Keeper:
        def load_state_dict(self, state: object) -> None:
            self.state: Any = state

    manager = CheckpointManager(tmp_path)
    saved: Any = torch.nn.BatchNorm1d(2).state_dict()
    manager.save(1, keeper={"model": saved, "count": Counter("aab"), "array": np.ones(2)})
    keeper = Keeper()
    manager.restore(1, keeper=keeper)
    assert type(keeper.state["model"]) is type(saved)
    assert keeper.state["model"]._metadata == saved._metadata
    assert keeper.state["count"] == Counter("aab")
    assert keeper.state["array"].flags.owndata


@pytest.mark.parametrize("which", [None, 1.5, b"x", [1]], ids=repr)
def test_what_no_checkpoint_can_be_is_one_line(tmp_path: Path, which: Any) -> None:
    with pytest.raises(CheckpointError, match="give 'latest', 'best', a step or a path"):
        CheckpointManager(tmp_path).load(which)


def test_a_step_may_be_of_numpy(tmp_path: Path) -> None:
    manager = CheckpointManager(tmp_path)
    manager.save(np.int64(5), value=1)  # type: ignore[arg-type]
    assert manager.load(np.int64(5)).step == 5  # type: ignore[arg-type]


def test_a_component_that_was_not_saved_is_named(tmp_path: Path) -> None:
    manager = CheckpointManager(tmp_path)
    manager.save(1, model=torch.nn.Linear(1, 1))
    with pytest.raises(MismatchError, match="has no scaler; it holds model, rng"):
        manager.restore(model=torch.nn.Linear(1, 1), scaler=torch.amp.GradScaler("cpu"))


def test_what_an_object_says_against_its_state_is_one_line(tmp_path: Path) -> None:
    manager = CheckpointManager(tmp_path)
    manager.save(1, scaler={"unknown": 1})
    with pytest.raises(MismatchError, match="GradScaler refuses its state as scaler") as caught:
        manager.restore(scaler=torch.amp.GradScaler("cpu"))
    assert "\n" not in str(caught.value)


def test_keys_of_another_model_are_named(tmp_path: Path) -> None:
    manager = CheckpointManager(tmp_path)
    manager.save(1, model=torch.nn.Linear(1, 1))
    with pytest.raises(
        MismatchError, match=r"it lacks 0\.weight, 0\.bias; it has also weight, bias"
    ):
        manager.restore(model=torch.nn.Sequential(torch.nn.Linear(1, 1)))


def test_config_metrics_and_digests_come_back(tmp_path: Path) -> None:
    manager = CheckpointManager(tmp_path)
    manager.save(
        1,
        config={"betas": (0.9, 0.95), "layers": [1, 2]},
        metrics={"loss": torch.tensor(0.5)},  # type: ignore[dict-item]
        digests={"tokenizer": "sha256:00"},
    )
    checkpoint = manager.load(1)
    assert checkpoint.config == {"betas": (0.9, 0.95), "layers": [1, 2]}
    assert checkpoint.metrics == {"loss": 0.5}
    assert checkpoint.digests == {"tokenizer": "sha256:00"}
