"""Distributed training: initialisation, data, sharded and model parallelism, launch, fallback."""

import re
from collections.abc import Iterator
from typing import Final

from audit.practices.libraries import library, named
from audit.practices.origins import by_file
from audit.practices.processes import guards
from audit.practices.registry import Place, at, in_file, practice
from audit.repository import Repository

_GUARD: Final = re.compile(
    r"is_initialized\(\)|is_available\(\)|is_dist_avail|world_size|WORLD_SIZE|os\.environ\['RANK'\]|"
    r"'(RANK|WORLD_SIZE|LOCAL_RANK)' in os\.environ|num_processes|use_distributed|\.distributed\b|"
    r"\bddp\b|num_devices|\bdevices\b|n_gpu|num_gpus|_is_distributed|is_distributed"
)


@practice("distributed-init", looks_for="calls that set up communication between processes")
def distributed_init(repo: Repository) -> Iterator[Place]:
    """Communication between processes is set up.

    Why:
        Nothing else of a distributed run works before it, and a wrong setup hangs instead of failing.
    Fix:
        Call ``torch.distributed.init_process_group`` (or use Accelerate or Fabric) once at start.
    Good:
        import torch.distributed as dist
        def setup():
            dist.init_process_group("nccl")
    Bad:
        import torch.distributed as dist
        def world():
            return dist.get_world_size()
    Drop-in: codex_ml.distributed
    """
    yield from by_file(
        at(site, f"sets up {library('communication', site.names)}")
        for site in repo.calls(*named("communication"))
    )


@practice(
    "distributed-data-parallel", looks_for="data-parallel wrappers, engines or gradient all-reduce"
)
def distributed_data_parallel(repo: Repository) -> Iterator[Place]:
    """Training runs data-parallel.

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
    """
    yield from by_file(
        at(site, f"data-parallel by {library('data-parallel', site.names)}")
        for site in repo.calls(*named("data-parallel"))
    )
    for site in repo.calls("torch.distributed.all_reduce"):
        if any(re.search(r"\.grad\b", one) for one in site.arguments()):
            yield at(site, "gradients are all-reduced")
    yield from distributed_sharded(repo)


@practice(
    "distributed-sharded",
    looks_for="FSDP, ZeRO and other sharding of parameters or optimizer state",
)
def distributed_sharded(repo: Repository) -> Iterator[Place]:
    """Parameters or optimizer state are sharded over ranks.

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
    yield from by_file(
        at(site, f"sharded by {library('sharded', site.names)}")
        for site in repo.calls(*named("sharded"))
    )


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
    """
    yield from by_file(
        at(site, library("model-parallel", site.names))
        for site in repo.calls(*named("model-parallel"))
    )
    options = re.compile(
        r"(tensor|pipeline|context|expert|sequence)_(model_)?parallel(_size|ism|_degree)?$|^tp_(plan|size)$"
    )
    for site in repo.all_calls:
        for key, value in site.call.kwargs:
            if options.search(key) and value not in ("None", "1", "False"):
                yield at(site, f"{key} is given")


@practice(
    "distributed-launch",
    looks_for="a launcher or a launch command for an own entry point",
    code=False,
)
def distributed_launch(repo: Repository) -> Iterator[Place]:
    """A launch on several processes is given.

    Why:
        How many processes, which entry point and which options is what a user cannot guess.
    Fix:
        Show the ``torchrun`` command of the entry point in the README.
    Good:
        # file: train.py
        def main():
            pass
        # file: README.md
        # Demo

        ```sh
        torchrun --nproc_per_node 2 train.py
        ```
    Bad:
        # file: train.py
        def main():
            pass
        # file: README.md
        # Demo

        ```sh
        python train.py
        ```
    """
    for file, command in repo.commands:
        if _LAUNCH.search(command.text) and _own(repo, command.text):
            yield in_file(file, command.line, "launch command", command.text[:60])
    for site in repo.calls(*named("process-launchers")):
        yield at(site, f"starts processes with {library('process-launchers', site.names)}")


_LAUNCH: Final = re.compile(
    r"(^|[\s/;&(])(torchrun|accelerate[ -]launch|deepspeed|srun|mpirun|mpiexec|horovodrun|composer|"
    r"python3? -m (torch\.distributed\.(run|launch)|accelerate\.commands\.launch|deepspeed\S*))\s"
)


def _own(repo: Repository, text: str) -> bool:
    names = {path.rpartition("/")[2] for path in repo.files if path.endswith((".py", ".sh"))}
    tops = {module.dotted.partition(".")[0] for module in repo.product}
    for word in re.findall(r"[\w./-]+", text):
        if word.rpartition("/")[2] in names or word.partition(".")[0].replace("-", "_") in tops:
            return True
    return False


@practice(
    "distributed-single-process-fallback",
    looks_for="distributed calls guarded by environment, world size or is_initialized",
)
def distributed_single_process_fallback(repo: Repository) -> Iterator[Place]:
    """The same code runs as a single process.

    Why:
        Debugging, tests and laptops have one process.
    Fix:
        Initialise only when the launcher's variables are set; guard collectives by ``is_initialized``.
    Good:
        import os
        import torch.distributed as dist
        def setup():
            if int(os.environ.get("WORLD_SIZE", "1")) > 1:
                dist.init_process_group("nccl")
    Bad:
        import torch.distributed as dist
        def setup():
            dist.init_process_group("nccl")
            dist.barrier()
    """
    for site in repo.calls(
        "torch.distributed.*",
        "accelerate.Accelerator",
        "torch.nn.parallel.*",
        "lightning.fabric.strategies.*",
    ):
        if any(_GUARD.search(one.text) for one in guards(site)):
            yield at(site, "only in a multi-process run")
