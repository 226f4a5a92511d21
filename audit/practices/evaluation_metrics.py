"""Evaluation: the loop and what it measures."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

from audit.practices.evaluations import evaluations, inline_evaluations
from audit.practices.libraries import named
from audit.practices.loops import (
    derives,
    library_calls,
    own_name,
    scope_at,
    spread,
    words,
)
from audit.practices.origins import by_file
from audit.practices.registry import Place, at, in_code, practice
from audit.repository import Repository

_KEYED: Final = (
    "log", "log_dict", "log_metrics", "record", "add_scalar", "update", "write_scalar", "report",
    "append", "Metric", "add_metric", "log_metric", "log_scalar", "record_mean", "write_summary",
)  # fmt: skip
_STRING: Final = re.compile(r"'([\w/@.{} -]{2,60})'")
_RETURNED: Final = re.compile(r"'([\w/{}.:()@\[\]]{2,60})': (?!'|None|True|False)")
_NESTED: Final = re.compile(r"\{'(\w+)'\}")
_SAID: Final = re.compile(r"([A-Za-z@][\w@ ]{1,30})[:=]? ?\{")
"""What a message says before a value."""
_CHOSEN: Final = re.compile(r"metric(?:_?(?:type|name))? == '(\w+)'")
"""A branch for one metric of several."""
# MAE is a masked autoencoder too, MOSS a kind of attention.
_ALSO_MODELS: Final = ("mean absolute error", "speech quality")
_NO_METRIC: Final = re.compile(
    r"loss|criterion|optim|scheduler|penalty|(^|_)grad_acc|assoc\w*_recall|early_accept"
)
_MEASURES: Final = re.compile(r"(^|_)metrics?$")
"""Functions that hand metrics back: ``compute_metrics``."""
_PLUMBING: Final = re.compile(
    r"^(_|[a-z]*Mean|Sum|Max|Min|Cat|Metric|MetricCollection|Running|items|keys|values|add_state|"
    r"update|compute|reset|clone|to|persistent|forward|(load_)?state_dict)|Mean$"
)


@practice("eval-loop", looks_for="an evaluation without gradients that gives a number")
def eval_loop(repo: Repository) -> Iterator[Place]:
    """A model is evaluated on held-out data with gradients off.

    A function that its name calls an evaluation and that leads to `no_grad`,
    `inference_mode` or `eval()`, or a loop without gradients that adds up numbers or
    returns a metric; in training code a loop over the batches of another set, or a step
    whose gradients depend on the phase.

    Why:
        Training loss says nothing about data that the model has not seen.
    Fix:
        Loop over the validation data under `torch.inference_mode()` with the model in
        `eval()` and return the mean of the metric.
    Good:
        import torch
        @torch.no_grad()
        def evaluate(model, batches):
            model.eval()
            total = 0.0
            for batch in batches:
                total += model(batch).item()
            return total / len(batches)
    Bad:
        import torch
        @torch.no_grad()
        def answer(model, prompt):
            return model.generate(prompt)
    Drop-in: codex_ml.evaluation.evaluating.evaluate
    """
    found = [
        in_code(module, place, one.line, f"{one.name} evaluates with gradients off")
        for module, place, one in evaluations(repo).values()
    ]
    says = "evaluates with gradients off between the steps"
    yield from spread([*found, *(at(site, says) for site in inline_evaluations(repo))])


@practice("eval-metrics", looks_for="two or more named quality metrics")
def eval_metrics(repo: Repository) -> Iterator[Place]:
    """At least two quality metrics beside the training loss are computed.

    Metrics are known by the functions and classes that compute them, the libraries
    that are called for them and the keys under which they are reported.

    Why:
        One number hides regressions; a second one that users care about shows them.
    Fix:
        Compute task metrics (accuracy, F1, perplexity ...) beside the loss in the evaluation.
    Good:
        from sklearn.metrics import accuracy_score, f1_score
        def measure(truth, guess):
            return accuracy_score(truth, guess), f1_score(truth, guess)
    Bad:
        def accuracy(guess, truth):
            return (guess == truth).float().mean()
    Limits:
        Metrics that only a configuration file names are not seen.
    Drop-in: codex_ml.evaluation.text_metrics
    """
    found: dict[str, list[Place]] = {}
    for metric, place in (*_metric_calls(repo), *_own_metrics(repo), *_reported(repo)):
        found.setdefault(metric, []).append(place)
    if len(found) >= 2 or "several" in found:
        yield from by_file(repo, (one for places in found.values() for one in places))


@cache
def _metric_pattern() -> re.Pattern[str]:
    return re.compile(rf"(^|_)({'|'.join(named('metrics'))})(?=_|$|s$|s_)")


def _metrics_in(text: str) -> Iterator[str]:
    """Yield the metrics that an identifier or key names."""
    snake = re.sub(r"^\w*loss_(?=ppl|perplexity|acc)", "", re.sub(r"\W+", "_", words(text)))
    if not _NO_METRIC.search(snake):
        for found in _metric_pattern().finditer(snake):
            known = named("metrics")
            yield next((known[key] for key in known if re.fullmatch(key, found[2])), found[2])


def _metric_calls(repo: Repository) -> Iterator[tuple[str, Place]]:
    for site, what in library_calls(repo, "metric-libraries"):
        metric = site.call.args[0] if site.method == "load" and site.call.args else site.method
        if not _PLUMBING.search(metric):
            yield what or metric, at(site, f"computes {metric}")
    for site, what in library_calls(repo, "evaluators"):
        yield "several", at(site, f"computes the metrics of {what}")
    for site, value in repo.given("topk"):
        if "acc" in site.method and re.fullmatch(r"[(\[]\d+, \d+.*", value):
            yield "several", at(site, f"computes {site.method} of the best {value}")


def _own_metrics(repo: Repository) -> Iterator[tuple[str, Place]]:
    for module, place, one in repo.definitions:
        if one.kind != "module" and not one.stub and (one.kind == "class" or one.returns):
            for metric in _metrics_in(own_name(one)):
                model = metric in _ALSO_MODELS and derives(repo, module, place, r"nn\.\S*Module$")
                if metric != "reward" and not model:  # a reward function feeds training
                    yield metric, in_code(module, place, one.line, f"{one.name} computes {metric}")


def _reported(repo: Repository) -> Iterator[tuple[str, Place]]:
    measuring = repo.functions(_MEASURES.pattern)
    for module, place, one in (*evaluations(repo).values(), *measuring):
        texts = (_NESTED.sub(r"{\1}", text) for text in one.returns)
        for key in (key for text in texts for key in _RETURNED.findall(text)):
            for metric in _metrics_in(key):
                yield metric, in_code(module, place, one.line, f"returns {key}")
    for site in repo.methods(*_KEYED):
        for text in site.call.args[:2]:
            for key in _STRING.findall(text):
                for metric in _metrics_in(key):
                    yield metric, at(site, f"reports {key}")
    yield from (*_said(repo), *_chosen(repo), *_tabled(repo))
    for module, kept in repo.assigns(r"(metric|result|score)\w*(\(\))?\[f?'[^']+'\]$"):
        for key in _STRING.findall(kept.target) if not kept.value.isnumeric() else ():
            for metric in _metrics_in(key):
                yield metric, in_code(module, kept.scope, kept.line, f"keeps {key}")


def _chosen(repo: Repository) -> Iterator[tuple[str, Place]]:
    """Yield the metrics that an evaluation branches on: ``if self.metric_type == "f1"``."""
    for module in repo.product:
        for block in module.facts.blocks:
            for key in _CHOSEN.findall(block.text):
                for metric in _metrics_in(key):
                    scope = scope_at(module, block.line)
                    yield metric, in_code(module, scope, block.line, f"computes {key} on demand")


def _tabled(repo: Repository) -> Iterator[tuple[str, Place]]:
    """Yield the metrics that a class lists with what they are called in its reports."""
    for module, kept in repo.assigns(r"^(self\.)?metrics?_\w*(labels?|names?|titles?)$"):
        if kept.value.startswith("{'"):
            for key in _STRING.findall(kept.value):
                for metric in _metrics_in(key):
                    yield metric, in_code(module, kept.scope, kept.line, f"reports {key}")


def _said(repo: Repository) -> Iterator[tuple[str, Place]]:
    """Yield the metrics that messages name before a value."""
    for site in repo.methods("print", "info", "write", "format"):
        for text in (*site.call.args[:2], *site.receivers):
            for said in _SAID.findall(text) if "{" in text else ():
                for metric in _metrics_in(said):
                    yield metric, at(site, f"reports {said.strip()}")
