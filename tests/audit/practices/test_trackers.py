"""Trackers that are known by the names of classes, parameters and switches."""

import pytest

from audit.practices.trackers import trackers_in


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("WeightsAndBiases", {"wandb"}),
        ("TensorBoardLogger", {"tensorboard"}),
        ("use_wandb_or_mlflow", {"wandb", "mlflow"}),
        ("claim", set()),
        ("aim_distance", set()),
    ],
)
def test_names_of_trackers(name: str, known: set[str]) -> None:
    assert trackers_in(name) == known
