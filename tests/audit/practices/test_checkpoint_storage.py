"""How and where checkpoints are written: in parts, in the background, far away."""

import pytest

from tests.audit.build import decided
from tests.audit.practices.cases import cases

HITS = {
    "checkpoint-sharded": {
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
