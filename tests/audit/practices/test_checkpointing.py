"""Weights and training state: what counts as saving, loading, resuming, keeping the best."""

import pytest

from tests.audit.build import decided
from tests.audit.practices.cases import cases

HITS = {
    "checkpoint-save": {
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
