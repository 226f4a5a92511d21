"""How and where checkpoints are written: in parts, in the background, far away."""

import pytest

from tests.audit.build import decided
from tests.audit.practices.cases import cases

HITS = {
    "checkpoint-sharded": {
        "DeepSpeed's engine writes": """
            import deepspeed
            def main(model, args):
                engine, _, _, _ = deepspeed.initialize(args=args, model=model)
                engine.save_checkpoint("out")
        """,
        "each rank writes a file of its own": """
            import torch
            def save(model, path, rank):
                torch.save(model.state_dict(), f"{path}/model_{rank}.pt")
        """,
        "FSDP is set to sharded state dicts": """
            from torch.distributed.fsdp import FullyShardedDataParallel as FSDP, StateDictType
            def shard(model):
                FSDP.set_state_dict_type(model, StateDictType.SHARDED_STATE_DICT)
        """,
        "an index says which file holds which weight": """
            import json
            from safetensors.torch import load_file
            def read(path):
                index = json.load(open(path))
                return [load_file(name) for name in index["weight_map"].values()]
        """,
    },
    "checkpoint-async": {
        "an executor that is kept runs the save of another object": """
from concurrent.futures import ThreadPoolExecutor
import torch
class Writer:
    def save_checkpoint(self, state, path):
        torch.save(state, path)
class AsyncWriter:
    def __init__(self, inner):
        self.inner = inner
        self.executor = ThreadPoolExecutor(1)
    def save_checkpoint(self, state, path):
        def _save_checkpoint(state, path):
            self.inner.save_checkpoint(state, path)
        self.executor.submit(_save_checkpoint, state, path)
""",
        "an executor runs a private method": """
            from concurrent.futures import ThreadPoolExecutor
            import torch
            class S:
                def __init__(self): self.pool = ThreadPoolExecutor()
                def save(self, m):
                    self.pool.submit(self._write, m.state_dict())
                def _write(self, s): torch.save(s, "x")
        """,
        "a thread is handed the writer": """
            import threading, torch
            class S:
                def save(self, m):
                    t = threading.Thread(target=torch.save, args=(m.state_dict(), "x"))
                    t.start()
        """,
        "torch.distributed.checkpoint saves behind the run": """
            import torch.distributed.checkpoint as dcp
            def save(state, path):
                return dcp.async_save(state, checkpoint_id=path)
        """,
        "an executor runs the writer": """
            import torch
            def write(state, path):
                torch.save(state, path)
            class Saver:
                def save(self, model, path):
                    self.pool.submit(write, model.state_dict(), path)
        """,
        "a thread runs a method that saves": """
            import threading, torch
            class Saver:
                def write(self, state, path):
                    torch.save(state, path)
                def start(self, model, path):
                    work = threading.Thread(target=self.write, args=(model.state_dict(), path))
                    work.start()
        """,
    },
    "checkpoint-remote": {
        "a tracker keeps the file": """
            import torch, wandb
            def main(model):
                torch.save(model.state_dict(), "m.pt")
                a = wandb.Artifact("m", type="model")
                a.add_file("m.pt")
                wandb.log_artifact(a)
        """,
        "a trainer pushes": """
            def main(trainer, args):
                if args.push_to_hub: trainer.push_to_hub()
        """,
        "a helper opens a url": """
            import fsspec, torch
            def opened(url):
                return fsspec.open(url, "wb")
            def save(model, url):
                with opened(url) as file:
                    torch.save(model.state_dict(), file)
        """,
        "the folder is uploaded to a hub": """
            from huggingface_hub import HfApi
            def publish(model, folder, name, token):
                model.save_pretrained(folder)
                HfApi().upload_folder(folder_path=folder, repo_id=name, token=token)
        """,
        "the model class is a hub mixin": """
            from huggingface_hub import PyTorchModelHubMixin
            from safetensors.torch import save_file
            class Net(PyTorchModelHubMixin):
                def _save_pretrained(self, path):
                    save_file(self.state_dict(), path)
        """,
    },
}
MISSES = {
    "checkpoint-sharded": {
        "a pattern that finds an index": """
import re
INDEX = re.compile(r"\\['weight_map'\\]|'weight_map':")
def has_index(text):
    return bool(INDEX.search(text))
""",
        "rank zero writes one file": """
            import torch
            def save(model, path):
                torch.save(model.state_dict(), path)
        """,
        "a log line names the rank": """
            import torch
            def save(model, path, rank):
                print(f"rank {rank} saves")
                torch.save(model.state_dict(), path)
        """,
        "data in parts": """
            def shards(paths, rank):
                return [open(f"{path}/{rank}.jsonl") for path in paths]
        """,
    },
    "checkpoint-async": {
        "an executor reads checkpoints": """
from concurrent.futures import ThreadPoolExecutor
import torch
def save_checkpoint(model, path):
    torch.save(model.state_dict(), path)
def load_checkpoints(paths):
    executor = ThreadPoolExecutor()
    return [executor.submit(torch.load, path) for path in paths]
""",
        "an executor that is waited for": """
from concurrent.futures import ThreadPoolExecutor
import torch
def write(state, path):
    torch.save(state, path)
def save_checkpoint(model, paths):
    with ThreadPoolExecutor() as executor:
        for path in paths:
            executor.submit(write, model.state_dict(), path)
""",
        "a thread writes activations": """
            import threading, torch
            class Offload:
                def __init__(self): threading.Thread(target=self._save_worker).start()
                def _save_worker(self):
                    item = self.queue.get()
                    torch.save(item[0], item[1])
            def save(model): torch.save(model.state_dict(), "x")
        """,
        "a thread that reads data": """
            import threading, torch
            def feed(queue):
                queue.put(1)
            def start(queue):
                threading.Thread(target=feed, args=(queue,)).start()
            def save(model, path):
                torch.save(model.state_dict(), path)
        """,
        "a call and no more": """
            import torch
            def save(model, path):
                torch.save(model.state_dict(), path)
        """,
        "results are uploaded behind the run": """
            def publish(pool, upload, rows):
                pool.submit(upload, rows)
        """,
    },
    "checkpoint-remote": {
        "data is downloaded": """
            import requests, torch
            def data(u): return requests.get("https://x/y.txt")
            def load(p): return torch.load(p)
        """,
        "a table is uploaded": """
            import torch, wandb
            def save(model): torch.save(model.state_dict(), "x")
            def report(run): run.log_artifact("table.csv")
        """,
        "a data set is uploaded": """
            def publish(dataset, name):
                dataset.push_to_hub(name)
        """,
        "weights of others are downloaded": """
            from huggingface_hub import snapshot_download
            def fetch(name):
                return snapshot_download(name)
        """,
        "data come from a bucket": """
            import s3fs
            def rows(url):
                return s3fs.S3FileSystem().open(url)
        """,
    },
}


@pytest.mark.parametrize(("practice", "text"), cases(HITS))
def test_is_present(practice: str, text: str) -> None:
    assert decided(practice, text).status == "present"


@pytest.mark.parametrize(("practice", "text"), cases(MISSES))
def test_is_absent(practice: str, text: str) -> None:
    assert decided(practice, text).status == "absent"
