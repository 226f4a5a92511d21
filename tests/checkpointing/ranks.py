"""Jobs of several processes that save and restore a model in shards.

python -m tests.checkpointing.ranks FOLDER: each rank writes the digest of all values to its own file
FOLDER-ACTION-SIZE-RANK (standard output is shared with gloo, which writes into the middle of lines).
"""

import os
import sys
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
import torch.distributed as dist
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard

from codex_ml.checkpointing import CheckpointManager
from codex_ml.checkpointing.digest import digest
from codex_ml.checkpointing.distributed import Ranks
from codex_ml.checkpointing.tensors import as_bytes


def build(size: int) -> tuple[torch.nn.Module, torch.optim.Optimizer]:
    """A model whose rows do not divide evenly among the ranks, one parameter frozen."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(6, 5), torch.nn.BatchNorm1d(5))
    fully_shard(model, mesh=init_device_mesh("cpu", (size,)))
    return model, torch.optim.AdamW(model.parameters(), lr=0.1)


def train(model: torch.nn.Module, optimizer: torch.optim.Optimizer, steps: int) -> None:
    """Train on the same batches on every rank."""
    for step in range(steps):
        torch.manual_seed(step)
        optimizer.zero_grad()
        model(torch.randn(4, 6)).square().sum().backward()
        optimizer.step()


def fingerprint(model: torch.nn.Module, optimizer: torch.optim.Optimizer) -> str:
    """Digest all of the model's and the optimizer's values, whichever rank has them."""
    values = list(model.state_dict().values())
    for state in optimizer.state_dict()["state"].values():
        values += state.values()
    whole = [value.full_tensor() if hasattr(value, "full_tensor") else value for value in values]
    return digest(b"".join(bytes(as_bytes(value)) for value in whole))


def work(action: str, rank: int, size: int, folder: Path) -> None:
    """Join the job; save after some training, or restore."""
    store = folder.with_name(f"store-{action}-{size}")
    dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=size)
    model, optimizer = build(size)
    with CheckpointManager(folder, group=Ranks(), asynchronous=True) as manager:
        if action == "save":
            train(model, optimizer, 3)
            manager.save(3, model=model, optimizer=optimizer, data={"rank": rank})
        else:
            checkpoint = manager.restore(3, model=model, optimizer=optimizer, rng=False)
            assert [part["rank"] for part in checkpoint.ranks("data")] == [0, 1]
    told = folder.with_name(f"{folder.name}-{action}-{size}-{rank}")
    told.write_text(fingerprint(model, optimizer))
    dist.destroy_process_group()


def fork(action: Callable[[], None]) -> int:
    """Run `action` in a process of its own; return the process id."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            action()
            status = 0
        except Exception:  # noqa: BLE001  # the parent asserts the status
            traceback.print_exc()
        finally:
            os._exit(status)
    return child


def main(folder: Path) -> int:
    """Save on 2 ranks, load on 1 and on 3, each a process forked from this one."""
    torch.set_num_threads(1)
    failed = 0
    for action, size in (("save", 2), ("load", 1), ("load", 3)):
        ranks = [fork(partial(work, action, rank, size, folder)) for rank in range(size)]
        failed += sum(os.waitpid(rank, 0)[1] != 0 for rank in ranks)
    return failed


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
