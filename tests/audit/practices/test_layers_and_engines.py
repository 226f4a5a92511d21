"""Practices behind layers: engines, keepers of state, modules named for checkpoints."""

import pytest

from tests.audit.build import decided
from tests.audit.practices.cases import cases

_ENGINE = """
            import random, shutil
            def save(engine, folder, step, keep_last_n):
                state = {"step": step, "random": random.getstate()}
                engine.save_checkpoint(folder, tag=str(step), client_state=state)
                delete_old(folder, keep_last_n)
            def delete_old(folder, n_to_keep):
                for one in sorted(folder.iterdir())[:-n_to_keep]:
                    shutil.rmtree(one)
            def load(engine, folder):
                _, state = engine.load_checkpoint(folder, load_optimizer_states=True)
                random.setstate(state["random"])
"""
_ROOMS = """
            # file: lab/__init__.py
            # file: lab/checkpoint/__init__.py
            # file: lab/checkpoint/manager.py
            from lab.checkpoint.capture import draft
            class Manager:
                def __init__(self, folder, keep_last=None):
                    self.folder, self.keep_last = folder, keep_last
                def save(self, step, model=None, optimizer=None):
                    draft(step, {"model": model, "optimizer": optimizer})
                def restore(self, state, model=None, optimizer=None):
                    give({"model": model, "optimizer": optimizer}, state)
            # file: lab/checkpoint/capture.py
            from safetensors.torch import save_file
            def draft(step, parts):
                save_file(flat(parts), f"{step}.safetensors")
            # file: lab/checkpoint/restoring.py
            def give(parts, state):
                for name, target in parts.items():
                    back(target, state[name])
            def back(target, state):
                target.load_state_dict(state)
            # file: lab/checkpoint/files.py
            import os, shutil
            def publish(hidden, target):
                os.replace(hidden, target)
            def discard(folder):
                shutil.rmtree(folder)
            # file: lab/checkpoint/remote.py
            import fsspec
            def fetch(url):
                return fsspec.open(url)
"""

HITS = {
    "checkpoint-save": {"an engine that is handed in": _ENGINE},
    "checkpoint-load": {
        "an engine that is handed in": _ENGINE,
        "an own from_pretrained restores a pickled part": """
            import joblib
            class Model:
                @classmethod
                def from_pretrained(cls, path):
                    return cls(joblib.load(path))
        """,
    },
    "checkpoint-train-state": {
        "an engine that is handed in": _ENGINE,
        "a mapping is handed through layers": _ROOMS,
        "a file for the optimizer": """
            import torch
            class Net:
                def save_params(self, f_params=None, f_optimizer=None):
                    for name, path in self.targets(f_params, f_optimizer):
                        torch.save(self.part(name).state_dict(), path)
        """,
    },
    "checkpoint-resume": {
        "an engine that is handed in": _ENGINE,
        "a mapping is handed through layers": _ROOMS,
    },
    "checkpoint-sharded": {"an engine that is handed in": _ENGINE},
    "checkpoint-retention": {
        "an engine that is handed in": _ENGINE,
        "a keeper with a number": _ROOMS,
        "options of the trainer are handed on": """
            class Trainer:
                def __init__(self, args):
                    self.args.save_total_limit = args.save_total_limit
        """,
        "the previous one is deleted on request": """
            import os, torch
            def run(model, args, epoch):
                torch.save(model.state_dict(), f"{epoch}.pt")
                if args.delete_previous_checkpoint:
                    os.remove(f"{epoch - 1}.pt")
        """,
    },
    "checkpoint-rng-state": {"an engine that is handed in": _ENGINE},
    "checkpoint-atomic": {"a rename in another module": _ROOMS},
    "checkpoint-remote": {
        "a module for the far side": _ROOMS,
        "an artifact of a tracker": """
            import torch, wandb
            def log(run, save_fn, path):
                artifact = wandb.Artifact("run", type="model")
                artifact.add_file(save_fn(path))
                run.log_artifact(artifact)
            def save(model, path):
                torch.save(model.state_dict(), path)
        """,
    },
    "checkpoint-best": {
        "options of the trainer are handed on": """
            class Trainer:
                def __init__(self, args):
                    self.args.metric_for_best_model = args.metric_for_best_model
        """,
    },
    "checkpoint-integrity": {
        "a download of pretrained weights": """
            import hashlib
            def download_pretrained(path, digest):
                if hashlib.sha256(open(path, "rb").read()).hexdigest() != digest:
                    raise ValueError(path)
        """,
    },
    "tokenizer-special-tokens": {
        "a tokenizer registers them": """
            class BPETokenizer:
                def register_special_tokens(self, special_tokens):
                    self.special_tokens = special_tokens
        """,
    },
    "finetune-freeze": {
        "a function for one parameter": """
            def freeze_parameter(param):
                param.requires_grad = False
        """,
    },
    "finetune-adapters": {
        "a soft prompt": """
            import torch
            class SoftEmbedding(torch.nn.Module):
                def __init__(self, start):
                    self.soft_embedding_weight = torch.nn.parameter.Parameter(start)
        """,
    },
    "serve-quantize": {
        "an option in a mapping": """
            def load(name, args):
                options = {}
                options["load_in_8bit"] = args.load_in_8bit
                return build(name, **options)
        """,
    },
    "repro-worker-seed": {
        "a buffer with its own generator": """
            import numpy as np
            class ReplayBuffer:
                def __init__(self, seed):
                    self.random = np.random.RandomState(seed)
        """,
        "an order that is drawn from a seed": """
            import random
            def shuffle_documents(documents, seed):
                random.Random(seed).shuffle(documents)
        """,
    },
    "plugin-entry-points": {
        "the metadata of installed packages": """
            import os, sys
            def installed():
                for folder in sys.path:
                    yield from read(os.path.join(folder, "entry_points.txt"))
        """,
    },
    "plugin-listing": {
        "the metadata of installed packages": """
            import os, sys
            def installed():
                for folder in sys.path:
                    yield from read(os.path.join(folder, "entry_points.txt"))
        """,
    },
    "repro-run-record": {
        "a helper asks git": """
            import subprocess
            def git(*words):
                return subprocess.run(["git", *words], capture_output=True).stdout
            def revision():
                return {"commit": git("rev-parse", "HEAD"), "dirty": git("status")}
        """,
        "the code is copied beside the run": """
            import shutil
            def copy_codebase(folder):
                shutil.copytree(".", folder)
        """,
        "a tracker gets the version": """
            from lab import __version__
            class Logger:
                def start(self):
                    self.run["source/lab"] = __version__
        """,
    },
    "repro-seed": {
        "scikit-learn gets the seed of the caller": """
            from sklearn.model_selection import ShuffleSplit
            class Split:
                def make(self):
                    return ShuffleSplit(random_state=self.random_state)
        """,
    },
}
MISSES = {
    "checkpoint-save": {
        "a game is saved": """
            def pause(world, slot):
                world.save_progress(slot, tag="auto")
        """,
    },
    "checkpoint-retention": {
        "a keeper of logs beside a save": """
            # file: lab/__init__.py
            # file: lab/saving.py
            import torch
            def save(model, path):
                torch.save(model.state_dict(), path)
            # file: lab/logs.py
            import os
            class Logs:
                def __init__(self, keep_last):
                    self.keep_last = keep_last
                def rotate(self, path):
                    os.remove(path)
        """,
    },
    "checkpoint-train-state": {
        "an optimizer beside the weights that are saved": """
            import torch
            def save_params(model, optimizer, f_params):
                torch.save(model.state_dict(), f_params)
        """,
        "a mapping that is only logged": """
            # file: lab/__init__.py
            # file: lab/saving.py
            import torch
            def save(model, optimizer, path):
                show({"model": model, "optimizer": optimizer})
                torch.save(model.state_dict(), path)
        """,
    },
    "checkpoint-remote": {
        "an artifact with data": """
            import torch, wandb
            def log(run, path):
                artifact = wandb.Artifact("rows", type="dataset")
                run.log_artifact(artifact)
            def save(model, path):
                torch.save(model.state_dict(), path)
        """,
    },
    "finetune-adapters": {
        "a wrapper under the name of an adapter": """
            from torch import nn
            class BackboneAdapter(nn.Module):
                def __init__(self, trunk, width):
                    super().__init__()
                    self.trunk = trunk
                    self.proj = nn.Linear(width, width)
        """,
    },
    "finetune-freeze": {
        "the copy that averages": """
            import copy
            def requires_grad(model, flag=True):
                for p in model.parameters():
                    p.requires_grad = flag
            def main(model):
                ema = copy.deepcopy(model)
                requires_grad(ema, False)
        """,
    },
    "serve-quantize": {
        "a stable embedding for an 8-bit optimizer": """
            import bitsandbytes as bnb
            def embed(size, width):
                return bnb.nn.StableEmbedding(size, width)
        """,
    },
    "repro-worker-seed": {
        "noise from a seed": """
            import numpy as np
            def noise(seed):
                return np.random.RandomState(seed).randn(3)
        """,
    },
    "repro-run-record": {
        "a helper pulls with git": """
            import subprocess
            def git(*words):
                return subprocess.run(["git", *words], capture_output=True).stdout
            def update():
                return {"commit": False, "out": git("pull")}
        """,
    },
    "repro-lockfile": {
        "pins of an extra beside ranges": """
            # file: requirements/requirements.txt
            torch>=2.0
            numpy
            # file: requirements/requirements-moe.txt
            grouped-gemm==0.1.6
            megablocks==0.7.0
        """,
    },
}


@pytest.mark.parametrize(("practice", "text"), cases(HITS))
def test_is_present(practice: str, text: str) -> None:
    assert decided(practice, text).status == "present"


@pytest.mark.parametrize(("practice", "text"), cases(MISSES))
def test_is_absent(practice: str, text: str) -> None:
    assert decided(practice, text).status == "absent"
