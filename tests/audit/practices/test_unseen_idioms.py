"""Idioms of repositories that no rule was written on, and what looks like them."""

import pytest

from tests.audit.build import decided
from tests.audit.practices.cases import cases

HITS = {
    "train-grad-accumulation": {
        "the step waits for a difference of counters": """
            def fit(model, optimizer, batches, every):
                last = -1
                for count, batch in enumerate(batches):
                    model(batch).backward()
                    if count - last >= every:
                        optimizer.step()
                        optimizer.zero_grad()
                        last = count
        """,
        "parts go through a function of their own": """
            class Trainer:
                def one_part(self, part):
                    loss = self.model(part)
                    loss.backward()
                    return loss
                def train_step(self, parts):
                    self.optimizer.zero_grad()
                    for part in parts:
                        self.one_part(part)
                    self.optimizer.step()
        """,
    },
    "train-nonfinite-guard": {
        "the norm is made a tensor for the check": """
            import torch
            def step(model, optimizer, loss):
                loss.backward()
                norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                if torch.isfinite(torch.tensor(norm)):
                    optimizer.step()
        """,
    },
    "train-lr-schedule": {
        "an agent is given a schedule for its rate": """
            from stable_baselines3 import PPO
            class LinearSchedule:
                def __init__(self, value): self.value = value
                def __call__(self, left): return left * self.value
            def agent(env):
                return PPO("MlpPolicy", env, learning_rate=LinearSchedule(1e-3))
        """,
    },
    "train-grad-clipping": {
        "an option in what the engine is given": """
            from stable_baselines3 import PPO
            def run(env, trial):
                options = {"gamma": 0.99, "max_grad_norm": trial.suggest_float("norm", 0.3, 2)}
                PPO("MlpPolicy", env, **options).learn(1000)
        """,
    },
    "data-split": {
        "both parts of a description are read": """
            import yaml
            def loaders(path):
                with open(path) as file:
                    data = yaml.safe_load(file)
                return make_dataloader(data["train"]), make_dataloader(data["val"])
            def make_dataloader(folder):
                return folder
        """,
        "an array is cut and both parts are loaded": """
            import numpy as np
            from torch.utils.data import DataLoader
            def loaders(data):
                first, second = np.split(data, [900])
                return DataLoader(first), DataLoader(second)
        """,
        "a share of the examples": """
            def parts(examples):
                count = int(0.9 * len(examples))
                return examples[:count], examples[count:]
        """,
        "a share that is an option": """
            def parts(examples, options):
                count = int(len(examples) * options.val_fraction)
                return examples[count:], examples[:count]
        """,
    },
    "data-resume": {
        "the sampler is told where to go on": """
            def resume(loader, iteration, batch):
                loader.batch_sampler.start_iter = (iteration * batch) % len(loader)
        """,
    },
    "data-streaming": {
        "streamed data sets have a branch": """
            import datasets
            def loader(data):
                if isinstance(data, datasets.IterableDataset):
                    return iter(data)
                return data
        """,
    },
    "log-throughput": {
        "a message with a rate": """
            import torch
            def report(log, count, seconds):
                log.info(f"{count / seconds:.1f} images/s")
        """,
        "a message with the time of a step": """
            import torch
            def report(seconds):
                print("%.1f ms/step" % (seconds * 1000))
        """,
    },
    "log-rank-zero": {
        "the first rank by the environment shows progress": """
            import os
            from tqdm import tqdm
            RANK = int(os.getenv("RANK", "-1"))
            def fit(batches):
                bar = tqdm(batches)
                for batch in bar:
                    if RANK in {-1, 0}:
                        bar.set_description("training")
        """,
        "a function of the repository prints": """
            import os
            RANK = int(os.getenv("RANK", "-1"))
            def print_options(options):
                print(options)
            def main(options):
                if RANK in {-1, 0}:
                    print_options(options)
        """,
    },
    "serve-predict": {
        "a module that is named for it runs a model": """
            # file: detect.py
            import torch
            @torch.inference_mode()
            def run(weights, source):
                model = torch.jit.load(weights)
                return model(source)
            if __name__ == "__main__":
                run("model.pt", "images")
        """,
    },
    "checkpoint-atomic": {
        "an empty file is made last, and asked for": """
            import os
            import torch
            MARKER = "COMPLETE"
            def save(model, folder):
                torch.save(model.state_dict(), os.path.join(folder, "model.pt"))
                open(os.path.join(folder, MARKER), "w").close()
            def is_whole(folder):
                return os.path.exists(os.path.join(folder, MARKER))
        """,
    },
    "eval-metrics": {
        "an evaluation returns them by key": """
            import math, torch
            @torch.no_grad()
            def evaluate(model, batches):
                model.eval()
                loss = sum(model(batch).item() for batch in batches)
                return {"loss": loss, "loss_ppl": math.exp(loss), "accuracy": 1 - loss}
        """,
    },
    "eval-loop": {
        "between the steps of the training": """
            import torch
            def train(model, optimizer, batches, held_out):
                for step, batch in enumerate(batches):
                    model(batch).backward()
                    optimizer.step()
                    if step % 100 == 0:
                        model.eval()
                        with torch.no_grad():
                            print(model(next(held_out)).item())
                        model.train()
        """,
    },
    "ci-matrix": {
        "a job named for tests runs the scripts": """
            # file: train.py
            # file: .github/workflows/ci.yml
            on: [push]
            jobs:
              Tests:
                runs-on: ${{ matrix.os }}
                strategy:
                  matrix:
                    os: [ubuntu-latest, macos-14]
                steps:
                  - run: python train.py --epochs 1
        """,
    },
    "security-no-unsafe-deserialization": {
        "only text is read": """
            def read(path):
                with open(path) as file:
                    return file.read()
        """,
    },
    "plugin-listing": {
        "what is filled beside a registry is listed": """
            POOLERS = {}
            CONFIGS = {}
            def register_pooler(cls):
                POOLERS[cls.__name__] = cls
                return cls
            def add_config(name, config):
                CONFIGS[name] = config
            def list_models():
                return sorted(CONFIGS)
        """,
    },
}
MISSES = {
    "train-grad-accumulation": {
        "a target network is copied now and then": """
            def fit(model, optimizer, batches, target_update_freq):
                for count, batch in enumerate(batches):
                    model(batch).backward()
                    optimizer.step()
                    if count >= target_update_freq:
                        model.copy()
        """,
        "every network of a list has its step": """
            class Trainer:
                def one(self, net, batch):
                    net(batch).backward()
                    net.optimizer.step()
                def fit(self, batch):
                    for net in self.nets:
                        self.one(net, batch)
                    self.optimizer.step()
        """,
    },
    "data-split": {
        "losses of both parts are shown": """
            def report(losses):
                print(losses["train"], losses["val"])
        """,
        "a number of layers": """
            def layers(model, options):
                return int(len(model.layers) * options.depth)
        """,
    },
    "data-streaming": {
        "an iterable that counts and has all in a list": """
            from torch.utils.data import IterableDataset
            class Prompts(IterableDataset):
                def __init__(self, prompts):
                    self.prompts = list(prompts)
                def __iter__(self):
                    for place in range(len(self.prompts)):
                        yield self.prompts[place]
        """,
    },
    "log-throughput": {
        "the speed of reading a file": """
            import os
            def report(path, seconds):
                print(f"Speed: {os.path.getsize(path) / seconds}MB/second")
        """,
    },
    "log-rank-zero": {
        "any process prints its rank": """
            import os
            RANK = int(os.getenv("RANK", "-1"))
            def main():
                print(RANK)
        """,
    },
    "checkpoint-async": {
        "a job is sent to a cluster": """
            import submitit
            import torch
            class Job:
                def __call__(self):
                    torch.save(self.model.state_dict(), "model.pt")
            def main():
                submitit.AutoExecutor("logs").submit(Job())
        """,
    },
    "checkpoint-atomic": {
        "an empty log file": """
            import os
            import torch
            def save(model, folder):
                torch.save(model.state_dict(), os.path.join(folder, "model.pt"))
                open(os.path.join(folder, "train.log"), "w").close()
            def has_model(folder):
                return os.path.exists(os.path.join(folder, "model.pt"))
        """,
    },
    "plugin-registry": {
        "a cache": """
            LENGTHS = {}
            def fast_length(size):
                if size in LENGTHS:
                    return LENGTHS[size]
                LENGTHS[size] = size
                return size
        """,
    },
    "distributed-single-process-fallback": {
        "a trainer without a word about processes": """
            from lightning.pytorch import Trainer
            def run(module):
                Trainer(max_epochs=3).fit(module)
        """,
    },
    "ci-matrix": {
        "two workflows with one version each": """
            # file: .github/workflows/a.yml
            on: [push]
            jobs:
              test:
                runs-on: ubuntu-22.04
                steps:
                  - uses: actions/setup-python@v5
                    with:
                      python-version: "3.10"
                  - run: pytest
            # file: .github/workflows/b.yml
            on: [push]
            jobs:
              test:
                runs-on: ubuntu-22.04
                steps:
                  - uses: actions/setup-python@v5
                    with:
                      python-version: "3.11"
                  - run: pytest
        """,
    },
    "security-no-unsafe-deserialization": {
        "further arguments that do not restrict": """
            import torch
            def read(path, device):
                more = {"map_location": device}
                return torch.load(path, **more)
        """,
    },
    "package-typed": {
        "a marker deep below the package": """
            # file: package/__init__.py
            # file: package/tasks/web/env/__init__.py
            # file: package/tasks/web/env/py.typed
            # file: pyproject.toml
            [project]
            name = "package"
        """,
    },
    "serve-container": {
        "a resource of a task": """
            # file: package/__init__.py
            # file: package/tasks/web/Dockerfile
            FROM ubuntu:24.04
            RUN apt-get update
        """,
    },
    "eval-results-file": {
        "a value is tried, not written": """
            import torch, yaml
            @torch.no_grad()
            def evaluate(model, batches):
                model.eval()
                yaml.dump(model.options)
                return sum(model(batch).item() for batch in batches)
        """,
    },
}


@pytest.mark.parametrize(("practice", "text"), cases(HITS))
def test_is_recognised(practice: str, text: str) -> None:
    assert decided(practice, text).status == "present"


@pytest.mark.parametrize(("practice", "text"), cases(MISSES))
def test_near_misses_are_none(practice: str, text: str) -> None:
    assert decided(practice, text).status == "absent"
