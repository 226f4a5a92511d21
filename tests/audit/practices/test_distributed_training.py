"""Set-up, data, sharded and model parallelism, launch, one process."""

import pytest

from tests.audit.build import decided

TRAIN = "# file: train.py\ndef main():\n    pass\n"
HITS = [
    pytest.param("distributed-single-process-fallback", """
from transformers import Trainer
def main(model):
    Trainer(model=model).train()
""", id="distributed-single-process-fallback: the engine of transformers"),
    pytest.param("distributed-sharded", """
from functools import partial
from torch.distributed.fsdp import FullyShardedDataParallel as FSDP
def wrapper(strategy):
    return partial(FSDP, sharding_strategy=strategy)
""", id="distributed-sharded: the wrapper is bound to its options"),
    pytest.param("distributed-init", """
from accelerate import Accelerator
def fit():
    return Accelerator()
""", id="Accelerator"),
    pytest.param("distributed-init", """
from torch.distributed.device_mesh import init_device_mesh
def mesh(size):
    return init_device_mesh("cuda", (size,))
""", id="device mesh"),
    pytest.param("distributed-init", """
from accelerate import Accelerator
class Engine(Accelerator):
    pass
""", id="engine derived from Accelerator"),
    pytest.param("distributed-data-parallel", """
import torch
def wrap(model):
    return torch.nn.parallel.DistributedDataParallel(model)
""", id="DistributedDataParallel"),
    pytest.param("distributed-data-parallel", """
import torch.distributed as dist
def average(model, world_size):
    for parameter in model.parameters():
        dist.all_reduce(parameter.grad)
        parameter.grad /= world_size
""", id="own all-reduce of gradients"),
    pytest.param("distributed-data-parallel", """
from accelerate import Accelerator
def step(loss):
    accelerator = Accelerator()
    accelerator.backward(loss)
""", id="Accelerator in an own loop"),
    pytest.param("distributed-sharded", """
from torch.distributed.fsdp import FullyShardedDataParallel as FSDP
def wrap(model):
    return FSDP(model)
""", id="FSDP"),
    pytest.param("distributed-sharded", """
import deepspeed
def wrap(model, config):
    return deepspeed.initialize(model=model, config=config)
""", id="DeepSpeed"),
    pytest.param("distributed-sharded", """
import torch.distributed as dist
class Sharded:
    def step(self, parameter, part):
        dist.reduce_scatter_tensor(part, parameter.grad)
        dist.all_gather_into_tensor(parameter, part)
""", id="own sharded optimizer"),
    pytest.param("distributed-model-parallel", """
from torch.distributed.pipelining import PipelineStage
def stage(model, rank, count):
    return PipelineStage(model, rank, count)
""", id="pipeline stage"),
    pytest.param("distributed-model-parallel", """
from torch.distributed.device_mesh import init_device_mesh
def mesh(dp, tp):
    return init_device_mesh("cuda", (dp, tp), mesh_dim_names=("dp", "tp"))
""", id="mesh with a tensor dimension"),
    pytest.param("distributed-model-parallel", """
from vllm import LLM
def load(name, size):
    return LLM(name, tensor_parallel_size=size)
""", id="option of an inference engine"),
    pytest.param("distributed-launch", TRAIN + """
# file: run.sh
srun python -u train.py
""", id="srun in a script"),
    pytest.param("distributed-launch", """
# file: package/__init__.py
# file: package/train.py
def main():
    pass
# file: README.md
# Demo

```sh
accelerate launch -m package.train
```
""", id="module of the package"),
    pytest.param("distributed-launch", """
import torch.multiprocessing as mp
def launch(function, count):
    mp.spawn(function, nprocs=count)
""", id="own launcher"),
    pytest.param("distributed-single-process-fallback", """
import torch.distributed as dist
def total(value):
    if dist.is_initialized():
        dist.all_reduce(value)
    return value
""", id="is_initialized"),
    pytest.param("distributed-single-process-fallback", """
import os
import torch.distributed as dist
def setup():
    if "RANK" in os.environ:
        dist.init_process_group()
""", id="launcher variable"),
    pytest.param("distributed-single-process-fallback", """
import torch.distributed as dist
def setup():
    dist.init_process_group()
def main(world_size):
    if world_size > 1:
        setup()
""", id="condition around the caller"),
    pytest.param("distributed-single-process-fallback", """
import os
import torch.distributed as dist
def enabled():
    return os.environ.get("APP_DDP", "") == "1"
def _join():
    dist.init_process_group()
def session():
    if not enabled():
        return None
    return _join()
""", id="a switch in the environment"),
]  # fmt: skip
MISSES = [
    pytest.param("distributed-single-process-fallback", """
import torch.distributed as dist
_WORLD_SIZE = -1
def enable():
    if _WORLD_SIZE >= 0:
        raise RuntimeError("enabled already")
    dist.init_process_group("nccl")
    dist.barrier()
""", id="distributed-single-process-fallback: a second call is refused"),
    pytest.param("distributed-single-process-fallback", """
import torch
import torch.distributed as dist
def main():
    if torch.cuda.is_available():
        dist.init_process_group("nccl")
    else:
        dist.init_process_group("gloo")
    dist.barrier()
""", id="distributed-single-process-fallback: a choice by the device only"),
    pytest.param("distributed-sharded", """
from functools import partial
from torch.nn.parallel import DistributedDataParallel as DDP
def wrapper(device):
    return partial(DDP, device_ids=[device])
""", id="distributed-sharded: another wrapper is bound to its options"),
    pytest.param("distributed-init", "import torch.distributed as d\nR = d.get_rank()\n", id="query"),
    pytest.param("distributed-init", "from multiprocessing import Pool\nP = Pool()\n", id="pool"),
    pytest.param("distributed-init", """
def setup():
    # torch.distributed.init_process_group()
    return "torch.distributed.init_process_group()"
""", id="named in a comment"),
    pytest.param("distributed-data-parallel", """
import torch.distributed as dist
def mean(metric, world_size):
    dist.all_reduce(metric)
    return metric / world_size
""", id="all-reduce of a metric"),
    pytest.param("distributed-data-parallel", """
from accelerate import Accelerator
def evaluate(model):
    return Accelerator().prepare_model(model, evaluation_mode=True)
""", id="Accelerator for evaluation"),
    pytest.param("distributed-data-parallel", "import torch\nM = torch.nn.DataParallel\n", id="DP"),
    pytest.param("distributed-sharded", """
import torch.distributed as dist
def gather(parts, value):
    dist.all_gather(parts, value)
""", id="gathering of values"),
    pytest.param("distributed-sharded", """
from torch.nn.parallel import DistributedDataParallel
def wrap(model):
    return DistributedDataParallel(model)
""", id="data parallel"),
    pytest.param("distributed-sharded", "def fsdp(model):\n    return model\n", id="name only"),
    pytest.param("distributed-model-parallel", """
def load(cls, name):
    return cls.from_pretrained(name, device_map="auto")
""", id="device map"),
    pytest.param("distributed-model-parallel", """
from torch.distributed.device_mesh import init_device_mesh
def mesh(size):
    return init_device_mesh("cuda", (size,), mesh_dim_names=("dp",))
""", id="data-parallel mesh"),
    pytest.param("distributed-model-parallel", """
from vllm import LLM
def load(name):
    return LLM(name, tensor_parallel_size=1)
""", id="one rank"),
    pytest.param("distributed-launch", TRAIN + """
# file: README.md
# Demo

Use torchrun with train.py.
""", id="prose"),
    pytest.param("distributed-launch", TRAIN + """
# file: README.md
# Demo

```sh
torchrun --nproc_per_node 2 your_script.py
```
""", id="script of somebody else"),
    pytest.param("distributed-launch", TRAIN + """
# file: run.sh
# torchrun train.py
python train.py
""", id="command in a comment"),
    pytest.param("distributed-single-process-fallback", """
import torch.distributed as dist
def setup():
    dist.init_process_group()
def main(value):
    setup()
    if dist.is_initialized():
        dist.all_reduce(value)
""", id="process group in every case"),
    pytest.param("distributed-single-process-fallback", """
import torch.distributed as dist
def ready():
    return True
def _join():
    dist.init_process_group()
def session():
    if not ready():
        return None
    return _join()
""", id="a switch that asks nothing"),
    pytest.param("distributed-single-process-fallback", "def f(x):\n    return x\n", id="nothing"),
    pytest.param("distributed-single-process-fallback", """
import torch.distributed as dist
def total(value, verbose):
    if verbose:
        dist.all_reduce(value)
""", id="another condition"),
]  # fmt: skip


@pytest.mark.parametrize(("practice", "text"), HITS)
def test_it_is_present(practice: str, text: str) -> None:
    result = decided(practice, text)
    assert result.status == "present", result


@pytest.mark.parametrize(("practice", "text"), MISSES)
def test_it_is_absent(practice: str, text: str) -> None:
    result = decided(practice, text)
    assert result.status == "absent", result
