"""Evaluation: loops, metrics, commands, files and spread."""

import pytest

from tests.audit.build import decided
from tests.audit.practices.cases import cases

HITS = {
    "eval-loop": {
        "the loop of another library": """
from transformers import Seq2SeqTrainer
def main(model, data):
    trainer = Seq2SeqTrainer(model=model, eval_dataset=data)
    return trainer.evaluate()
""",
        "detectron2": """
import torch
def inference_on_dataset(model, data_loader, evaluator):
    with inference_context(model), torch.no_grad():
        for inputs in data_loader:
            evaluator.process(inputs, model(inputs))
    return evaluator.evaluate()
""",
        "validate": """
import torch
def validate(val_loader, model, criterion):
    model.eval()
    with torch.no_grad():
        for x, y in val_loader:
            loss = criterion(model(x), y)
    return loss
""",
        "lightning": """
class Lit:
    def validation_step(self, batch, i):
        return self.loss(batch)
class EvaluationLoop:
    def run(self):
        import torch
        with torch.inference_mode():
            for b in self.loader:
                self.module.validation_step(b, 0)
        return self.results
""",
        "speechbrain": """
import torch
class Brain:
    def _fit_valid(self, valid_set):
        self.modules.eval()
        with torch.no_grad():
            for batch in valid_set:
                loss = self.evaluate_batch(batch, stage=2)
                avg = self.update_average(loss, 0)
        return avg
    def evaluate(self, test_set):
        return self._fit_valid(test_set)
    def evaluate_batch(self, batch, stage):
        return batch
""",
        "fairseq valid_step": """
import torch
class Task:
    def valid_step(self, sample, model, criterion):
        model.eval()
        with torch.no_grad():
            loss, n, log = criterion(model, sample)
        return loss, n, log
""",
        "compute_fid": """
import torch
@torch.no_grad()
def test(model, loader):
    model.eval()
    correct = 0
    for x, y in loader:
        correct += (model(x).argmax(1) == y).sum().item()
    return correct
""",
        "a module named for it": """
# file: val.py
import torch
@torch.no_grad()
def run(model, dataloader):
    model.eval()
    stats = []
    for x in dataloader:
        stats.append(model(x))
    return stats
""",
        "an epoch of a class": """
import torch
class ValidEpoch:
    def batch_update(self, x, y):
        with torch.inference_mode():
            out = self.model(x)
        return self.loss(out, y), out
""",
    },
    "eval-metrics": {
        "one class computes the metric that it is asked for": """
class Score:
    def compute(self):
        if self.metric_type == "f1":
            return self.f
        elif self.metric_type == "accuracy":
            return self.right / self.count
""",
        "kept under keys": """
def ranks(metrics, name, found):
    metrics[f"{name}_mean_rank"] = found.mean()
    metrics[f"{name}_accuracy"] = (found == 0).mean()
""",
        "scikit-learn": """
from sklearn.metrics import accuracy_score, f1_score
def measure(t, g):
    return accuracy_score(t, g), f1_score(t, g)
""",
        "own functions": """
def top_1_accuracy(a, b):
    return a == b
def perplexity(nll):
    return nll.exp()
""",
        "reported keys": """
class Lit:
    def validation_step(self, batch):
        self.log("val/accuracy", 1.0)
        self.log("val/f1", 1.0)
""",
    },
    "eval-cli": {
        "a script": """
import argparse, torch
@torch.no_grad()
def evaluate(model, batches):
    model.eval()
    return sum(model(b).item() for b in batches)
def main():
    a = argparse.ArgumentParser().parse_args()
    print(evaluate(torch.load(a.model), []))
if __name__ == "__main__":
    main()
""",
        "typer": """
import torch, typer
app = typer.Typer()
@torch.no_grad()
def evaluate(model, batches):
    model.eval()
    return sum(model(b).item() for b in batches)
@app.command()
def score(path: str):
    print(evaluate(torch.load(path), []))
""",
        "another harness": """
import argparse, lm_eval
def main():
    a = argparse.ArgumentParser().parse_args()
    return lm_eval.simple_evaluate(model=a.model)
if __name__ == "__main__":
    main()
""",
    },
    "eval-results-file": {
        "evals jsonl": r"""
import json, torch
@torch.no_grad()
def evaluate(model, data):
    model.eval()
    return {"acc": sum(model(x).item() for x in data)}
def main(model, data, path):
    result = evaluate(model, data)
    with open(path, "w") as f:
        f.write(json.dumps(result) + "\n")
""",
        "path write_text": """
import json, torch
from pathlib import Path
def evaluate(model, data, out):
    with torch.no_grad():
        acc = sum(model(x) for x in data)
    Path(out).write_text(json.dumps({"acc": acc}))
    return acc
""",
        "pandas": """
import pandas as pd, torch
@torch.no_grad()
def evaluate(model, data, out):
    rows = [model(x).item() for x in data]
    pd.DataFrame(rows).to_csv(out)
    return rows
""",
    },
    "eval-uncertainty": {
        "interval in what is returned": """
def row(found):
    return {"value": found.value, "stderr": found.error, "n": found.n}
""",
        "bootstrap of a harness": """
def main(evaluate, model):
    return evaluate(model, tasks=["arc"], bootstrap_iters=1000)
""",
        "bootstrap": """
def bootstrap_ci(values, n):
    return sorted(values)[0], sorted(values)[-1]
""",
        "format": """
import numpy as np, torch
@torch.no_grad()
def evaluate(model, seeds):
    accs = [model(s).item() for s in seeds]
    print(f"{np.mean(accs):.2f} ± {np.std(accs):.2f}")
    return accs
""",
        "sem": """
from scipy import stats
def summary(x):
    return stats.sem(x)
""",
    },
}  # fmt: skip

MISSES = {
    "eval-loop": {
        "an engine that only trains": """
from transformers import Seq2SeqTrainer
def main(model, data):
    trainer = Seq2SeqTrainer(model=model, train_dataset=data)
    return trainer.train()
""",
        "an answer": """
import torch
@torch.no_grad()
def answer(model, prompt):
    return model.generate(prompt)
""",
        "a name alone": """
def evaluate(expression):
    return expression.compute()
""",
        "gradients on": """
def train_epoch(model, loader):
    for b in loader:
        model(b).backward()
""",
    },
    "eval-metrics": {
        "the state of a running mean is kept": """
import torchmetrics
class Detector:
    def __init__(self):
        self.mean = torchmetrics.MeanMetric()
    def state_dict(self):
        return {"mean": self.mean.state_dict(), "base": self.mean.state_dict()}
""",
        "one class computes sums": """
class Score:
    def compute(self):
        if self.metric_type == "sum":
            return self.total
        elif self.metric_type == "count":
            return self.count
""",
        "models that are named like metrics": """
from torch import nn
class MAE(nn.Module):
    def forward(self, images):
        return images
class MOS(nn.Module):
    def forward(self, images):
        return images
""",
        "one metric": """
def accuracy(guess, truth):
    return (guess == truth).float().mean()
""",
        "losses": """
def cross_entropy_loss(a, b):
    return a - b
def mse_loss(a, b):
    return (a - b) ** 2
""",
        "a scheduler": """
def accuracy_scheduler(step):
    return step
""",
    },
    "eval-cli": {
        "evaluation inside training": """
import torch
@torch.no_grad()
def evaluate(model, batches):
    model.eval()
    return sum(model(b).item() for b in batches)
def main(model, batches, optimizer):
    for b in batches:
        model(b).backward()
        optimizer.step()
    return evaluate(model, batches)
if __name__ == "__main__":
    main(None, [], None)
""",
        "a function": """
import torch
@torch.no_grad()
def evaluate(model, batches):
    model.eval()
    return sum(model(b).item() for b in batches)
""",
        "another command": """
import argparse
def main():
    return argparse.ArgumentParser().parse_args()
if __name__ == "__main__":
    main()
""",
    },
    "eval-results-file": {
        "settings": """
import json
def setup(config, path):
    with open(path, "w") as file:
        json.dump(config, file)
""",
        "transcripts without evaluation": """
import json
class Writer:
    def write_result(self, result, file):
        json.dump(result, file)
""",
        "printed results": """
import torch
@torch.no_grad()
def evaluate(model, batches):
    model.eval()
    total = sum(model(b).item() for b in batches)
    print(total)
    return total
""",
    },
    "eval-uncertainty": {
        "output of a process": """
def run(done):
    return {"stdout": done.stdout, "stderr": done.stderr}
""",
        "normalisation": """
import numpy as np
def normalise(pixels):
    return (pixels - np.mean(pixels)) / np.std(pixels)
""",
        "a mean": """
import numpy as np, torch
@torch.no_grad()
def evaluate(model, batches):
    model.eval()
    return np.mean([model(b).item() for b in batches])
""",
        "advantages": """
def advantages(rewards):
    return (rewards - rewards.mean()) / (rewards.std() + 1e-4)
""",
    },
}  # fmt: skip


@pytest.mark.parametrize(("practice", "text"), cases(HITS))
def test_is_recognised(practice: str, text: str) -> None:
    assert decided(practice, text).status == "present"


@pytest.mark.parametrize(("practice", "text"), cases(MISSES))
def test_near_misses_are_none(practice: str, text: str) -> None:
    assert decided(practice, text).status == "absent"
