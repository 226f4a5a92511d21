"""Weights and training state: what counts as saving, loading, resuming, keeping the best."""

import pytest

from tests.audit.build import decided
from tests.audit.practices.cases import cases

HITS = {
    "checkpoint-save": {
        "parameters go into an npz": """
            import numpy as np
            def save(params, path):
                np.savez(path, **params)
        """,
        "Flax turns parameters into bytes": """
            from flax import serialization
            def save(params, path):
                with open(path, "wb") as f:
                    f.write(serialization.to_bytes(params))
        """,
        "DeepSpeed's engine writes": """
            import deepspeed
            def main(model, args):
                engine, _, _, _ = deepspeed.initialize(args=args, model=model)
                engine.save_checkpoint("out")
        """,
        "a state dict goes through a helper": """
            import torch
            def dump(obj, path):
                torch.save(obj, path)
            def save(model, path):
                dump(model.state_dict(), path)
        """,
        "safetensors under an alias": """
            from safetensors.torch import save_file as write
            def save(tensors, path):
                write(tensors, path)
        """,
        "a dictionary that is filled after it is made": """
            import torch
            def save(network, path):
                out = {"step": 1}
                out["model"] = network.state_dict()
                torch.save(out, path)
        """,
        "save_pretrained of a model": """
            class Runner:
                def export(self, path):
                    self.model.save_pretrained(path)
        """,
    },
    "checkpoint-load": {
        "the state is read by a helper": """
            import torch
            def read(path):
                return torch.load(path)
            def restore(model, path):
                model.load_state_dict(read(path))
        """,
        "torch.distributed.checkpoint fills the state": """
            import torch.distributed.checkpoint as dcp
            def restore(state, path):
                dcp.load(state, checkpoint_id=path)
        """,
        "an own from_pretrained copies tensors": """
            class GPT:
                @classmethod
                def from_pretrained(cls, other):
                    model = cls()
                    for key, value in other.items():
                        model.table[key].copy_(value)
                    return model
        """,
    },
    "checkpoint-train-state": {
        "DeepSpeed's engine writes": """
            import deepspeed
            def main(model, args):
                engine, _, _, _ = deepspeed.initialize(args=args, model=model)
                engine.save_checkpoint("out")
        """,
        "an optimizer is handed to a checkpointer": """
            import torch
            class Checkpointer:
                def __init__(self, model, **checkpointables):
                    self.model = model
                    self.checkpointables = dict(checkpointables)
                def save(self, name):
                    data = {"model": self.model.state_dict()}
                    for key, obj in self.checkpointables.items():
                        data[key] = obj.state_dict()
                    torch.save(data, name)
            def main(model, optimizer):
                return Checkpointer(model, optimizer=optimizer)
        """,
        "the state is handed as keywords": """
            import torch
            def save(path, **kw): torch.save(kw, path)
            def main(model, opt):
                save("x", model=model.state_dict(), optimizer=opt.state_dict())
        """,
        "the optimizer is a key of the saved state": """
            import torch
            def save(model, optimizer, path):
                torch.save({"w": model.state_dict(), "o": optimizer.state_dict()}, path)
        """,
        "FSDP gathers the optimizer state": """
            from torch.distributed.fsdp import FullyShardedDataParallel as FSDP
            import torch
            def save(model, optimizer, path):
                torch.save(FSDP.optim_state_dict(model, optimizer), path)
        """,
        "one of several optimizers of a trainer": """
            import torch
            class Trainer:
                def save(self, path):
                    state = {"model": self.model.state_dict()}
                    for i, one in enumerate(self.optimizers):
                        state[i] = one.state_dict()
                    torch.save(state, path)
        """,
    },
    "checkpoint-resume": {
        "the accelerator restores its state": """
            def main(accelerator): accelerator.load_state("x")
        """,
        "a checkpointer restores all that it was handed": """
            import torch
            class Checkpointer:
                def __init__(self, model, **checkpointables):
                    self.model = model
                    self.checkpointables = dict(checkpointables)
                def load(self, path):
                    checkpoint = torch.load(path)
                    self.model.load_state_dict(checkpoint["model"])
                    for key in self.checkpointables:
                        obj = self.checkpointables[key]
                        obj.load_state_dict(checkpoint.pop(key))
                def save(self, name):
                    data = {"model": self.model.state_dict()}
                    for key, obj in self.checkpointables.items():
                        data[key] = obj.state_dict()
                    torch.save(data, name)
            def main(model, optimizer):
                return Checkpointer(model, optimizer=optimizer)
        """,
        "the optimizer gets its state back": """
            import torch
            def resume(model, optimizer, path):
                state = torch.load(path)
                optimizer.load_state_dict(state["optimizer"])
                return state["epoch"]
        """,
        "the trainer is started from a checkpoint": """
            from lightning import Trainer
            def main(model, path):
                Trainer().fit(model, ckpt_path=path)
        """,
        "Fabric restores a state with the optimizer": """
            import lightning as L
            def main(fabric: L.Fabric, model, optimizer, path):
                state = {"model": model, "optimizer": optimizer, "step": 0}
                fabric.load(path, state)
        """,
    },
    "checkpoint-best": {
        "the best file has its name": """
            import torch
            def main(model, fitness, w):
                best_fitness = 0.0
                for e in range(3):
                    fi = fitness(model)
                    if fi > best_fitness:
                        best_fitness = fi
                    ckpt = {'model': model}
                    torch.save(ckpt, w + '/last.pt')
                    if best_fitness == fi:
                        torch.save(ckpt, w + '/best.pt')
        """,
        "a flag copies the best file": """
            import torch, shutil
            def save_checkpoint(state, is_best, filename='checkpoint.pth.tar'):
                torch.save(state, filename)
                if is_best:
                    shutil.copyfile(filename, 'model_best.pth.tar')
            def main(model, acc1, best):
                is_best = acc1 > best
                best = max(acc1, best)
                save_checkpoint({'state_dict': model.state_dict()}, is_best)
        """,
        "a local best is updated where it saves": """
            import torch
            def train(model, losses, path):
                best = 1e9
                for loss in losses:
                    if loss < best:
                        best = loss
                        torch.save(model.state_dict(), path)
        """,
        "a callback remembers the best reward": """
            import torch
            class Callback:
                def on_eval(self, reward):
                    if reward > self.best_reward:
                        self.best_reward = reward
                        self.save_model("best")
                def save_model(self, name):
                    torch.save(self.model.state_dict(), name)
        """,
        "a library callback monitors a metric": """
            from lightning.pytorch.callbacks import ModelCheckpoint
            def callbacks():
                return [ModelCheckpoint(monitor="val_loss", save_top_k=1)]
        """,
    },
}
MISSES = {
    "checkpoint-save": {
        "rows go into an npz": """
            import numpy as np
            def save(rows, path): np.savez(path, rows=rows)
        """,
        "an executor writes data": """
            import torch
            def save(pool, batch, path): pool.submit(torch.save, batch.tokens, path)
        """,
        "a data cache": """
            import torch
            def cache(rows, path):
                torch.save([row.tokens for row in rows], path)
        """,
        "a tokenizer is saved": """
            def export(tokenizer, path):
                tokenizer.save_pretrained(path)
        """,
        "a comment and a string": """
            # torch.save(model.state_dict(), path)
            HELP = "torch.save(model.state_dict(), path)"
        """,
    },
    "checkpoint-load": {
        "weights of another library": """
            from transformers import AutoModel
            def build(name):
                return AutoModel.from_pretrained(name)
        """,
        "a copy between two models": """
            def sync(online, target):
                target.load_state_dict(online.state_dict())
        """,
        "only the optimizer is restored": """
            import torch
            def restore(optimizer, path):
                optimizer.load_state_dict(torch.load(path))
        """,
    },
    "checkpoint-train-state": {
        "options are called opt": """
            import torch
            def save(model, opt, path): torch.save({"model": model.state_dict(), "opt": vars(opt)}, path)
        """,
        "weights only": """
            import torch
            def save(model, optimizer, path):
                optimizer.zero_grad()
                torch.save(model.state_dict(), path)
        """,
        "a wrapper that writes nothing": """
            class Wrapped:
                def state_dict(self):
                    return self.optimizer.state_dict()
        """,
        "a local is called optimizer": """
            import torch
            def save(model, path):
                optimizer = model.encoder
                torch.save(optimizer.state_dict(), path)
        """,
    },
    "checkpoint-resume": {
        "weights for fine-tuning": """
            import torch
            def warm_start(model, path):
                model.load_state_dict(torch.load(path)["model"])
        """,
        "a wrapper that reads nothing": """
            class Wrapped:
                def load_state_dict(self, state):
                    self.optimizer.load_state_dict(state)
        """,
        "a fresh optimizer": """
            import torch
            def main(model, path):
                model.load_state_dict(torch.load(path))
                return torch.optim.AdamW(model.parameters())
        """,
    },
    "checkpoint-best": {
        "the option is off": """
            from transformers import TrainingArguments
            def f(): return TrainingArguments("x", load_best_model_at_end=False)
        """,
        "one file is called the best": """
            import torch
            def save(model): torch.save(model.state_dict(), "best.pt")
        """,
        "every n epochs": """
            import torch
            def train(model, path):
                for epoch in range(9):
                    if epoch % 3 == 0:
                        torch.save(model.state_dict(), path)
        """,
        "the best is only printed": """
            import torch
            def train(model, losses, path):
                best = 1e9
                for loss in losses:
                    if loss < best:
                        best = loss
                        print(best)
                torch.save(model.state_dict(), path)
        """,
        "a maximum that has nothing to do with a file": """
            def longest(rows):
                top = 0
                for row in rows:
                    if len(row) > top:
                        top = len(row)
                return top
        """,
    },
}


@pytest.mark.parametrize(("practice", "text"), cases(HITS))
def test_is_present(practice: str, text: str) -> None:
    assert decided(practice, text).status == "present"


@pytest.mark.parametrize(("practice", "text"), cases(MISSES))
def test_is_absent(practice: str, text: str) -> None:
    assert decided(practice, text).status == "absent"
