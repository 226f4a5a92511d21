"""Data: what a sample is, how batches are made, who reads which part, and what is checked."""

import re
from collections.abc import Iterator
from typing import Final

from audit.code.modules import Module
from audit.facts.model import Definition
from audit.practices.data_readers import derived, uses
from audit.practices.loops import own_name, spread
from audit.practices.options import configured
from audit.practices.ranking import central
from audit.practices.registry import Place, at, in_code, practice
from audit.repository import Repository

_DATASET: Final = r"(^|[.:])\w*(Dataset|ImageFolder|keras\.utils\.(Py)?(Dataset|Sequence)|DatasetBuilder|GeneratorBasedBuilder|DataSource|DataPipe)$"
_BUFFER: Final = re.compile(r"(replay|rollout|experience|trajectory|episode)_?(buffer|memory|pool)")
_SAMPLED: Final = re.compile(r"(data_?set|corpus|data_?source|data_?stream)$")
_LAZY: Final = (
    r"(^|[.:])(Iterable\w*|Streaming\w*|Iter)(Dataset|Source)$|IterDataPipe$|webdataset\."
)
_STREAMED: Final = re.compile(r"(^|[\s(.])datasets\.(\w+\.)*IterableDataset(Dict)?\b")
_LOADER: Final = r"(^|[.:])\w*(DataLoader|BatchSampler)$"
_COLLATES: Final = re.compile(
    r"(^|_)collat(e|er|or|ors|ion)(_|$)|^_?(get|make|next|sample)_batch(es)?$|"
    r"^_?(get|make|build|create)_(\w+_)?(data_?loaders?|data_?iterators?|batch_iterator|iterator)$"
)
_DRAWS: Final = re.compile(r"sample|batch|draw|^_?get|next|iter")


@practice("data-dataset", looks_for="a dataset class, a dataset that is built, a replay buffer")
def data_dataset(repo: Repository) -> Iterator[Place]:
    """The repository defines its data sets.

    A class derived from a library's dataset or from one that is, one that is named for
    data and gives samples, a dataset that is built or loaded by a library,
    memory-mapped tokens, or a replay buffer.

    Why:
        What the model sees is then code that can be reviewed, tested and versioned.
    Fix:
        Derive from `torch.utils.data.Dataset` with `__len__` and `__getitem__`.
    Good:
        from torch.utils.data import Dataset
        class Lines(Dataset):
            def __init__(self, lines): self.lines = lines
            def __len__(self): return len(self.lines)
            def __getitem__(self, index): return self.lines[index]
    Bad:
        def fit(model, dataset):
            for sample in dataset:
                model(sample)
    Drop-in: codex_ml.data.Tokens
    """
    buffers = [
        in_code(module, place, one.line, f"{one.name} keeps experience")
        for module, place, one in repo.definitions
        if one.kind == "class" and not one.stub and _BUFFER.search(own_name(one))
    ]
    yield from central(
        repo,
        [
            *derived(repo, _DATASET, "is a dataset"),
            *buffers,
            *_duck_typed(repo),
            *derived(repo, r"(^|[.:])\w*DataModule$", "holds datasets"),
        ],
    )
    yield from spread(uses(repo, "dataset-makers"))


def _duck_typed(repo: Repository) -> Iterator[Place]:
    """Yield classes that are named for data and give samples by index or in turn."""
    for module, place, one in repo.definitions:
        if one.kind == "class" and _SAMPLED.search(own_name(one)):
            node = module.first + place
            if any(repo.program.method(node, name) >= 0 for name in ("__getitem__", "__iter__")):
                yield in_code(module, place, one.line, f"{one.name} gives samples")


@practice("data-batching", looks_for="a data loader, a collate function, an own batch iterator")
def data_batching(repo: Repository) -> Iterator[Place]:
    """Batches are built by product code.

    A data loader is made or derived from, samples are collated, or batches are cut by a
    stepped range or drawn at random.

    Why:
        Padding, order and size of batches decide both speed and result.
    Fix:
        Hand the dataset to a `DataLoader` with the collate function it needs.
    Good:
        from torch.utils.data import DataLoader
        def batches(dataset, collate):
            return DataLoader(dataset, batch_size=8, collate_fn=collate)
    Bad:
        def fit(model, dataloader):
            for batch in dataloader:
                model(batch)
    Drop-in: codex_ml.data.BatchStream
    """
    found = [
        in_code(module, place, one.line, f"{one.name} makes batches")
        for module, place, one in repo.definitions
        if one.kind != "module" and not one.stub and _collates(module, one)
    ]
    found += [*uses(repo, "data-loaders"), *derived(repo, _LOADER, "builds batches")]
    found += [
        at(site, "cuts batches by a stepped range")
        for site in repo.calls("builtins.range")
        if len(site.call.args) == 3 and "batch" in site.call.args[2]
    ]
    found += [
        at(site, "batches the dataset")
        for site in repo.methods("batch", "padded_batch")
        if any(re.search(r"dataset|grain|tensorflow", one) for one in site.receivers)
    ]
    found += [
        at(site, "configures a sampler of batches")
        for site in configured(repo, r"^'\w*(BatchSampler|DefaultSampler|InfiniteSampler)'")
    ]
    yield from spread([*found, *_drawn(repo), *_sampling(repo)])


def _collates(module: Module, one: Definition) -> bool:
    """Tell whether a class or function that others can use is named for collating."""
    nested = module.facts.definitions[one.parent].kind == "function"
    return not nested and bool(_COLLATES.search(own_name(one)))


def _sampling(repo: Repository) -> Iterator[Place]:
    """Yield the methods by which buffers of experience give batches."""
    for module, place, one in repo.definitions:
        if one.kind == "function" and not one.stub and own_name(one).startswith("sample"):
            owner = module.facts.definitions[one.parent]
            if re.search(r"buffer|replay", own_name(owner)) and "batch_size" in one.params:
                yield in_code(module, place, one.line, f"{one.name} gives a batch of experience")


def _drawn(repo: Repository) -> Iterator[Place]:
    """Yield functions that draw as many indices at random as they are asked for."""
    for name in ("torch.randint", "numpy.random.randint", "numpy.random.permutation"):
        for site in repo.calls(name):
            if "batch_size" in site.scope.params and _DRAWS.search(own_name(site.scope)):
                yield at(site, "draws a batch at random")


def _in_memory(repo: Repository, node: int) -> bool:
    """Tell whether an iterable dataset knows its length, or counts, and reads from nothing."""
    module = repo.program.owner[node]
    methods = {
        one.name.rpartition(".")[2]: (module.first + place, one)
        for place, one in enumerate(module.facts.definitions)
        if module.first + one.parent == node
    }
    if "__iter__" not in methods:
        return any(_in_memory(repo, base) for base in repo.program.bases(node))
    for here, _ in methods.values():
        if any(_READS.search(site.method) for site in repo.by_scope.get(here, ())):
            return False
    one = methods["__iter__"][1]
    loops = [b for b in module.facts.blocks if b.kind == "for" and one.line <= b.line <= one.end]
    own = all(
        "range()" in b.text or re.search(r"(zip|enumerate|shuffled?)\(\)", b.text) for b in loops
    )
    return bool(loops) and own and ("__len__" in methods or "range()" in loops[0].text)


_READS: Final = re.compile(r"^(open|read\w*|next|iter|memmap|load\w*|get_worker_info|fetch\w*)$")
_OF_WEIGHTS: Final = re.compile(r"safetensors|checkpoint|ckpt|weights|model_load", re.IGNORECASE)
"""Files that read models, not data."""


@practice("data-streaming", looks_for="iterable, streamed, memory-mapped or sharded data")
def data_streaming(repo: Repository) -> Iterator[Place]:
    """Data larger than memory can be read.

    An iterable dataset, a streaming reader, or files that are mapped into memory.

    Why:
        Data sets outgrow memory; reading them whole then fails on the largest run.
    Fix:
        Derive from `IterableDataset`, pass `streaming=True`, or map token files with
        `numpy.memmap`.
    Good:
        import numpy as np
        def tokens(path):
            return np.memmap(path, dtype=np.uint16, mode="r")
    Bad:
        def tokens(path):
            with open(path) as file:
                return file.read()
    Drop-in: codex_ml.data.Tokens
    """
    streams = [
        at(site, "streams the data set")
        for site, value in repo.given("streaming")
        if value not in ("False", "None", "0")
        and "generat" not in site.method
        and re.search(r"load_dataset|[Dd]ataset|[Rr]eader|[Ll]oader", " ".join(site.names))
    ]
    streams += [
        at(site, "takes data sets that are streamed")
        for site in repo.calls("builtins.isinstance")
        if any(_STREAMED.search(one) for one in site.call.args[1:])
    ]
    streams += [
        at(site, "reads a table in chunks")
        for site, value in repo.given("chunksize")
        if site.names[0].startswith("pandas.read_") and value != "None"
    ]
    maps = [at(s, "maps a file into memory") for s, v in repo.given("mmap_mode") if v != "None"]
    yield from spread(
        [
            *(one for one in uses(repo, "streaming-data") if not _OF_WEIGHTS.search(one.path)),
            *(
                one
                for one in derived(repo, _LAZY, "is read lazily")
                if not _in_memory(repo, one.node)
            ),
            *streams,
            *maps,
        ]
    )
