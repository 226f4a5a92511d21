"""A run that is interrupted and resumed is the run that never was, bit by bit."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codex_ml.checkpointing import rng as generators
from codex_ml.data import BatchStream
from codex_ml.training import Config, train
from tests.training.runs import losses, tensors, tiny


class Crash(Exception):  # noqa: N818  # it is no error of the program
    """The process is gone: nothing is saved, nothing is cleaned up."""


def crash_at(micro_batch: int) -> Callable[[Iterator[Any], int], Iterator[Any]]:
    def watch(batches: Iterator[Any], position: int) -> Iterator[Any]:
        for number, batch in enumerate(batches, position):
            if number == micro_batch:
                raise Crash
            yield batch

    return watch


def interrupted(config: Config, crashes: list[int]) -> None:
    """Train to the end, crashing at micro-batches counted from the start of the run."""
    for number, micro_batch in enumerate(crashes):
        torch.manual_seed(number)  # a new process knows nothing of the old one's generators
        with pytest.raises(Crash):
            train(config, resume=True, watch=crash_at(micro_batch))
    train(config, resume=True)


SETTINGS = {
    "plain": [],
    "workers": ["training.workers=2"],
    "no accumulation": ["training.accumulation=1"],
    "bfloat16": ["training.precision=bfloat16"],
    "asynchronous checkpoints": ["checkpoints.asynchronous=true"],
    "several epochs": ["data.validation=0.97", "training.batch_size=20"],
    "no clipping, no evaluation": ["optimizer.clip=0", "evaluation.every=0"],
}


@pytest.mark.parametrize("words", SETTINGS.values(), ids=SETTINGS)
def test_every_setting_resumes_exactly(words: list[str], tmp_path: Path) -> None:
    whole, broken = tiny(tmp_path / "whole", *words), tiny(tmp_path / "broken", *words)
    train(whole)
    # before the first checkpoint, inside a step, at its start, and again without progress
    interrupted(broken, [1, 7, 7])
    assert losses(tmp_path / "broken") == losses(tmp_path / "whole")
    assert tensors(tmp_path / "broken") == tensors(tmp_path / "whole")


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    run = tmp_path_factory.mktemp("whole") / "r"
    train(tiny(run))
    return run


@settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(crashes=st.lists(st.integers(0, 23), min_size=1, max_size=3))
def test_any_interruptions_change_nothing(
    crashes: list[int], whole_run: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    run = tmp_path_factory.mktemp("broken") / "r"
    interrupted(tiny(run), sorted(crashes))
    assert losses(run) == losses(whole_run)
    assert tensors(run) == tensors(whole_run)


def nothing(*arguments: object) -> None:
    """Restore nothing."""


@pytest.mark.parametrize(
    ("owner", "method"),
    [
        (generators, "restore"),
        (BatchStream, "load_state_dict"),
        (torch.optim.AdamW, "load_state_dict"),
    ],
)
def test_the_comparison_sees_what_is_not_restored(
    owner: object,
    method: str,
    whole_run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(owner, method, nothing)
    interrupted(tiny(tmp_path / "r"), [7])
    assert losses(tmp_path / "r") != losses(whole_run)
    assert tensors(tmp_path / "r") != tensors(whole_run)


def test_resuming_a_finished_run_does_nothing(whole_run: Path) -> None:
    before = tensors(whole_run), losses(whole_run)
    result = train(tiny(whole_run), resume=True)
    assert (result.step, result.loss) == (12, None)
    assert (tensors(whole_run), losses(whole_run)) == before


def test_a_run_can_be_made_longer(tmp_path: Path) -> None:
    train(tiny(tmp_path / "r"))
    assert train(tiny(tmp_path / "r", "training.steps=15"), resume=True).step == 15
    assert len(losses(tmp_path / "r")) == 15


def test_other_threads_are_reported(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    train(tiny(tmp_path / "r"), until=3)
    torch.set_num_threads(2)
    train(tiny(tmp_path / "r"), resume=True, until=4)
    assert "threads was 1 and is 2" in caplog.text
