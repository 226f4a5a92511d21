"""Metric files and speed."""

import pytest

from tests.audit.build import decided

HITS = [
    pytest.param("log-metrics-file", """
import csv
from functools import wraps
def once(fn):
    @wraps(fn)
    def wrapped(self):
        return fn(self)
    return wrapped
class Logger:
    def __init__(self):
        self._writer = None
    @property
    @once
    def writer(self) -> "_Writer":
        if self._writer is None:
            self._writer = _Writer()
        return self._writer
    def fit(self, loss):
        loss.backward()
        self.writer.save()
class _Writer:
    def save(self):
        with open("metrics.csv", "w") as file:
            csv.DictWriter(file, []).writerows(self.metrics)
""", id="log-metrics-file: a property with a quoted type leads to the writer"),
    pytest.param("log-throughput", """
class Loop:
    def log(self, steps, tokens, seconds):
        self._track({"loss": self.loss, "tokens_per_second": steps * tokens / seconds})
""", id="record that an own method sends"),
    pytest.param("log-throughput", """
import torch
class CollectStats:
    def set_time(self, seconds):
        self.collect_speed = self.steps / seconds
""", id="speed kept in statistics"),
    pytest.param("log-metrics-file", """
import csv
def fit(loss, path):
    loss.backward()
    with open(path, "a") as file:
        writer = csv.DictWriter(file, fieldnames=["epoch", "loss"])
        writer.writerow({"epoch": 1, "loss": loss.item()})
""", id="CSV rows"),
    pytest.param("log-metrics-file", """
from lightning.pytorch import Trainer
from lightning.pytorch.loggers import CSVLogger
def fit(model):
    Trainer(logger=CSVLogger("logs")).fit(model)
""", id="CSVLogger of Lightning"),
    pytest.param("log-metrics-file", """
import json
def log_stats(stats, loss, path):
    loss.backward()
    with open(path, "a") as file:
        print(json.dumps(stats), file=file)
""", id="JSON lines by print"),
    pytest.param("log-throughput", """
import time
import torch
def fit(batches, report):
    start = time.time()
    for batch in batches:
        now = time.time()
        report.update(now - start)
        start = now
""", id="time per step in a meter"),
    pytest.param("log-throughput", """
def fit(writer, tokens, seconds, step):
    writer.add_scalar("tokens_per_sec", tokens / seconds, step)
""", id="named rate"),
    pytest.param("log-throughput", """
from lightning.fabric.utilities.throughput import ThroughputMonitor
def monitor(fabric):
    return ThroughputMonitor(fabric)
""", id="ThroughputMonitor"),
]  # fmt: skip
MISSES = [
    pytest.param("log-throughput", """
import torch
class Player:
    def set_speed(self, factor):
        self.train_speed = factor
""", id="speed that is set"),
    pytest.param("log-metrics-file", """
import json
def save(metrics, path):
    with open(path, "w") as file:
        json.dump(metrics, file)
""", id="no training in the repository"),
    pytest.param("log-metrics-file", """
import json
def fit(loss, config, path):
    loss.backward()
    with open(path, "w") as file:
        json.dump(config, file)
""", id="configuration"),
    pytest.param("log-metrics-file", """
def fit(loss, path):
    loss.backward()
    with open(path, "a") as file:
        file.write(f"loss {loss.item()}")
""", id="plain text"),
    pytest.param("log-throughput", """
import time
import torch
def fit(batches):
    start = time.time()
    for batch in batches:
        batch.sum()
    print(time.time() - start)
""", id="total duration"),
    pytest.param("log-throughput", """
import time
def read(files):
    start = time.time()
    for place, file in enumerate(files):
        print(place / (time.time() - start))
""", id="reading speed where no model is"),
    pytest.param("log-throughput", """
from tqdm import tqdm
import torch
def fit(batches):
    for batch in tqdm(batches):
        batch.sum()
""", id="progress bar"),
]  # fmt: skip


@pytest.mark.parametrize(("practice", "text"), HITS)
def test_it_is_present(practice: str, text: str) -> None:
    result = decided(practice, text)
    assert result.status == "present", result


@pytest.mark.parametrize(("practice", "text"), MISSES)
def test_it_is_absent(practice: str, text: str) -> None:
    result = decided(practice, text)
    assert result.status == "absent", result
