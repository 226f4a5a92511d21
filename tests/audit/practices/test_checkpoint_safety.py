"""What keeps checkpoints few, whole, unaltered, complete and harmless."""

import pytest

from tests.audit.build import decided
from tests.audit.practices.cases import cases

HITS = {
    "checkpoint-retention": {
        "a helper deletes what is too many": """
            import shutil, torch
            class Trainer:
                def save_checkpoint(self):
                    torch.save(self.model.state_dict(), "x")
                    self.checkpoints.append("x")
                    while len(self.checkpoints) > self.cfg.save_num_checkpoints_to_keep:
                        self.remove_checkpoint(0)
                def remove_checkpoint(self, idx):
                    old = self.checkpoints.pop(idx)
                    shutil.rmtree(old, ignore_errors=True)
        """,
        "a limit beside an accelerator": """
            import os, shutil
            def main(accelerator, args):
                checkpoints = os.listdir(args.output_dir)
                if args.checkpoints_total_limit is not None:
                    if len(checkpoints) >= args.checkpoints_total_limit:
                        for c in checkpoints[:2]:
                            shutil.rmtree(os.path.join(args.output_dir, c))
                accelerator.save_state(args.output_dir)
        """,
        "surplus folders are removed by a helper": """
            import shutil, torch
            def prune(folders, keep_last_n):
                for folder in sorted(folders)[:-keep_last_n]:
                    shutil.rmtree(folder)
            def save(model, path, folders):
                torch.save(model.state_dict(), path)
                prune(folders, 3)
        """,
        "the list may not grow beyond a limit": """
            import os, torch
            class Saver:
                def save(self, model, path):
                    torch.save(model.state_dict(), path)
                    self.paths.append(path)
                    if len(self.paths) > self.limit:
                        os.unlink(self.paths.pop(0))
        """,
        "the trainer gets a limit": """
            from transformers import TrainingArguments
            def arguments(folder):
                return TrainingArguments(folder, save_total_limit=2)
        """,
    },
    "checkpoint-atomic": {
        "a path manager moves": """
            import shutil, torch, tempfile
            class C:
                def save(self, model, path):
                    torch.save(model.state_dict(), path + '.incomplete')
                    PathManager.mv(path + '.incomplete', path)
        """,
        "a Path is renamed after writing": """
            from pathlib import Path
            import torch
            def save(model, path: Path):
                part = Path(f"{path}.part")
                torch.save(model.state_dict(), part)
                part.rename(path)
        """,
        "the caller of the writer moves the folder": """
            import shutil
            import torch.distributed.checkpoint as dcp
            def write(state, folder):
                dcp.save(state, checkpoint_id=folder)
            def save(state, folder):
                write(state, folder + ".tmp")
                shutil.move(folder + ".tmp", folder)
        """,
        "the loader asks for the metadata that is written last": """
            import os
            import torch.distributed.checkpoint as dcp
            def latest(folder):
                return [one for one in os.listdir(folder)
                        if os.path.isfile(os.path.join(folder, one, ".metadata"))]
        """,
    },
    "checkpoint-integrity": {
        "what is downloaded is hashed": """
            import hashlib, torch, urllib.request
            def download_checkpoint(url, root, sha):
                data = urllib.request.urlopen(url).read()
                if hashlib.sha256(data).hexdigest() != sha: raise ValueError
                return data
            def load(url):
                torch.load(download_checkpoint(url, "", ""))
        """,
        "a digest is written beside the file": """
            import hashlib, torch
            def save(model, path):
                torch.save(model.state_dict(), path)
                with open(path, "rb") as file:
                    return hashlib.sha256(file.read()).hexdigest()
        """,
        "the hub helper checks the hash": """
            from torch.hub import load_state_dict_from_url
            def fetch(url):
                return load_state_dict_from_url(url, check_hash=True)
        """,
        "a helper hashes what is loaded": """
            import hashlib, torch
            def digest(path):
                with open(path, mode="rb") as file:
                    return hashlib.file_digest(file, "sha256").hexdigest()
            def load(path, wanted):
                if digest(path) != wanted:
                    raise ValueError(path)
                return torch.load(path)
        """,
    },
    "checkpoint-rng-state": {
        "helpers collect and restore": """
            import torch, random
            def get_rng_state():
                return {"torch": torch.get_rng_state(), "py": random.getstate()}
            def set_rng_state(s):
                torch.set_rng_state(s["torch"]); random.setstate(s["py"])
            class T:
                def state_dict(self): return {"rng": get_rng_state()}
                def save(self): torch.save({"m": self.model.state_dict(), **self.state_dict()}, "x")
                def load(self):
                    s = torch.load("x"); set_rng_state(s["rng"])
        """,
        "all generators of a state object": """
            import random, torch
            class State:
                def state_dict(self):
                    return {"python": random.getstate()}
                def load_state_dict(self, state):
                    random.setstate(state["python"])
            def save(model, path):
                torch.save(model.state_dict(), path)
        """,
        "device states by a helper": """
            import torch
            def states():
                return {"cuda": torch.cuda.get_rng_state_all()}
            def save(model, path):
                torch.save({"model": model.state_dict(), **states()}, path)
            def load(path):
                torch.cuda.set_rng_state_all(torch.load(path)["cuda"])
        """,
        "NumPy beside torch": """
            import numpy, torch
            def save(model, path):
                torch.save({"m": model.state_dict(), "n": numpy.random.get_state()}, path)
            def load(path):
                numpy.random.set_state(torch.load(path)["n"])
        """,
    },
    "checkpoint-safe-load": {
        "a default of the keywords": """
            import torch
            def f(p, **kw):
                kw.setdefault("weights_only", True)
                return torch.load(p, **kw)
        """,
        "the default of a parameter": """
            import torch
            def load(path, weights_only=True):
                return torch.load(path, weights_only=weights_only)
        """,
        "safetensors opened lazily": """
            from safetensors import safe_open
            def names(path):
                with safe_open(path, framework="pt") as file:
                    return file.keys()
        """,
        "safetensors load_file": """
            import safetensors.torch as st
            def load(path):
                return st.load_file(path)
        """,
    },
}
MISSES = {
    "checkpoint-retention": {
        "the limit is None": """
            def f():
                kwargs = {}
                kwargs["save_total_limit"] = None
                return kwargs
        """,
        "one file is written over": """
            import torch
            def save(model, path):
                torch.save(model.state_dict(), path)
        """,
        "a temporary file is cleaned up": """
            import os, torch
            def save(model, path, spare):
                torch.save(model.state_dict(), path)
                if os.path.exists(spare):
                    os.remove(spare)
        """,
        "a data set is deleted": """
            import shutil
            def clean(folders, keep):
                for folder in folders[keep:]:
                    shutil.rmtree(folder)
        """,
    },
    "checkpoint-atomic": {
        "a string is replaced": """
            import torch
            def save(model, path):
                torch.save(model.state_dict(), path.replace(".bin", ".pt"))
        """,
        "files of a download are moved": """
            import os, torch
            def unpack(source, target):
                os.rename(source, target)
            def save(model, path):
                torch.save(model.state_dict(), path)
        """,
        "written in place": """
            import torch
            def save(model, path):
                torch.save(model.state_dict(), path)
        """,
    },
    "checkpoint-integrity": {
        "a hash names the file": """
            import hashlib, torch
            def save(model, config):
                name = hashlib.sha1(str(config).encode()).hexdigest()
                torch.save(model.state_dict(), name)
        """,
        "a cache key": """
            import hashlib, torch
            def key(text):
                return hashlib.sha256(text.encode()).hexdigest()
            def load(path):
                return torch.load(path)
        """,
        "the check is off": """
            from torch.hub import load_state_dict_from_url
            def fetch(url):
                return load_state_dict_from_url(url, check_hash=False)
        """,
        "a hash of data": """
            import hashlib
            def digest(path):
                with open(path, "rb") as file:
                    return hashlib.md5(file.read()).hexdigest()
        """,
    },
    "checkpoint-rng-state": {
        "a block of code is guarded": """
            import torch
            def f(m):
                s = torch.get_rng_state(); torch.manual_seed(1); m(); torch.set_rng_state(s)
        """,
        "a block of code that is protected": """
            import torch
            def quietly(run):
                state = torch.get_rng_state()
                run()
                torch.set_rng_state(state)
            def save(model, path):
                torch.save(model.state_dict(), path)
        """,
        "a context that replays the same numbers": """
            import torch
            class Replay:
                def __init__(self):
                    self.state = torch.get_rng_state()
                def __enter__(self):
                    torch.set_rng_state(self.state)
            def save(model, path):
                torch.save(model.state_dict(), path)
        """,
        "only a seed": """
            import torch
            def start(seed):
                torch.manual_seed(seed)
        """,
    },
    "checkpoint-safe-load": {
        "the keywords say False": """
            import torch
            def f(p): return torch.load(p, **{"weights_only": False})
        """,
        "nothing is said": """
            import torch
            def load(path):
                return torch.load(path)
        """,
        "the default of the parameter is False": """
            import torch
            def load(path, weights_only=False):
                return torch.load(path, weights_only=weights_only)
        """,
        "safetensors are only written": """
            from safetensors.torch import save_file
            def save(tensors, path):
                save_file(tensors, path)
        """,
    },
}


@pytest.mark.parametrize(("practice", "text"), cases(HITS))
def test_is_present(practice: str, text: str) -> None:
    assert decided(practice, text).status == "present"


@pytest.mark.parametrize(("practice", "text"), cases(MISSES))
def test_is_absent(practice: str, text: str) -> None:
    assert decided(practice, text).status == "absent"
