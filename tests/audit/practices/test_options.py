"""Idioms of frameworks: options handed to engines, trackers, ranks, launches, configuration."""

import pytest

from tests.audit.build import decided
from tests.audit.practices.cases import cases

HITS = {
    "log-logger": {
        "get_logger own": """
# file: package/__init__.py
# file: package/log.py
import logging
def get_logger(name):
    return logging.getLogger(name)
# file: package/a.py
from package.log import get_logger
logger = get_logger(__name__)
def f(): logger.info("x")
# file: package/b.py
from .log import get_logger
LOG = get_logger(__name__)
def g(): LOG.warning("x")
""",
        "shared LOGGER": """
# file: package/__init__.py
# file: package/utils.py
import logging
LOGGER = logging.getLogger("p")
def h(): LOGGER.info("x")
# file: package/a.py
from package.utils import LOGGER
def f(): LOGGER.info("x")
""",
        "rank zero": """
# file: package/__init__.py
# file: package/a.py
from lightning.pytorch.utilities.rank_zero import rank_zero_info
import logging
log = logging.getLogger(__name__)
def f(): log.debug("x")
# file: package/b.py
import logging
class T:
    def __init__(self):
        self._log = logging.getLogger(__name__)
    def go(self): self._log.info("x")
""",
    },
    "log-tracker": {
        "writer attr": """
from torch.utils.tensorboard import SummaryWriter
class L:
    def __init__(self, d):
        self.tb = SummaryWriter(d)
    def log(self, k, v, s): self.tb.add_scalar(k, v, s)
""",
        "lazy wandb": """
class L:
    def __init__(self):
        import wandb
        self._wandb = wandb
        self._wandb.init()
    def log(self, m): self._wandb.log(m)
""",
        "try import": """
try:
    import wandb
except ImportError:
    wandb = None
def log(m): wandb.log(m)
""",
        "accelerate": """
def main(accelerator, args):
    accelerator.init_trackers("x", config=vars(args))
    accelerator.log({"loss": 1})
""",
        "log_with": """
from accelerate import Accelerator
def main(args):
    return Accelerator(log_with=args.report_to)
""",
        "detectron2": """
class TensorboardXWriter:
    def __init__(self, log_dir):
        from torch.utils.tensorboard import SummaryWriter
        self._writer = SummaryWriter(log_dir)
    def write(self, storage):
        self._writer.add_scalar("a", 1, 2)
""",
        "a dictionary of keywords": """
def build(cfg, kwargs):
    kwargs["report_to"] = cfg.trackers
    return kwargs
""",
    },
    "log-tracker-choice": {
        "accelerate": """
from accelerate import Accelerator
def main(args):
    return Accelerator(log_with=args.report_to)
""",
        "yolov5 Loggers": """
class Loggers:
    def __init__(self):
        from torch.utils.tensorboard import SummaryWriter
        import wandb
        self.tb = SummaryWriter("x")
        self.wandb = wandb.init()
""",
        "hf": """
from transformers import TrainingArguments
def main(args):
    return TrainingArguments("o", report_to=args.report_to)
""",
        "lightning loggers": """
from pytorch_lightning.loggers import WandbLogger, TensorBoardLogger
def build(cfg):
    if cfg.logger == "wandb":
        return WandbLogger()
    return TensorBoardLogger("x")
""",
    },
    "log-metrics-file": {
        "mae log.txt": r"""
import json, os
def main(args, loss, epoch, stats):
    loss.backward()
    log_stats = {**{f'train_{k}': v for k, v in stats.items()}, 'epoch': epoch}
    with open(os.path.join(args.output_dir, "log.txt"), mode="a", encoding="utf-8") as f:
        f.write(json.dumps(log_stats) + "\n")
""",
        "detectron2 JSONWriter": r"""
import json
class JSONWriter:
    def __init__(self, f):
        self._file_handle = open(f, "a")
    def write(self, storage):
        to_save = {"iteration": 1, "loss": 2.0}
        self._file_handle.write(json.dumps(to_save, sort_keys=True) + "\n")
def train(loss): loss.backward()
""",
        "yolov5 results.csv": r"""
from pathlib import Path
class Loggers:
    def on_fit_epoch_end(self, vals, epoch):
        x = dict(zip(self.keys, vals))
        file = self.save_dir / "results.csv"
        n = len(x) + 1
        s = "" if file.exists() else (("%20s," * n % tuple(["epoch"] + self.keys)).rstrip(",") + "\n")
        with open(file, "a") as f:
            f.write(s + ("%20.5g," * n % tuple([epoch] + vals)).rstrip(",") + "\n")
def train(loss): loss.backward()
""",
        "pandas history": """
import pandas as pd
def train(loss, history, path):
    loss.backward()
    pd.DataFrame(history).to_csv(path)
""",
    },
    "log-throughput": {
        "fairseq meters": """
import torch, time
def train(loader, meters):
    end = time.time()
    for b in loader:
        meters["batch_time"].update(time.time() - end)
        end = time.time()
""",
        "speed print": """
import time, torch
def train(n, batches):
    t0 = time.time()
    for b in batches: b.go()
    dt = time.time() - t0
    tokens_per_sec = n / dt
    print(f"tok/s {tokens_per_sec}")
""",
        "olmo": """
import time, torch
class SpeedMonitor:
    def check(self):
        interval = time.monotonic() - self.start_times[0]
        return {"throughput/device/tokens_per_second": self.n / interval}
""",
    },
    "log-rank-zero": {
        "print0": """
import torch.distributed as dist
def print0(*a):
    if dist.get_rank() == 0:
        print(*a)
""",
        "detr": """
def setup_for_distributed(is_master):
    import builtins as __builtin__
    builtin_print = __builtin__.print
    def print(*args, **kwargs):
        force = kwargs.pop('force', False)
        if is_master or force:
            builtin_print(*args, **kwargs)
    __builtin__.print = print
""",
        "is_main_process": """
from tqdm import tqdm
def main(accelerator, loader):
    for b in tqdm(loader, disable=not accelerator.is_local_main_process):
        pass
""",
        "rank in -1 0": """
import logging
LOGGER = logging.getLogger("x")
def train(RANK):
    if RANK in {-1, 0}:
        LOGGER.info("x")
""",
        "comm": """
import logging
from detectron2.utils import comm
def f(logger):
    logger = logging.getLogger("a")
    if comm.is_main_process():
        logger.info("x")
""",
        "set level": """
import logging
def setup(local_rank):
    logging.basicConfig(level=logging.INFO if local_rank in [-1, 0] else logging.WARN)
""",
        "rank_zero_only": """
from pytorch_lightning.utilities import rank_zero_only
class L:
    @rank_zero_only
    def log_metrics(self, m): self.w.add(m)
""",
        "wandb rank": """
import wandb
def main(rank):
    if rank == 0:
        wandb.init()
""",
        "an early return": """
import os
def show(text):
    if int(os.getenv("RANK", "0")) != 0:
        return
    print(text)
""",
        "a null handler": """
import logging
def setup(distributed_rank):
    logger = logging.getLogger("a")
    if distributed_rank > 0:
        logger.addHandler(logging.NullHandler())
    return logger
""",
    },
    "config-cli": {
        "hydra": """
import hydra
@hydra.main(config_path="conf", config_name="c")
def main(cfg): pass
""",
        "argparse from": """
from argparse import ArgumentParser
def main():
    p = ArgumentParser()
    p.add_argument("--lr")
    return p.parse_args()
""",
        "fire": """
import fire
def main(x): pass
if __name__ == "__main__":
    fire.Fire(main)
""",
        "tap": """
from tap import Tap
class Args(Tap):
    lr: float = 1.0
def main(): return Args().parse_args()
""",
        "omegaconf cli": """
from omegaconf import OmegaConf as om
def main(): return om.from_cli()
""",
        "typer": """
import typer
app = typer.Typer()
@app.command()
def go(): pass
""",
    },
    "config-file": {
        "om load": """
import sys
from omegaconf import OmegaConf as om
def main(path): return om.load(path)
""",
        "yacs": """
from yacs.config import CfgNode as CN
def setup(args):
    cfg = CN()
    cfg.merge_from_file(args.config_file)
    return cfg
""",
        "json hparams": """
import json
def main(args):
    with open(args.config) as f:
        return json.load(f)
""",
        "hyperpyyaml": """
from hyperpyyaml import load_hyperpyyaml
def main(f): return load_hyperpyyaml(f)
""",
        "gin": """
import gin
def main(f): gin.parse_config_file(f)
""",
        "lazyconfig": """
import importlib.util
def load(config_file):
    spec = importlib.util.spec_from_file_location("config", config_file)
    return spec
""",
        "fairseq yaml": """
import yaml
def load(p):
    with open(p) as f: return yaml.load(f, Loader=yaml.FullLoader)
""",
        "hf parser": """
from transformers import HfArgumentParser
def main(p):
    parser = HfArgumentParser((A, B))
    return parser.parse_yaml_file(p)
""",
    },
    "config-typed": {
        "dataclass args": """
from dataclasses import dataclass
@dataclass
class ModelArguments:
    name: str = "x"
""",
        "call": """
import dataclasses
@dataclasses.dataclass(frozen=True)
class TransformerConfig:
    n: int = 1
""",
        "pydantic": """
from pydantic import BaseModel
class RunConfig(BaseModel):
    lr: float = 1
""",
        "inherit": """
from dataclasses import dataclass
@dataclass
class BaseConfig:
    a: int = 1
@dataclass
class TrainerOptions(BaseConfig):
    b: int = 2
""",
        "hf pretrained": """
from dataclasses import dataclass
@dataclass
class GPTConf:
    n: int = 1
""",
    },
    "config-env": {
        "environ index": """
import os
def f(): return os.environ["MYLIB_HOME"]
""",
        "in environ": """
import os
DEBUG = "MYLIB_DEBUG" in os.environ
def f(): return DEBUG
""",
        "from import": """
from os import environ, getenv
def f(): return environ.get("MYLIB_HOME"), getenv("MY_X")
""",
        "bool helper": """
import os
def env_flag(name, default="0"):
    return os.environ.get(name, default) == "1"
FLAG = env_flag("MYLIB_FLAG")
""",
    },
    "config-validation": {
        "parser error": """
import argparse
def main():
    p = argparse.ArgumentParser()
    a = p.parse_args()
    if a.x < 0: p.error("x")
""",
        "raise": """
def validate_args(args):
    if args.a and args.b:
        raise ValueError("a and b exclude each other")
""",
        "init": """
class Net:
    def __init__(self, depth):
        if depth not in (18, 50):
            raise ValueError(f"bad depth {depth}")
""",
    },
    "distributed-init": {
        "torch": """
import torch
def init(): torch.distributed.init_process_group("nccl")
""",
        "dist alias": """
from torch import distributed as dist
def init(): dist.init_process_group(backend="nccl")
""",
        "deepspeed": """
import deepspeed
def init(): deepspeed.init_distributed()
""",
    },
    "distributed-data-parallel": {
        "nn.parallel": """
import torch.nn as nn
def w(m): return nn.parallel.DistributedDataParallel(m)
""",
        "torch.nn": """
import torch
def w(m): return torch.nn.parallel.DistributedDataParallel(m)
""",
        "lightning strategy": """
import pytorch_lightning as pl
def main(m): pl.Trainer(strategy="ddp", devices=4).fit(m)
""",
        "accelerate prepare": """
from accelerate import Accelerator
def main(m, o, dl):
    acc = Accelerator()
    m, o, dl = acc.prepare(m, o, dl)
    for b in dl:
        acc.backward(m(b))
""",
        "flax pmean": """
import jax
def step(s, b):
    g = jax.grad(f)(s, b)
    g = jax.lax.pmean(g, axis_name="batch")
    return g
""",
        "an attribute of training arguments": """
from transformers import TrainingArguments
class Arguments(TrainingArguments):
    def __post_init__(self):
        self.ddp_broadcast_buffers = False
""",
    },
    "distributed-sharded": {
        "fsdp": """
from torch.distributed.fsdp import FullyShardedDataParallel as FSDP
def w(m): return FSDP(m)
""",
        "zero opt": """
from torch.distributed.optim import ZeroRedundancyOptimizer
def o(p): return ZeroRedundancyOptimizer(p, optimizer_class=None)
""",
        "ds init": """
import deepspeed
def w(m, a): return deepspeed.initialize(model=m, args=a)
""",
        "hf option": """
from transformers import TrainingArguments
def a(args): return TrainingArguments("o", deepspeed=args.deepspeed)
""",
        "lightning": """
import pytorch_lightning as pl
def main(m): pl.Trainer(strategy="deepspeed_stage_2").fit(m)
""",
    },
    "distributed-model-parallel": {
        "megatron own": """
class ColumnParallelLinear:
    def __init__(self, n): self.n = n
    def forward(self, x): return x
""",
        "vllm": """
from vllm import LLM
def load(args): return LLM(args.m, tensor_parallel_size=args.tp)
""",
    },
    "distributed-single-process-fallback": {
        "imagenet": """
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel
def main(args, model):
    if args.distributed:
        dist.init_process_group("nccl")
        model = DistributedDataParallel(model)
""",
        "is_available": """
import torch.distributed as dist
def get_world_size():
    if not dist.is_available():
        return 1
    if not dist.is_initialized():
        return 1
    return dist.get_world_size()
""",
        "mae": """
import os, torch
def init_distributed_mode(args):
    if 'RANK' in os.environ and 'WORLD_SIZE' in os.environ:
        args.rank = int(os.environ["RANK"])
    else:
        print('Not using distributed mode')
        args.distributed = False
        return
    torch.distributed.init_process_group(backend="nccl")
""",
    },
    "train-compile": {
        "a dictionary of keywords": """
def build(cfg, kwargs):
    kwargs["torch_compile"] = cfg.compile
    return kwargs
""",
    },
    "train-mixed-precision": {
        "a field of training arguments": """
from transformers import TrainingArguments
class Arguments(TrainingArguments):
    bf16: bool = True
""",
    },
    "distributed-launch": {
        "a composed command": """
import subprocess
def launch(script, args):
    command = ["torchrun", "--nproc_per_node", "2"] + args
    return subprocess.run(command + [script])
""",
    },
}  # fmt: skip

MISSES = {
    "log-tracker": {
        "none": """
from transformers import TrainingArguments
def main():
    return TrainingArguments("o", report_to="none")
""",
        "a field elsewhere": """
class Letter:
    report_to: str = "editor"
""",
    },
    "log-tracker-choice": {
        "a fixed tracker": """
from transformers import TrainingArguments
def main():
    return TrainingArguments("o", report_to="wandb")
""",
    },
    "distributed-sharded": {
        "replicas": """
import pytorch_lightning as pl
def main(m):
    pl.Trainer(strategy="ddp").fit(m)
""",
    },
    "log-rank-zero": {
        "a return for no data": """
import torch.distributed as dist
def report(loss):
    if loss is None:
        return
    print(dist.get_rank(), loss)
""",
        "other ranks that raise": """
def check(rank, n):
    if rank != 0:
        raise ValueError(n)
""",
    },
    "distributed-launch": {
        "a command that is none": """
import subprocess
def show():
    return subprocess.run(["nvidia-smi"])
""",
    },
    "config-file": {
        "a file that is downloaded": """
import yaml
from pathlib import Path
def tasks(name):
    with open(_download_file(name)) as file:
        return yaml.safe_load(file)
def _download_file(name):
    return Path(name)
""",
    },
    "log-metrics-file": {
        "metrics on a card": """
import json
def card(loss, metrics):
    loss.backward()
    text = json.dumps(metrics)
    return f"metrics: {text}"
""",
    },
    "config-env": {
        "a launcher variable": """
import os
DISTRIBUTED = "WORLD_SIZE" in os.environ
def f():
    return DISTRIBUTED
""",
    },
}  # fmt: skip


@pytest.mark.parametrize(("practice", "text"), cases(HITS))
def test_is_recognised(practice: str, text: str) -> None:
    assert decided(practice, text).status == "present"


@pytest.mark.parametrize(("practice", "text"), cases(MISSES))
def test_near_misses_are_none(practice: str, text: str) -> None:
    assert decided(practice, text).status == "absent"
