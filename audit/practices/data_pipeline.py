"""Data: what a sample is, how batches are made, who reads which part, and what is checked."""

import re
from collections.abc import Iterator
from typing import Final

from audit.code.modules import Module
from audit.facts.model import Assign, Definition, Raise
from audit.practices.loops import (
    classes_around,
    derives,
    learns,
    library_calls,
    own_name,
    scope_at,
    spread,
    words,
)
from audit.practices.ranking import central
from audit.practices.registry import Place, at, in_code, practice
from audit.repository import Repository, Site, blocks_from

_DATASET: Final = r"(^|[.:])\w*(Dataset|DatasetBuilder|GeneratorBasedBuilder|DataSource|DataPipe)$"
_BUFFER: Final = re.compile(r"(replay|rollout|experience|trajectory|episode)_?(buffer|memory|pool)")
_SAMPLED: Final = re.compile(r"(data_?set|corpus|data_?source|data_?stream)$")
_LAZY: Final = (
    r"(^|[.:])(Iterable\w*|Streaming\w*|Iter)(Dataset|Source)$|IterDataPipe$|webdataset\."
)
_LOADER: Final = r"(^|[.:])\w*(DataLoader|BatchSampler)$"
_COLLATES: Final = re.compile(
    r"(^|_)collat(e|er|or|ors|ion)(_|$)|^_?(get|make|next|sample)_batch(es)?$"
)
_DRAWS: Final = re.compile(r"sample|batch|draw|^_?get|next|iter")
_HELD_OUT: Final = r"(validation|valid|val|test|dev|eval|heldout|held_out)"
_SPLIT_TEST: Final = re.compile(
    rf"\b\w*(split|partition|subset|phase|fold|mode|stage|(?<!data)set)\w*\]? (==|in|!=) "
    rf"[\[(]?('\w+', )*'(train|training|{_HELD_OUT[1:]}'"
)
_SPLITS: Final = re.compile(
    rf"(^|_)(has_)?({_HELD_OUT})_(docs|examples|data|samples)$|(^|_)train\w*_(and_)?{_HELD_OUT}(_|$)|(^|_){_HELD_OUT}_split(_|$)"
)
_HOLDS_OUT: Final = re.compile(rf"(^|[@._'/]){_HELD_OUT}(_|'|\b|$)")
_HELD_LOADER: Final = re.compile(rf"(^|_){_HELD_OUT}_?(data|loader|set|ds)")
_HELD_NAME: Final = re.compile(_HELD_OUT)
_HELD_KEY: Final = re.compile(rf"load_dataset\(\)\['{_HELD_OUT}'\]")
_KEYS: Final = re.compile(
    rf"(load|data)\w*(\(\))?\['train'\].*\['{_HELD_OUT}'\]|load_dataset\(\)\['{_HELD_OUT}'\]"
)
_PASSED: Final = re.compile(rf"[@.]\w*{_HELD_OUT}_?(data|loader|set|ds)\w*( |$)")
_RANK: Final = re.compile(r"rank|process_index|local_process|shard_id|worker_id", re.IGNORECASE)
_RANKS: Final = re.compile(
    r"world_size|num_replicas|num_process|num_shards|ranks|dp_size|parallel_size|num_parts",
    re.IGNORECASE,
)
_SAMPLER: Final = re.compile(r"(^|[.:])\w*(Sampler|Dataset|DataLoader)$")
_ENGINE: Final = re.compile(r"accelerator|Accelerator\(\)|fabric|Fabric\(\)")
_LOADERS: Final = re.compile(r"DataLoader\(\)|data_?loader|\bloader|^\*", re.IGNORECASE)
_HOLDER: Final = re.compile(
    r"(^|_|\W)(\w*data_?loaders?|dataset|sampler|loader|data_iter|batch_iter|"
    r"data_stream|epoch_itr|train_iterator|data_iterator)s?$"
)
_HOLDS_DATA: Final = re.compile(
    r"data(?!_parallel)(?!_proto)|loader|sampler|iterator|batch|stream|reader|corpus|fetcher"
)
_RESUMES: Final = re.compile(
    r"^(\w+_)?(resume_state(_dict)?|start_(batch|index|sample|iter)\w*|skip_(batches|steps|rows|samples)|"
    r"data_state|offset_batches|initial_(iter|batch)|samples_seen|consumed_samples)$"
)
_BELOW_START: Final = re.compile(
    r"<=? [@.\w]*\b\w*(start|resume|skip)_?(from_)?\w*(iter\w*|step|batch\w*|idx|index)\b"
)
_REMAINS: Final = re.compile(
    r"(^|_)(missing|remaining|pending|unfinished|uncached|skip_(existing|done|completed|evaluated))_"
    r"(eval\w*|requests?|samples?|tasks?|docs?|examples?|instances?|predictions?)(_|$)|"
    r"^(caching|cached)_(lm|llm|model|requests?|predictions?|responses?)$"
)
_STATE_KEY: Final = re.compile(r"'\w*(data_?loader|sampler|dataset|data_iter\w*|data_state)\w*':")
_SAMPLES: Final = re.compile(
    r"@\w*(dataset|dataloader|batch(?!_size)|samples?|examples?|rows?|records?|observations?|"
    r"messages?|conversations?|columns?|dataframe|df|model_input|layer_input|docs?)s?\b|"
    r"column_names|\.columns\b"
)
_VALUES: Final = re.compile(
    r"@(\w*(preds?|predictions?|inputs?|labels?|targets?|data|features?|annotations?|texts?|images?|items?|entry|obs|"
    r"schema|input)|x|y)\b|self\.\w*(dataset|data|samples?|columns?|records?)\b"
)
_FILES: Final = re.compile(r"exists\(\)|is_?file\(\)|is_?dir\(\)|suffix|endswith|os\.path|\.path\b")
_DATA_SCOPE: Final = re.compile(
    r"data(set|_?loader|_?module|_source)?|collat|sampler|reader|sample|example|preprocess|"
    r"transform|check_env|vec_env|corpus|feature|schema|corda|observation|"
    r"(check|validate)_\w*(target|label|input|pred|tensor|image|box|shape)"
)
_OTHER: Final = re.compile(
    r"NotImplemented|FileNotFound|Import|StopIteration|IndexError|Deprecat|Module|Config|Timeout|HTTP"
)
_CHECKS: Final = re.compile(
    r"isinstance|not in |builtins\.(len|set|type|all|any)\(\)|shape|ndim|dim\(\)|dtype|columns|"
    r"keys\(\)|isnan|isfinite|is None|[<>]|!=|\.size"
)


def _library(repo: Repository, topic: str) -> Iterator[Place]:
    return (at(site, f"uses {what}") for site, what in library_calls(repo, topic))


def _derived(repo: Repository, bases: str, says: str) -> Iterator[Place]:
    for module, place, one in repo.classes(bases):
        if not one.stub or one.bases:
            yield in_code(module, place, one.line, f"{one.name} {says}")


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
            *_derived(repo, _DATASET, "is a dataset"),
            *buffers,
            *_duck_typed(repo),
            *_derived(repo, r"(^|[.:])\w*DataModule$", "holds datasets"),
        ],
    )
    yield from spread(_library(repo, "dataset-makers"))


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
    found += [*_library(repo, "data-loaders"), *_derived(repo, _LOADER, "builds batches")]
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
    yield from spread([*found, *_drawn(repo)])


def _collates(module: Module, one: Definition) -> bool:
    """Tell whether a class or function that others can use is named for collating."""
    nested = module.facts.definitions[one.parent].kind == "function"
    return not nested and bool(_COLLATES.search(own_name(one)))


def _drawn(repo: Repository) -> Iterator[Place]:
    """Yield functions that draw as many indices at random as they are asked for."""
    for name in ("torch.randint", "numpy.random.randint", "numpy.random.permutation"):
        for site in repo.calls(name):
            if "batch_size" in site.scope.params and _DRAWS.search(own_name(site.scope)):
                yield at(site, "draws a batch at random")


@practice("data-split", looks_for="separate training and held-out data")
def data_split(repo: Repository) -> Iterator[Place]:
    """Training and held-out data are kept apart.

    A split is made by a library or by hand, or one is selected by its name.

    Why:
        A metric on training data measures memory, not skill.
    Fix:
        Split once with a fixed seed (or load the published splits) and name the parts.
    Good:
        from torch.utils.data import random_split
        def parts(dataset):
            return random_split(dataset, [0.9, 0.1])
    Bad:
        from torch.utils.data import DataLoader
        def batches(dataset):
            return DataLoader(dataset, batch_size=8)
    """
    found = [*_library(repo, "splitters")]
    found += [at(s, "splits the data") for s in repo.methods("train_test_split", "random_split")]
    for keyword in ("split", "split_name", "subset", "data_split"):
        for site, value in repo.given(keyword):
            if _HOLDS_OUT.search(value):
                found.append(at(site, f"selects {value[:40]}"))
    found += [
        at(site, f"selects {site.call.args[-1][:40]}")
        for site in repo.methods("load_dataset", "get_split", "load_split", "load_datasplit")
        if any(re.fullmatch(rf"'{_HELD_OUT}(\[.*\])?'", one) for one in site.call.args)
    ]
    found += [
        in_code(module, place, one.line, f"{one.name} gives training and held-out data")
        for module, place, one in repo.definitions
        if one.kind == "function" and not one.stub and _gives_splits(own_name(one))
    ]
    found += [
        in_code(module, one.scope, one.line, f"makes {one.target}")
        for module, one in repo.assigns(rf"^self\._?{_HELD_OUT}_(data|loader|set|ds)\w*$")
        if "()" in one.value and not _is_handed(module, one)
    ]
    found += [*_both_folders(repo), *_both_flags(repo), *_both_keys(repo)]
    yield from spread([*found, *_compared_splits(repo), *_both_loaders(repo)])


def _is_handed(module: Module, one: Assign) -> bool:
    """Tell whether a held-out set is only made from one that the user passes in."""
    last = next((c.line for c in module.facts.calls if c.line > one.line + 3), one.line + 3)
    return any(
        _PASSED.search(text)
        for call in module.facts.calls
        if call.scope == one.scope and one.line <= call.line <= min(last, one.line + 3)
        for text in call.args
    )


def _both_folders(repo: Repository) -> Iterator[Place]:
    """Yield functions that join paths of training and of held-out data."""
    parts: dict[int, set[str]] = {}
    for site in repo.calls("os.path.join"):
        last = site.call.args[-1].strip("'") if site.call.args else ""
        node = site.module.first + site.call.scope
        parts.setdefault(node, set()).add(last)
        if "train" in parts[node] and any(map(_HELD_NAME.fullmatch, parts[node])):
            yield at(site, "reads folders of training and held-out data")


def _both_flags(repo: Repository) -> Iterator[Place]:
    """Yield calls that are made once for training data and once for other data."""
    flags: dict[str, set[str]] = {}
    for site, value in repo.given("train", "is_train", "is_training"):
        if value in ("True", "False") and re.search(r"data|Data|MNIST|CIFAR", site.names[0]):
            known = flags.setdefault(site.names[0], set())
            known.add(value)
            if len(known) == 2:
                yield at(site, "makes training and held-out data")


def _both_keys(repo: Repository) -> Iterator[Place]:
    """Yield functions that take the training and a held-out part of loaded data."""
    for module, place, one in repo.definitions:
        if any(map(_KEYS.search, one.returns)):
            yield in_code(module, place, one.line, "takes the parts of loaded data")
    for site in repo.methods("get", "map", "select", "filter", "DataLoader", "with_format"):
        if any(map(_HELD_KEY.search, (*site.names, *site.arguments()))):
            yield at(site, "takes the held-out part of loaded data")


def _gives_splits(name: str) -> bool:
    return bool(_SPLITS.search(name)) and not re.match(r"_*(verify|check|validate|has|is)_", name)


def _compared_splits(repo: Repository) -> Iterator[Place]:
    """Yield where the name of a split decides which data is taken."""
    for module in repo.product:
        for block in module.facts.blocks:
            if block.kind == "if" and _SPLIT_TEST.search(block.text):
                scope = scope_at(module, block.line)
                yield in_code(module, scope, block.line, "takes data by the name of the split")
        for one in module.facts.assigns:
            if " if " in one.value and _SPLIT_TEST.search(one.value):
                yield in_code(module, one.scope, one.line, "takes data by the name of the split")


def _takes_held(module: Module, place: int) -> bool:
    """Tell whether a function is given the held-out data that it loads."""
    return any(_PASSED.search(f"@{one}") for one in module.facts.definitions[place].params)


def _both_loaders(repo: Repository) -> Iterator[Place]:
    """Yield classes and functions that make loaders for training and for held-out data."""
    for module in repo.product:
        made = {
            own_name(one): place
            for place, one in enumerate(module.facts.definitions)
            if one.kind == "function" and not one.stub
        }
        held = [
            name
            for name in made
            if _HELD_LOADER.search(name) and not _takes_held(module, made[name])
        ]
        if held and any(
            re.search(r"(^|_)train(ing)?_?(data|loader|set|ds)", name) for name in made
        ):
            place = made[held[0]]
            line = module.facts.definitions[place].line
            yield in_code(module, place, line, "makes held-out data beside training data")


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
    maps = [at(s, "maps a file into memory") for s, v in repo.given("mmap_mode") if v != "None"]
    yield from spread(
        [
            *_library(repo, "streaming-data"),
            *_derived(repo, _LAZY, "is read lazily"),
            *streams,
            *maps,
        ]
    )


@practice("data-rank-sharding", looks_for="a sampler or slice that gives each rank its own part")
def data_rank_sharding(repo: Repository) -> Iterator[Place]:
    """Each rank reads its own part of the data.

    A distributed sampler, a split by node, or an index that strides by rank and size.

    Why:
        Ranks that read the same samples pay for parallelism without more data.
    Fix:
        Use `DistributedSampler` (and `set_epoch`), or `split_dataset_by_node` for streams.
    Good:
        from torch.utils.data import DataLoader
        from torch.utils.data.distributed import DistributedSampler
        def batches(dataset):
            return DataLoader(dataset, sampler=DistributedSampler(dataset))
    Bad:
        import torch.distributed as dist
        def log(text):
            if dist.get_rank() == 0:
                print(text, dist.get_world_size())
    Drop-in: codex_ml.data.BatchStream
    """
    found = [
        *_library(repo, "rank-sharding"),
        *_derived(repo, r"DistributedSampler$", "splits by rank"),
    ]
    found += [at(site, "gives each rank its own slice") for site in _strides(repo)]
    found += [at(site, "the engine gives each rank its part") for site in _prepared(repo)]
    found += [
        in_code(module, place, one.line, f"{one.name} is given rank and size")
        for module, place, one in repo.definitions
        if one.kind == "function"
        and not one.stub
        and _takes_rank(one.params)
        and any(map(_HOLDS_DATA.search, _names_around(module, place)))
    ]
    found += [
        in_code(module, place, one.line, f"{one.name} splits by rank")
        for module, place, one in repo.definitions
        if one.kind == "class" and re.match(r"distributed_\w*sampler", own_name(one))
    ]
    for module, _, one in repo.definitions:
        if one.name.endswith(".__init__") and _takes_rank(one.params):
            owner = module.first + one.parent
            named = module.facts.definitions[one.parent].name
            if any(map(_SAMPLER.search, (named, *repo.program.ancestry(owner)))):
                found.append(in_code(module, one.parent, one.line, "is given rank and size"))
    for module in repo.product:
        for block in module.facts.blocks:
            inside = block.parent >= 0 and module.facts.blocks[block.parent].kind == "for"
            if inside and " % " in block.text and _ranked(block.text):
                scope = scope_at(module, block.line)
                found.append(in_code(module, scope, block.line, "skips what other ranks read"))
        for step in module.facts.assigns:
            if step.operator == "+=" and _is_rank_count(step.value):
                found.append(in_code(module, step.scope, step.line, "strides by the rank count"))
    yield from spread(found)


def _prepared(repo: Repository) -> Iterator[Site]:
    """Yield calls that hand a loader to an engine, which splits it over the ranks."""
    for site in repo.methods("prepare", "prepare_data_loader", "setup_dataloaders"):
        if any(_ENGINE.search(one) for one in site.receivers) and (
            site.method != "prepare" or any(map(_LOADERS.search, site.arguments()))
        ):
            yield site


def _names_around(module: Module, scope: int) -> tuple[str, ...]:
    one = module.facts.definitions[scope]
    return own_name(one), *(own_name(c) for _, c in classes_around(module, scope))


def _is_rank_count(text: str) -> bool:
    return bool(
        re.fullmatch(r"[@.\w]*(world_size|num_replicas|num_processes|num_shards)(\(\))?", text)
    )


def _ranked(text: str) -> bool:
    return bool(_RANK.search(text) and _RANKS.search(text))


def _takes_rank(params: tuple[str, ...]) -> bool:
    return any(map(_RANK.search, params)) and any(map(_RANKS.search, params))


def _strides(repo: Repository) -> Iterator[Site]:
    """Yield slices and shards whose arguments are a rank and a number of ranks."""
    for site, _ in repo.given("num_shards", "num_replicas", "num_parts"):
        keys = " ".join(name for name, _ in site.call.kwargs)
        if _RANK.search(keys) and _HOLDS_DATA.search(words(site.method)):
            yield site
    for site in (*repo.calls("itertools.islice"), *repo.methods("shard")):
        if _ranked(" ".join([*site.arguments(), *(name for name, _ in site.call.kwargs)])):
            yield site
    for site in repo.calls("builtins.range"):
        match site.call.args:
            case (start, _, step) if _RANK.search(start) and _RANKS.search(step):
                yield site


@practice("data-resume", looks_for="a saved position in the data, or batches that are skipped")
def data_resume(repo: Repository) -> Iterator[Place]:
    """The position in the data survives a restart.

    A loader, sampler or dataset has state that is saved and restored, batches that were
    seen are skipped, or an interrupted evaluation runs only what is missing.

    Why:
        A resumed run that starts the epoch again trains twice on its first part.
    Fix:
        Save the loader's `state_dict()` in the checkpoint (`StatefulDataLoader`), or skip
        the batches of the interrupted epoch.
    Good:
        class TokenLoader:
            def __init__(self): self.position = 0
            def state_dict(self): return {"position": self.position}
            def load_state_dict(self, state): self.position = state["position"]
    Bad:
        def resume(model, state):
            model.load_state_dict(state["model"])
            return state["epoch"]
    Drop-in: codex_ml.data.BatchStream
    """
    found = [*_library(repo, "data-resuming"), *_stateful(repo)]
    found += [
        at(site, "restores the position in the data")
        for site in repo.methods("load_state_dict", "set_state")
        if any(_HOLDER.search(words(one.rpartition(".")[2])) for one in site.receivers)
    ]
    found += [
        at(site, "skips batches that were seen") for site in repo.methods("skip_first_batches")
    ]
    found += [
        in_code(module, one.scope, one.line, "keeps the loader in the training state")
        for module in repo.product
        for one in module.facts.assigns
        if _STATE_KEY.search(one.value) and "'optimizer" in one.value
    ]
    found += [
        in_code(module, place, one.line, f"{one.name} starts where it is told to")
        for module, place, one in repo.definitions
        if one.kind == "function" and not one.stub and _starts_late(module, place)
    ]
    found += [
        in_code(module, place, one.line, f"{one.name} leaves out what was evaluated before")
        for module, place, one in repo.definitions
        if one.kind != "module" and not one.stub and _REMAINS.search(own_name(one))
    ]
    yield from spread([*found, *_skipped(repo)])


def _starts_late(module: Module, scope: int) -> bool:
    """Tell whether something that reads data takes the position to start at."""
    one = module.facts.definitions[scope]
    names = _names_around(module, scope)
    return any(map(_RESUMES.match, one.params)) and any(map(_HOLDS_DATA.search, names))


def _stateful(repo: Repository) -> Iterator[Place]:
    for module, place, one in repo.definitions:
        if one.kind == "class" and _HOLDS_DATA.search(own_name(one)):
            methods = {
                d.name.rpartition(".")[2]: d
                for d in module.facts.definitions
                if d.parent == place and not d.stub
            }
            if "state_dict" in methods and methods.keys() & {"load_state_dict", "set_state"}:
                line = methods["state_dict"].line
                yield in_code(module, place, line, f"{one.name} saves its position")


def _skipped(repo: Repository) -> Iterator[Place]:
    """Yield batches that are passed over: drawn in a counted loop, or below where to start."""
    for module in repo.product:
        for block in module.facts.blocks:
            if block.kind == "if" and _BELOW_START.search(block.text):
                around = list(blocks_from(module, block.parent))
                if around and around[0].kind == "for":
                    scope = scope_at(module, block.line)
                    yield in_code(module, scope, block.line, "skips batches that were seen")
    for site in repo.calls("builtins.next"):
        if site.within("for", r"range\(\)") and not site.within("while"):
            resumed = " ".join(one.text for one in site.blocks() if one.kind == "if")
            if re.search(r"resum|start_|initial|skip", resumed):
                yield at(site, "skips batches that were seen")


@practice("data-validation", looks_for="errors for input data of the wrong shape, type or columns")
def data_validation(repo: Repository) -> Iterator[Place]:
    """Input data is checked, with an explicit error.

    An error is raised because of the type, keys, columns, range or shape of a sample,
    batch or dataset. Missing files and asserts do not count.

    Why:
        Bad rows otherwise surface as a shape error deep in the model, or not at all.
    Fix:
        Check columns, types and ranges where data enters and raise an error that names them.
    Good:
        import datasets
        def check(dataset, wanted):
            missing = set(wanted) - set(dataset.column_names)
            if missing:
                raise ValueError(f"columns are missing: {sorted(missing)}")
    Bad:
        def load(path):
            if not path.exists():
                raise FileNotFoundError(f"no file {path}")
            return path.read_text()
    Drop-in: codex_ml.data.open_tokens
    """
    if not learns(repo):
        return
    yield from spread(
        in_code(module, one.scope, one.line, "raises an error for data that does not fit")
        for module in repo.product
        for one in _rejections(repo, module)
    )


def _rejections(repo: Repository, module: Module) -> Iterator[Raise]:
    """Yield the errors that are raised because of what data holds."""
    raised = [one for one in module.facts.raises if one.message and not _OTHER.search(one.name)]
    if not raised:
        return
    said: dict[int, list[str]] = {}
    for call in module.facts.calls:
        said.setdefault(call.line, []).extend(call.args)
    for one in raised:
        tests = [b for b in blocks_from(module, one.block) if b.kind in ("if", "else")][:2]
        texts = [f"{b.text} {' '.join(said.get(b.line, ()))}" for b in tests]
        if any(_concerns_data(repo, module, one.scope, text) for text in texts):
            yield one


def _concerns_data(repo: Repository, module: Module, scope: int, text: str) -> bool:
    """Tell whether a condition looks into samples: a model's own shape checks do not."""
    if not _CHECKS.search(text) or _FILES.search(text):
        return False
    if derives(repo, module, scope, r"nn\.(modules\.\w+\.)?Module$"):
        return False
    if _SAMPLES.search(text):
        return True
    one = module.facts.definitions[scope]
    if "builtins.set() - builtins.set()" in text:
        return any(_SAMPLES.search(f"@{name}") for name in one.params)
    names = _names_around(module, scope)
    return bool(_VALUES.search(text)) and any(map(_DATA_SCOPE.search, names))
