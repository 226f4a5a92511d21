"""Every hook once; each rank prints one JSON line of what it saw."""

import json
import sys
import time
from pathlib import Path

import torch

from codex_ml import distributed

with distributed.session():
    order = Path(sys.argv[1])
    with distributed.main_first():
        if distributed.is_main():
            time.sleep(0.3)
        with order.open("a") as stream:
            stream.write(f"{distributed.rank()}\n")
    tensor = torch.tensor([distributed.rank(), 1.0])
    mean = distributed.all_reduce_mean(tensor)
    seen = {
        "rank": distributed.rank(),
        "world_size": distributed.world_size(),
        "local_rank": distributed.local_rank(),
        "is_main": distributed.is_main(),
        "mean": distributed.all_reduce_mean(float(distributed.rank())),
        "integers": distributed.all_reduce_mean(torch.tensor([distributed.rank()])).tolist(),
        "tensor": mean.tolist(),
        "argument": tensor.tolist(),
        "object": distributed.broadcast_object({"from": distributed.rank()}, source=1),
        "gathered": distributed.gather_objects([distributed.rank()]),
        "shard": list(distributed.shard(7)),
        "seed": torch.initial_seed(),
    }
    distributed.barrier()
    try:
        with distributed.session():
            pass
    except distributed.DistributedError as error:
        seen["nested"] = str(error)
again = []
for _ in range(3):  # torchrun's store keeps what each session left there
    with distributed.session():
        again.append(distributed.gather_objects(distributed.rank()))
seen["again"] = again
sys.stdout.write(json.dumps(seen) + "\n")
