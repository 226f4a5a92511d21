"""Trackers that are known by the classes and switches that are named for them."""

import pytest

from audit.practices.trackers import trackers_in
from tests.audit.build import decided
from tests.audit.practices.cases import cases

HITS = {
    "log-tracker": {
        "run handed to a callback of its own": """
class NeptuneLogger(Callback):
    def __init__(self, run):
        self.run = run
    def on_epoch_end(self, net):
        self.run["loss"].append(net.loss)
""",
        "library imported by its name": """
from importlib import import_module
class TensorBoard:
    def __init__(self, folder):
        self.writer = import_module("torch.utils.tensorboard").SummaryWriter(folder)
    def log(self, step, values):
        for name, value in values.items():
            self.writer.add_scalar(name, value, step)
""",
        "field of own training arguments": """
from dataclasses import dataclass
@dataclass
class TrainingArguments:
    report_to: str = "all"
""",
    },
    "log-tracker-choice": {
        "callbacks beside each other": """
class WandbLogger(Callback):
    def on_epoch_end(self, net):
        self.run.log(net.last)
class MlflowLogger(Callback):
    def on_epoch_end(self, net):
        self.client.log_batch(net.last)
""",
        "switches of one function": """
def log_scalar(key, value, step, use_wandb, tensorboard_writer=None):
    if use_wandb:
        send(key, value)
    if tensorboard_writer:
        tensorboard_writer.add_scalar(key, value, step)
""",
        "default of a field that users set": """
class TrainingArguments:
    report_to: str = "all"
""",
    },
}
MISSES = {
    "log-tracker": {
        "class that only checks": """
class WandbInstalled:
    def check(self):
        return self.spec is not None
""",
        "comet the translation metric": """
class CometKiwiScore:
    def compute(self, sources, guesses):
        return self.model.predict(sources, guesses)
""",
    },
    "log-tracker-choice": {
        "two classes of one tracker": """
class WandbLogger:
    def log(self, values):
        self.run.log(values)
class WandbTable:
    def log(self, rows):
        self.run.log(rows)
""",
        "two switches of one tracker": """
def init(wandb_project, wandb_entity):
    return wandb_project, wandb_entity
""",
    },
}


@pytest.mark.parametrize(("practice", "text"), cases(HITS))
def test_is_recognised(practice: str, text: str) -> None:
    assert decided(practice, text).status == "present"


@pytest.mark.parametrize(("practice", "text"), cases(MISSES))
def test_near_misses_are_none(practice: str, text: str) -> None:
    assert decided(practice, text).status == "absent"


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
