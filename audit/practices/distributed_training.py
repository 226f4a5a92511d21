"""Distributed training: set-up, data, sharded and model parallelism, and one process."""

import re
from collections.abc import Iterator
from typing import Final

from audit.practices import meshes
from audit.practices.accelerators import driven
from audit.practices.launcher_files import told
from audit.practices.option_files import deepspeed_files
from audit.practices.options import handed
from audit.practices.origins import by_file, of_topic
from audit.practices.registry import Place, at, in_code, of_key, practice
from audit.repository import Repository
from audit.sites import Site

_DIMENSION: Final = re.compile(
    r"'(\w+_)?(tp|pp|cp|ep|sp|tensor|pipe|pipeline|context|sequence|expert|ring|ulysses)(_\w+)?'"
)
_OPTION: Final = re.compile(
    r"(tensor|pipeline|context|expert|sequence|model)_(model_)?parallel(_size|ism|_degree)?$|"
    r"^tp_(plan|size|degree)$"
)
_OWN: Final = re.compile(
    r"(tensor|pipeline|context|sequence|expert)_?parallel|(column|row|col)(wise)?_?parallel|"
    r"ring_?attention|ulysses",
    re.IGNORECASE,
)
_ASKS: Final = re.compile(r"^(_|get_|is_|has_|check_|validate_|supports_)|_(size|rank|group)$")
_COLLECTIVES: Final = ("reduce_scatter_tensor", "reduce_scatter", "_reduce_scatter_base")
_DDP_OPTIONS: Final = (
    "ddp_backend", "ddp_timeout", "ddp_find_unused_parameters", "ddp_broadcast_buffers",
    "ddp_bucket_cap_mb", "ddp_kwargs",
)  # fmt: skip
_AVERAGE: Final = re.compile(r"ReduceOp\.AVG|/ \S*(world_?size|num_replicas)", re.IGNORECASE)
_NO_GRADIENT: Final = re.compile(
    r"^[\d.]+$|loss|acc(uracy)?\b|metric|count|num_|total", re.IGNORECASE
)
_SHARDED: Final = re.compile(
    r"(Fully)?Sharded(DataParallel|DDP|Optimizer)|Zero(Redundancy|[123]|Stage\w*)?Optimizer|"
    r"^Distributed\w*Optimizer|^FSDP"
)
"""Classes of an own sharding."""
_GATHERS: Final = ("all_gather_into_tensor", "all_gather", "_all_gather_base", "broadcast")


@practice("distributed-init", looks_for="calls that set up communication between processes")
def distributed_init(repo: Repository) -> Iterator[Place]:
    """Communication between processes is set up.

    Why:
        Nothing else of a distributed run works before it, and a wrong set-up hangs
        instead of failing.
    Fix:
        Call ``torch.distributed.init_process_group`` (or use Accelerate or Fabric) at start.
    Good:
        import torch.distributed as dist
        def setup():
            dist.init_process_group("nccl")
    Bad:
        import torch.distributed as dist
        def world():
            return dist.get_world_size()
    Limits:
        A group that a library's trainer makes by itself is not counted.
    Drop-in: codex_ml.distributed
    """
    yield from by_file(repo, of_topic(repo, "communication", "sets up {}"))
    yield from (at(site, "runs its loop through the accelerator") for site in driven(repo))


@practice(
    "distributed-data-parallel", looks_for="data-parallel wrappers, engines, gradient all-reduce"
)
def distributed_data_parallel(repo: Repository) -> Iterator[Place]:
    """Training runs data-parallel.

    Sharded data parallelism (FSDP, ZeRO) is data parallelism too, and so are options by
    which product code configures an engine for it.

    Why:
        Replicas with averaged gradients are the cheapest way to a larger batch.
    Fix:
        Wrap the model in ``DistributedDataParallel`` when more than one process runs.
    Good:
        from torch.nn.parallel import DistributedDataParallel as DDP
        def wrap(model, rank):
            return DDP(model, device_ids=[rank])
    Bad:
        from torch.nn import DataParallel
        def wrap(model):
            return DataParallel(model)
    Limits:
        Gradients that are all-reduced by a function that never names them are not recognised.
    """
    yield from by_file(repo, of_topic(repo, "data-parallel", "data-parallel by {}"))
    yield from (at(site, "the accelerator wraps it for its ranks") for site in driven(repo))
    for site in repo.methods("all_reduce", "all_reduce_coalesced"):
        if _averages_gradients(site):
            yield at(site, "gradients are all-reduced")
    yield from meshes.split_along(repo, meshes.DATA, "the mesh has an axis for data")
    yield from by_file(repo, _engine_options(repo))
    yield from told(
        repo, "distributed_type", "MULTI_GPU", "the launcher is told to run in parallel"
    )
    yield from distributed_sharded(repo)


def _engine_options(repo: Repository) -> Iterator[Place]:
    for one in handed(repo, *_DDP_OPTIONS, off=True):
        yield one.place("hands {} to the engine")
    for one in handed(repo, "strategy", "distributed_backend", "accelerator"):
        if re.match(r"'(ddp|fsdp|deepspeed)", one.value):
            yield one.place("chooses a data-parallel {}")


def _averages_gradients(site: Site) -> bool:
    """Tell whether gradients are all-reduced, or something that becomes gradients averaged."""
    if any(".grad" in text for text in site.arguments()):
        return True
    if any(map(_NO_GRADIENT.search, site.call.args[:1])):
        return False
    texts = list(_texts(site))
    return any(".grad" in one for one in texts) and any(_AVERAGE.search(one) for one in texts)


def _texts(site: Site) -> Iterator[str]:
    """Yield the texts of calls and assignments in a call's own function."""
    facts, scope = site.module.facts, site.call.scope
    for call in facts.calls:
        if call.scope == scope:
            yield from (*call.names, *call.args, *(value for _, value in call.kwargs))
    for one in facts.assigns:
        if one.scope == scope:
            yield from (one.target, one.value)


@practice("distributed-sharded", looks_for="FSDP, ZeRO and other sharding of parameters or state")
def distributed_sharded(repo: Repository) -> Iterator[Place]:
    """Parameters or optimizer state are sharded over ranks.

    Besides the known wrappers, a class that reduce-scatters gradients and gathers
    parameters is a sharded optimizer; so are told to shard: the engine by the options of a
    script that starts it, DeepSpeed by its JSON file, Accelerate by its YAML file. In JAX
    an axis of the mesh, or a function that makes specifications, is named for FSDP.

    Why:
        Models whose optimizer state does not fit one device train only this way.
    Fix:
        Apply ``fully_shard`` to the blocks and the model.
    Good:
        from torch.distributed.fsdp import fully_shard
        def shard(model):
            for block in model.blocks:
                fully_shard(block)
            return fully_shard(model)
    Bad:
        from torch.nn.parallel import DistributedDataParallel
        def wrap(model):
            return DistributedDataParallel(model)
    """
    yield from by_file(repo, of_topic(repo, "sharded", "sharded by {}"))
    yield from meshes.shards_parameters(repo)
    for one in handed(repo, "strategy", "plugins"):
        if re.match(r"'(fsdp|deepspeed)", one.value):
            yield one.place("chooses a sharded {}")
    for one in handed(repo, "fsdp", "deepspeed", "fsdp_config", "parallelism_config"):
        if not one.fixed:
            yield one.place("hands {} to the engine")
    yield from told(repo, "distributed_type", "FSDP|DEEPSPEED", "the launcher is told to shard")
    for file, keys in deepspeed_files(repo):
        if (stage := keys.get("zero_optimization.stage")) and stage.value in ("1", "2", "3"):
            yield of_key(file, stage, "DeepSpeed is told to shard")
    talking = {_owner(site) for site in repo.calls("torch.distributed.*")}
    for module, place, definition in repo.classes(name=_SHARDED.pattern):
        if not definition.stub and (module.path, place) in talking:
            yield in_code(module, place, definition.line, f"own sharding: {definition.name}")
    gathering = {_owner(site) for site in repo.methods(*_GATHERS)}
    for site in repo.methods(*_COLLECTIVES):
        if _owner(site) in gathering and any(".grad" in one for one in _texts(site)):
            yield at(site, "gradients are reduce-scattered to the owner of a shard")


def _owner(site: Site) -> tuple[str, int]:
    """Return the outermost definition around a call."""
    definitions, place = site.module.facts.definitions, site.call.scope
    while place > 0 and definitions[place].parent > 0:
        place = definitions[place].parent
    return site.path, place


@practice("distributed-model-parallel", looks_for="tensor, pipeline, context or expert parallelism")
def distributed_model_parallel(repo: Repository) -> Iterator[Place]:
    """A model is split over ranks: tensor, pipeline, context or expert parallelism.

    Why:
        A layer or a sequence that does not fit one device needs it.
    Fix:
        Describe the split with ``parallelize_module`` and a device mesh.
    Good:
        from torch.distributed.tensor.parallel import ColwiseParallel, parallelize_module
        def split(model, mesh):
            return parallelize_module(model, mesh, {"up": ColwiseParallel()})
    Bad:
        def load(name, cls):
            return cls.from_pretrained(name, device_map="auto")
    Limits:
        An own split is recognised by the names of its classes and functions.
    """
    yield from by_file(repo, _splits(repo))


def _splits(repo: Repository) -> Iterator[Place]:
    yield from of_topic(repo, "model-parallel", "{}")
    yield from meshes.split_along(repo, meshes.MODEL, "the mesh has an axis for the model")
    for site in repo.calls("deepspeed.init_inference"):
        if {"tensor_parallel", "tp_size"} & {key for key, _ in site.call.kwargs} or _set(
            site.call.keyword("mp_size") or "1"
        ):
            yield at(site, "DeepSpeed tensor-parallel inference")
    for site in repo.methods("init_device_mesh", "DeviceMesh", "_flatten"):
        if any(_DIMENSION.search(text) for text in site.arguments()):
            yield at(site, "device mesh with a model-parallel dimension")
    for site in repo.all_calls:
        for key, value in site.call.kwargs:
            if (key[:3] == "tp_" or "parallel" in key) and _OPTION.search(key) and _set(value):
                yield at(site, f"{key} is given")
    for module, place, one in repo.definitions:
        name = one.name.rpartition(".")[2]
        if one.kind != "module" and not one.stub and _OWN.search(name) and not _ASKS.search(name):
            yield in_code(module, place, one.line, f"own parallelism: {name}")


def _set(value: str) -> bool:
    return value not in ("None", "1", "False", "''")
