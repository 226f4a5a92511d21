"""Loggers, trackers and rank-zero output."""

import pytest

from tests.audit.build import decided

HITS = [
    pytest.param("log-rank-zero", """
from torch.utils.tensorboard import SummaryWriter
def main(rank, folder):
    kept = SummaryWriter(folder) if rank == 0 else None
    return kept
""", id="writer of the first rank"),
    pytest.param("log-logger", """
import logging
log = logging.getLogger(__name__)
def fit():
    log.info("started")
""", id="standard logger in the only module"),
    pytest.param("log-logger", """
# file: package/__init__.py
# file: package/a.py
from loguru import logger
def a():
    logger.debug("a")
# file: package/b.py
from loguru import logger
def b():
    logger.debug("b")
""", id="loguru in two modules"),
    pytest.param("log-logger", """
# file: package/__init__.py
# file: package/logs.py
import logging
class Adapter(logging.LoggerAdapter):
    pass
def get_logger(name):
    return Adapter(logging.getLogger(name), {})
# file: package/a.py
from package.logs import get_logger
logger = get_logger(__name__)
def a():
    logger.warning("a")
# file: package/b.py
from package.logs import get_logger
logger = get_logger(__name__)
def b():
    logger.warning("b")
""", id="own logger factory"),
    pytest.param("log-tracker", """
from torch.utils.tensorboard import SummaryWriter
class Writer:
    def __init__(self, folder):
        self.writer = SummaryWriter(folder)
    def write(self, step, loss):
        self.writer.add_scalar("loss", loss, step)
""", id="TensorBoard writer kept in an attribute"),
    pytest.param("log-tracker", """
import wandb
def report(values):
    wandb.log(values)
""", id="wandb.log"),
    pytest.param("log-tracker", """
from lightning.pytorch.loggers import MLFlowLogger
def make(name):
    return MLFlowLogger(name)
""", id="logger of Lightning"),
    pytest.param("log-tracker", """
class Wandb:
    @property
    def experiment(self):
        import wandb
        return wandb.init()
    def log_metrics(self, values):
        self.experiment.log(values)
""", id="run behind a property"),
    pytest.param("log-tracker-choice", """
class Base:
    def log(self, values):
        raise NotImplementedError
class Wandb(Base):
    def log(self, values):
        import wandb
        wandb.log(values)
class Mlflow(Base):
    def log(self, values):
        import mlflow
        mlflow.log_metrics(values)
""", id="two classes with a common base"),
    pytest.param("log-tracker-choice", """
from lightning.pytorch.loggers import TensorBoardLogger, WandbLogger
def choose(name, folder):
    if name == "tensorboard":
        return TensorBoardLogger(folder)
    return WandbLogger(save_dir=folder)
""", id="option chooses a logger of Lightning"),
    pytest.param("log-tracker-choice", """
import trackio
import wandb
def send(where, values):
    if where == "wandb":
        wandb.log(values)
    else:
        trackio.log(values)
""", id="one function sends to either"),
    pytest.param("log-rank-zero", """
import os
def report(loss):
    main = int(os.environ.get("RANK", 0)) == 0
    if main:
        print(loss)
""", id="rank from the environment"),
    pytest.param("log-rank-zero", """
import torch.distributed as dist
def is_first():
    return not dist.is_initialized() or dist.get_rank() == 0
def report(loss):
    if is_first():
        print(loss)
""", id="own function that asks for the rank"),
    pytest.param("log-rank-zero", """
from accelerate import Accelerator
def fit(loss):
    accelerator = Accelerator()
    accelerator.print(loss)
""", id="Accelerator.print"),
    pytest.param("log-rank-zero", """
from tqdm.auto import tqdm
def bar(state, items):
    return tqdm(items, disable=not state.is_local_main_process)
""", id="progress bar of the main process"),
]  # fmt: skip
MISSES = [
    pytest.param("log-rank-zero", """
def main(verbose, folder, make):
    writer = make(folder) if verbose else None
    return writer
""", id="writer that an option chooses"),
    pytest.param("log-logger", "def fit():\n    print('started')\n", id="print"),
    pytest.param("log-logger", """
import logging
logging.getLogger("urllib3").setLevel(logging.ERROR)
""", id="level of another library"),
    pytest.param("log-logger", """
# file: package/__init__.py
# file: package/a.py
import logging
def a():
    logging.info("a")
# file: package/b.py
def b():
    print("b")
""", id="one module of two"),
    pytest.param("log-tracker", "import wandb\nVERSION = wandb.__version__\n", id="only imported"),
    pytest.param("log-tracker", """
def report(values):
    '''Call wandb.log(values).'''
    # wandb.log(values)
    print("wandb.log", values)
""", id="named in comments and strings"),
    pytest.param("log-tracker", """
# file: package/__init__.py
def fit():
    return 1
# file: examples/train.py
import wandb
wandb.log({"loss": 1})
""", id="tracker in an example"),
    pytest.param("log-tracker-choice", "import wandb\ndef f(v):\n    wandb.log(v)\n", id="one"),
    pytest.param("log-tracker-choice", """
import mlflow
import wandb
def train(values):
    wandb.log(values)
def publish(values):
    mlflow.log_metrics(values)
""", id="two trackers that do not share anything"),
    pytest.param("log-tracker-choice", """
import csv
import wandb
def send(where, values, file):
    if where == "wandb":
        wandb.log(values)
    else:
        csv.writer(file).writerow(values)
""", id="a tracker and a file"),
    pytest.param("log-rank-zero", """
def report(lora):
    if lora.rank > 16:
        print("large rank")
""", id="rank of a low-rank adapter"),
    pytest.param("log-rank-zero", """
import torch.distributed as dist
def save(model, path):
    if dist.get_rank() == 0:
        model.save(path)
""", id="guarded saving"),
    pytest.param("log-rank-zero", "def report(loss):\n    print(loss)\n", id="unguarded print"),
]  # fmt: skip


@pytest.mark.parametrize(("practice", "text"), HITS)
def test_it_is_present(practice: str, text: str) -> None:
    result = decided(practice, text)
    assert result.status == "present", result


@pytest.mark.parametrize(("practice", "text"), MISSES)
def test_it_is_absent(practice: str, text: str) -> None:
    result = decided(practice, text)
    assert result.status == "absent", result
