"""Data: sets, batches, splits, streams, ranks, positions and checks."""

import pytest

from tests.audit.build import decided
from tests.audit.practices.cases import cases

HITS = {
    "data-dataset": {
        "litdata": """
from torch.utils.data import IterableDataset
class Packed(IterableDataset):
    def __iter__(self):
        yield 1
""",
        "HF generator": """
from datasets import Dataset
def build(rows):
    return Dataset.from_list(rows)
""",
        "alias": """
import torch.utils.data as data
class Images(data.Dataset):
    def __getitem__(self, i): return i
""",
        "torch.utils.data.Dataset": """
import torch
class LoadImages(torch.utils.data.Dataset):
    def __getitem__(self, i): return i
""",
    },
    "data-batching": {
        "detectron2": """
import torch.utils.data as torchdata
def build(ds, batch_sampler):
    return torchdata.DataLoader(ds, batch_sampler=batch_sampler)
""",
        "collater": """
class D:
    def collater(self, samples):
        return merge(samples)
""",
        "get_batch": """
import numpy as np
def get_batch(data, batch_size, block):
    ix = np.random.randint(0, len(data), batch_size)
    return [data[i:i+block] for i in ix]
""",
    },
    "data-split": {
        "an enumeration of the parts": """
from enum import Enum
class Part(Enum):
    TRAIN = "train"
    VAL = "val"
""",
        "an object of both parts": """
from typing import NamedTuple
class Parts(NamedTuple):
    train: list
    held_out: list | None
def cut(ids, held):
    return Parts(ids[:-held], ids[-held:])
""",
        "load splits": """
from datasets import load_dataset
def load(name):
    d = load_dataset(name)
    return d["train"], d["validation"]
""",
        "sklearn": """
from sklearn.model_selection import train_test_split
def parts(x):
    return train_test_split(x)
""",
        "hf train_test_split": """
def parts(ds):
    return ds.train_test_split(test_size=0.1)
""",
        "random_split": """
import torch
def parts(ds):
    return torch.utils.data.random_split(ds, [8, 2])
""",
        "root dirs": """
import os
from torchvision.datasets import ImageFolder
def load(root):
    train = ImageFolder(os.path.join(root, "train"))
    val = ImageFolder(os.path.join(root, "val"))
    return train, val
""",
        "train flag": """
from torchvision.datasets import MNIST
def load(root):
    return MNIST(root, train=True), MNIST(root, train=False)
""",
        "is_train": """
from torchvision.datasets import ImageFolder
def build_dataset(is_train, args):
    return ImageFolder(args.root + ("/train" if is_train else "/val"))
def main(args):
    return build_dataset(is_train=True, args=args), build_dataset(is_train=False, args=args)
""",
    },
    "data-streaming": {
        "hf streaming": """
from datasets import load_dataset
def load(args):
    return load_dataset(args.name, streaming=args.streaming)
""",
        "indexed": """
import numpy as np
class MMapIndexedDataset:
    def __init__(self, path):
        self.buf = np.memmap(path, mode="r", order="C")
""",
        "wds": """
import webdataset as wds
def pipe(urls):
    return wds.WebDataset(urls)
""",
        "lmdb": """
import lmdb
def env(p):
    return lmdb.open(p, readonly=True)
""",
    },
    "data-rank-sharding": {
        "dist sampler": """
from torch.utils.data.distributed import DistributedSampler
def s(ds): return DistributedSampler(ds)
""",
        "torch full": """
import torch
def s(ds, n, r): return torch.utils.data.distributed.DistributedSampler(ds, num_replicas=n, rank=r)
""",
        "detectron2": """
import itertools
from torch.utils.data.sampler import Sampler
class TrainingSampler(Sampler):
    def __iter__(self):
        yield from itertools.islice(self._infinite_indices(), self._rank, None, self._world_size)
""",
        "megatron": """
class MegatronPretrainingSampler:
    def __init__(self, total_samples, data_parallel_rank, data_parallel_size):
        self.data_parallel_rank = data_parallel_rank
        self.start = data_parallel_rank * 4
    def __iter__(self):
        yield 1
""",
        "fairseq": """
def load(task, args, dist):
    return task.get_batch_iterator(num_shards=args.world_size, shard_id=args.rank)
""",
        "accelerate prepare": """
from accelerate import Accelerator
def main(model, optimizer, train_dataloader):
    accelerator = Accelerator()
    model, optimizer, train_dataloader = accelerator.prepare(model, optimizer, train_dataloader)
    return model
""",
        "composer": """
from composer.utils import dist
def load(ds):
    return dist.get_sampler(ds, shuffle=True)
""",
    },
    "data-resume": {
        "skip": """
def train(loader, start_iter):
    for i, b in enumerate(loader):
        if i < start_iter:
            continue
        step(b)
""",
        "accelerate": """
def main(accelerator, dl, resume_step):
    return accelerator.skip_first_batches(dl, resume_step)
""",
        "consumed": """
class PretrainSampler:
    def __init__(self, total, consumed_samples):
        self.consumed_samples = consumed_samples
    def __iter__(self):
        yield from range(self.consumed_samples, 10)
""",
        "fairseq itr state": """
class Ck:
    def save(self, trainer, epoch_itr):
        extra = {"train_iterator": epoch_itr.state_dict()}
        trainer.save_checkpoint(extra)
    def load(self, itr_state, epoch_itr):
        epoch_itr.load_state_dict(itr_state)
""",
        "stateful": """
from torchdata.stateful_dataloader import StatefulDataLoader
def l(ds): return StatefulDataLoader(ds)
""",
        "olmo": """
import torch
class IterableDataset(torch.utils.data.IterableDataset):
    def __init__(self, dataset, start_index=0):
        self.start_index = start_index
    def __iter__(self):
        return iter(range(self.start_index, 10))
""",
    },
    "data-validation": {
        "llama factory": """
import torch
def align(dataset, attr):
    for column in attr.columns:
        if column not in dataset.column_names:
            raise ValueError(f"{column} missing")
    return dataset
""",
        "keys": """
import torch
def collate(features):
    if "labels" not in features[0]:
        raise KeyError("labels are needed")
    return features
""",
        "sets of columns": """
import datasets
def check(dataset, wanted):
    missing = set(wanted) - set(dataset.column_names)
    if missing:
        raise ValueError(f"columns are missing: {missing}")
""",
    },
}  # fmt: skip

MISSES = {
    "data-dataset": {
        "data of the user": """
def fit(model, dataset):
    for sample in dataset:
        model(sample)
""",
        "a name without samples": """
class DatasetInfo:
    def __init__(self, name):
        self.name = name
""",
        "an enumeration": """
import enum
class DatasetKind(enum.Enum):
    TEXT = 1
""",
    },
    "data-batching": {
        "batches of the user": """
def fit(model, dataloader):
    for b in dataloader:
        model(b)
""",
        "a range": """
def every(n):
    return list(range(0, n, 2))
""",
        "random numbers": """
import torch
def noise(size):
    return torch.randint(0, 2, (size,))
""",
    },
    "data-split": {
        "an enumeration of what is run": """
from enum import Enum
class Command(Enum):
    TRAIN = "train"
    SAMPLE = "sample"
""",
        "settings for both parts": """
from dataclasses import dataclass
@dataclass
class Stages:
    train: "StageConfig"
    val: "StageConfig"
def default(config):
    return Stages(config, config)
""",
        "one set": """
from torch.utils.data import DataLoader
def batches(ds):
    return DataLoader(ds, batch_size=8)
""",
        "held-out data of the user": """
class T:
    def get_train_dataloader(self, train_dataset):
        return list(train_dataset)
    def get_eval_dataloader(self, eval_dataset):
        return list(eval_dataset)
""",
        "the kind of a data set": """
def describe(dataset_type):
    if dataset_type == "train":
        return "tags"
    return ""
""",
        "a word that is split": """
def words(text):
    return text.split("test")
""",
    },
    "data-streaming": {
        "read at once": """
def tokens(path):
    with open(path) as file:
        return file.read()
""",
        "streamed answers": """
def chat(client, prompt):
    return client.generate(prompt, streaming=True)
""",
        "switched off": """
from datasets import load_dataset
def load(name):
    return load_dataset(name, streaming=False)
""",
    },
    "data-rank-sharding": {
        "a report of the rank": """
import torch.distributed as dist
def log():
    print(dist.get_rank(), dist.get_world_size())
""",
        "all data": """
from torch.utils.data import DataLoader
def batches(ds):
    return DataLoader(ds)
""",
        "a model that is prepared": """
def wrap(accelerator, model):
    return accelerator.prepare(model)
""",
    },
    "data-resume": {
        "the epoch only": """
def resume(model, state):
    model.load_state_dict(state["model"])
    return state["epoch"]
""",
        "warm-up steps": """
def rate(step, warmup):
    if step < warmup:
        return step / warmup
    return 1.0
""",
        "a cache of tokens": """
class TokenCache:
    def get(self, key):
        return self.values[key]
""",
    },
    "data-validation": {
        "a missing file": """
import torch
def load(path):
    if not path.exists():
        raise FileNotFoundError(f"no file {path}")
    return torch.load(path)
""",
        "shapes inside a model": """
import torch
class Net(torch.nn.Module):
    def forward(self, x):
        if x.ndim != 4:
            raise ValueError("four dimensions")
        return x
""",
        "a bare assertion": """
import torch
def check(batch):
    assert batch.ndim == 2
    return batch
""",
    },
}  # fmt: skip


@pytest.mark.parametrize(("practice", "text"), cases(HITS))
def test_is_recognised(practice: str, text: str) -> None:
    assert decided(practice, text).status == "present"


@pytest.mark.parametrize(("practice", "text"), cases(MISSES))
def test_near_misses_are_none(practice: str, text: str) -> None:
    assert decided(practice, text).status == "absent"
