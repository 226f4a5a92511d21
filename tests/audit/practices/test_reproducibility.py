"""Seeds, deterministic kernels, exact dependencies, a record of the run."""

import pytest

from tests.audit.build import decided
from tests.audit.practices.cases import cases

HITS = {
    "repro-seed": {
        "NumPy under an alias": """
            import numpy as np
            def start(seed):
                np.random.seed(seed)
        """,
        "Lightning's helper": """
            from lightning import seed_everything
            seed_everything(42)
        """,
        "a key of JAX": """
            import jax
            def start(seed):
                return jax.random.PRNGKey(seed)
        """,
    },
    "repro-deterministic-mode": {
        "a trainer's option": """
            import lightning as L
            def f(): return L.Trainer(deterministic=True)
        """,
        "the flag of cuDNN": """
            import torch
            def start():
                torch.backends.cudnn.deterministic = True
        """,
        "the workspace of cuBLAS": """
            import os
            def start():
                os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"
        """,
        "an option is handed on": """
            import torch as th
            def start(deterministic):
                th.use_deterministic_algorithms(deterministic)
        """,
    },
    "repro-worker-seed": {
        "collected keywords of a loader": """
            from torch.utils.data import DataLoader
            def f(d, seed_worker):
                params = {"batch_size": 1}
                params["worker_init_fn"] = seed_worker
                return DataLoader(d, **params)
        """,
        "a sampler seeds a generator": """
            import torch
            from torch.utils.data import Sampler
            class S(Sampler):
                def __iter__(self):
                    g = torch.Generator()
                    g.manual_seed(self.seed + self.epoch)
                    yield from torch.randperm(10, generator=g).tolist()
        """,
        "workers are seeded": """
            from torch.utils.data import DataLoader
            def loader(rows, init):
                return DataLoader(rows, num_workers=4, worker_init_fn=init)
        """,
        "the sampler is told the epoch": """
            def epoch(loader, number):
                loader.sampler.set_epoch(number)
        """,
        "a seeded shuffle of a data set": """
            from datasets import load_dataset
            def rows(seed):
                return load_dataset("text").shuffle(seed=seed)
        """,
    },
    "repro-lockfile": {
        "uv.lock with a package": """
            # file: uv.lock
            version = 1

            [[package]]
            name = "torch"
            version = "2.5.1"
        """,
        "pinned requirements with hashes and comments": """
            # file: requirements.txt
            # made by pip-compile
            torch==2.5.1 \\
                --hash=sha256:00
            numpy==2.1.3  # via torch
        """,
        "poetry.lock": """
            # file: poetry.lock
            [[package]]
            name = "torch"
            version = "2.5.1"
        """,
    },
    "repro-run-record": {
        "a helper of the function runs git": """
import subprocess
def revision():
    def run(command):
        return subprocess.check_output(command).decode().strip()
    return f"sha: {run(['git', 'rev-parse', 'HEAD'])}"
def setup(logger):
    logger.info("git: {}".format(revision()))
""",
        "the commit is part of the checkpoint": """
            import torch
            def check_git_info():
                import git
                repo = git.Repo(".")
                return {"commit": repo.commit().hexsha}
            GIT_INFO = check_git_info()
            def train(model, opt):
                ckpt = {"model": model, "opt": vars(opt), "git": GIT_INFO}
                torch.save(ckpt, "x.pt")
        """,
        "the tracker keeps the code": """
            import wandb
            def main(args): wandb.init(config=vars(args), save_code=True)
        """,
        "the commit goes into the results": """
            import json, subprocess
            def record(config, file):
                commit = subprocess.check_output(["git", "rev-parse", "HEAD"]).decode()
                json.dump({"config": config, "commit": commit}, file)
        """,
        "the version goes into the checkpoint": """
            import torch
            from package import __version__
            def save(model, config, path):
                torch.save({"m": model.state_dict(), "c": config, "v": __version__}, path)
        """,
        "versions in the log": """
            import logging, torch
            def start(config):
                logging.getLogger().info("torch %s, %s", torch.__version__, config)
        """,
    },
}
MISSES = {
    "repro-seed": {
        "a generator without a seed": """
            import numpy
            def start():
                return numpy.random.default_rng()
        """,
        "only drawn from": """
            import torch
            def noise(size):
                return torch.rand(size)
        """,
        "an own function of that name": """
            class Plant:
                def seed(self, number):
                    return number
        """,
    },
    "repro-deterministic-mode": {
        "a policy acts deterministically": """
            def f(policy, obs): return policy.predict(obs, deterministic=True)
        """,
        "autotuning only": """
            import torch
            torch.backends.cudnn.benchmark = True
        """,
        "switched off": """
            import torch
            torch.use_deterministic_algorithms(False)
        """,
        "a policy that takes the mode": """
            def act(policy, state):
                return policy.predict(state, deterministic=True)
        """,
    },
    "repro-worker-seed": {
        "no seeding function": """
            from torch.utils.data import DataLoader
            def f(d): return DataLoader(d, worker_init_fn=None)
        """,
        "a global seed": """
            import torch
            torch.manual_seed(1)
        """,
        "a plain loader": """
            from torch.utils.data import DataLoader
            def loader(rows):
                return DataLoader(rows, shuffle=True, worker_init_fn=None)
        """,
        "a seed of a service": """
            def start(client):
                return client.complete("text", seed=1)
        """,
    },
    "repro-lockfile": {
        "ranges": """
            # file: requirements.txt
            torch>=2
            numpy
        """,
        "an empty lock": """
            # file: uv.lock
            version = 1
        """,
        "pins of the docs": """
            # file: docs/requirements.txt
            sphinx==8.1.3
            furo==2024.8.6
        """,
    },
    "repro-run-record": {
        "a helper of the function runs git for names": """
import subprocess
def names():
    def run(command):
        return subprocess.check_output(command).decode().strip()
    return run(["git", "ls-files"])
def setup(logger):
    logger.info("files: {}".format(names()))
""",
        "a message of a commit to a hub": """
            import json
            def push(api, text):
                api.post(json.dumps({"commit_message": text}))
        """,
        "a version of the format": """
            import json
            def f(cfg): json.dump({"cfg": cfg, "version": 1}, open("x", "w"))
        """,
        "a version check": """
            import torch
            if torch.__version__ < "2.0":
                raise RuntimeError("torch 2.0 is needed")
        """,
        "an environment report": """
            import torch
            def main():
                print("torch", torch.__version__)
        """,
        "only the configuration": """
            import json
            def record(config, file):
                json.dump({"config": config}, file)
        """,
    },
}


@pytest.mark.parametrize(("practice", "text"), cases(HITS))
def test_is_present(practice: str, text: str) -> None:
    assert decided(practice, text).status == "present"


@pytest.mark.parametrize(("practice", "text"), cases(MISSES))
def test_is_absent(practice: str, text: str) -> None:
    assert decided(practice, text).status == "absent"
