"""Loops that an engine drives, and what it brings to them."""

import pytest

from tests.audit.build import decided
from tests.audit.practices.cases import cases

GIVEN = """
class Accelerated:
    def __init__(self, accelerator):
        self.accelerator = accelerator
    def setup(self, model):
        return self.accelerator.prepare(model)
    def train_step(self, batch):
        self.accelerator.backward(self.loss(batch))
        for name in self.names:
            optimizer = getattr(self, name)
            optimizer.step()
"""
OF_THE_TRAINER = """
import transformers
class Mine(transformers.Trainer):
    def training_step(self, model, inputs):
        reference = self.accelerator.prepare(self.reference)
        self.accelerator.backward(self.compute_loss(model, inputs, reference))
"""
HITS = {
    "distributed-init": {"an accelerator that is handed in": GIVEN},
    "distributed-data-parallel": {"an accelerator that is handed in": GIVEN},
    "distributed-single-process-fallback": {
        "an accelerator that is handed in": GIVEN,
        "an accelerator of its own": """
from accelerate import Accelerator
def main(model):
    accelerator = Accelerator()
    return accelerator.prepare(model)
""",
        "Fabric": """
from lightning.fabric import Fabric
def main(model):
    fabric = Fabric()
    return fabric.setup(model)
""",
    },
    "train-loop": {"optimizers held under computed names": GIVEN},
    "train-early-stopping": {
        "the user's function decides": """
import torch
def fit(model, optimizer, batches, stop_fn):
    for batch in batches:
        loss = model(batch)
        loss.backward()
        optimizer.step()
        if stop_fn(loss.item()):
            break
""",
    },
    "train-grad-accumulation": {
        "context of the accelerator": """
def train_step(self, batch):
    with self.accelerator.accumulate(self.model):
        return super().train_step(batch)
""",
        "gradients are synchronised with the last part": """
def backward(model, losses):
    for place, loss in enumerate(losses):
        model.set_requires_gradient_sync(place == len(losses) - 1)
        loss.backward()
""",
    },
    "train-grad-clipping": {
        "option of DeepSpeed": """
import deepspeed
class Options:
    gradient_clipping: float = 1.0
def setup(model, options):
    return deepspeed.initialize(model=model, config=options.deepspeed)
""",
    },
    "data-batching": {
        "buffer of experience": """
class ReplayBuffer:
    def sample(self, batch_size):
        return [self.items[one] for one in self.rng.integers(len(self), size=batch_size)]
""",
        "function that builds loaders": """
def get_iterator(self, dataset, training):
    return self.iterator_train(dataset, batch_size=self.batch_size)
""",
    },
    "data-rank-sharding": {
        "loader of the base class": """
class Mixin:
    def __init__(self, accelerator):
        self.accelerator = accelerator
    def get_iterator(self, *args):
        return self.accelerator.prepare(super().get_iterator(*args))
""",
    },
}
MISSES = {
    "train-grad-accumulation": {
        "accumulates no gradients": """
def update(metric, batches):
    for batch in batches:
        metric.accumulate(batch)
""",
    },
    "train-grad-clipping": {
        "field without an engine": "class Options:\n    gradient_clipping: float = 1.0\n",
    },
    "data-batching": {
        "sample of one": "class ReplayBuffer:\n    def sample(self):\n        return self.items[0]\n",
    },
    "distributed-init": {"the accelerator of a library's trainer": OF_THE_TRAINER},
    "distributed-data-parallel": {"the accelerator of a library's trainer": OF_THE_TRAINER},
    "distributed-single-process-fallback": {
        "group that is only made once": """
import torch.distributed as dist
def setup():
    if not dist.is_initialized():
        dist.init_process_group()
""",
        "group that DeepSpeed always makes": """
import deepspeed
from accelerate import Accelerator
def setup():
    deepspeed.init_distributed()
    return Accelerator()
""",
    },
    "train-mixed-precision": {
        "autocast that is switched off": """
import torch
def rotate(x, optimizer, loss):
    with torch.autocast("cuda", enabled=False):
        y = x.float()
    loss.backward()
    optimizer.step()
    return y
""",
    },
    "train-early-stopping": {
        "criterion of text generation": """
def generate(model, ids, stopping_criteria):
    while not stopping_criteria(ids, None):
        ids = model(ids)
    return ids
""",
    },
}


@pytest.mark.parametrize(("practice", "text"), cases(HITS))
def test_is_recognised(practice: str, text: str) -> None:
    assert decided(practice, text).status == "present"


@pytest.mark.parametrize(("practice", "text"), cases(MISSES))
def test_near_misses_are_none(practice: str, text: str) -> None:
    assert decided(practice, text).status == "absent"
