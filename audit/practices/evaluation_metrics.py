"""Evaluation: the loop, what it measures, how it is started and what it leaves behind."""

import re
from collections.abc import Collection, Iterator
from functools import cache
from typing import Final

from audit.code.modules import Module
from audit.facts.model import Definition
from audit.practices import entries
from audit.practices.libraries import named
from audit.practices.loops import (
    backward_calls,
    classes_around,
    evaluations,
    library_calls,
    outermost,
    own_name,
    says_evaluation,
    scope_at,
    spread,
    words,
)
from audit.practices.origins import by_file
from audit.practices.registry import Place, at, in_code, practice
from audit.practices.tables import written_rows
from audit.repository import Repository, Site

_KEYED: Final = (
    "log", "log_dict", "log_metrics", "record", "add_scalar", "update", "write_scalar", "report",
    "append", "Metric", "add_metric", "log_metric", "log_scalar", "record_mean", "write_summary",
)  # fmt: skip
_STRING: Final = re.compile(r"'([\w/@.{} -]{2,60})'")
_NO_METRIC: Final = re.compile(r"loss|criterion|optim|scheduler|penalty")
_ONLY: Final = re.compile(
    r"[.:]((eval|evaluate|evaluation|test|validate|val|do_eval|do_test|do_predict)(_only)?|"
    r"(only|just|run)_(eval|evaluate|test|validate|evaluation)|eval_mode)\b(?!\()"
)
_RESULTS: Final = re.compile(r"(^|_)(results?|metrics?|scores?|eval\w*|leaderboard)(_|$)")
_SETTINGS: Final = re.compile(r"config|args|vars\(\)|asdict|argparse|param", re.IGNORECASE)
_PLUMBING: Final = re.compile(
    r"^(_|[a-z]*Mean|Sum|Max|Min|Cat|Metric|MetricCollection|Running|items|keys|values|add_state|"
    r"update|compute|reset|clone|to|persistent|forward)|Mean$"
)
_WRITERS: Final = (
    "to_csv", "to_json", "to_parquet", "savez", "savez_compressed", "writerow", "writerows",
    "writeheader", "save_json", "write_json", "dump_json",
)  # fmt: skip
_TIMING: Final = re.compile(r"profil|timer|benchmark")
_SPREAD: Final = re.compile(
    r"(^|_)(std_errs?|std_errors?|standard_errors?|bootstrap\w*|confidence_intervals?|conf_int|"
    r"credible_intervals?|ci95|error_bars?|stderr_(for|of)|(mean|sample|metric|acc)_stderr)(_|$)"
)
_SPREAD_CLASS: Final = re.compile(r"^(std|std_dev|standard_deviation|standard_error)$")
_PLUS_MINUS: Final = re.compile(r"\} ?(\+/-|\+-|±|\\pm) ?\{")
_SPREAD_KEY: Final = re.compile(
    r"'[^']*(reward|return|score|acc\w*|metric|success)\w*[_/](std|stderr|sem|ci)\b"
)
_LAZY: Final = ("evaluate", "simple_evaluate", "evaluate_model", "run_evaluation")
_STD: Final = ("std", "nanstd", "stdev", "pstdev", "std_mean")


@practice("eval-loop", looks_for="an evaluation without gradients that gives a number")
def eval_loop(repo: Repository) -> Iterator[Place]:
    """A model is evaluated on held-out data with gradients off.

    A function that its name calls an evaluation and that leads to `no_grad`,
    `inference_mode` or `eval()`, or a loop without gradients that adds up numbers.

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
    found = evaluations(repo)
    yield from spread(
        in_code(module, place, one.line, f"{one.name} evaluates with gradients off")
        for module, place, one in found.values()
    )


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
    snake = re.sub(r"\W+", "_", words(text))
    if not _NO_METRIC.search(snake):
        for found in _metric_pattern().finditer(snake):
            known = named("metrics")
            yield next((known[key] for key in known if re.fullmatch(key, found[2])), found[2])


def _metric_calls(repo: Repository) -> Iterator[tuple[str, Place]]:
    for site, what in library_calls(repo, "metric-libraries"):
        metric = site.call.args[0] if site.method == "load" and site.call.args else site.method
        if not _PLUMBING.search(metric):
            yield what or metric, at(site, f"computes {metric}")


def _own_metrics(repo: Repository) -> Iterator[tuple[str, Place]]:
    for module, place, one in repo.definitions:
        if one.kind != "module" and not one.stub and (one.kind == "class" or one.returns):
            for metric in _metrics_in(own_name(one)):
                if metric != "reward":  # a reward function feeds training
                    yield metric, in_code(module, place, one.line, f"{one.name} computes {metric}")


def _reported(repo: Repository) -> Iterator[tuple[str, Place]]:
    for site in repo.methods(*_KEYED):
        for text in site.call.args[:2]:
            for key in _STRING.findall(text):
                for metric in _metrics_in(key):
                    yield metric, at(site, f"reports {key}")


@practice("eval-cli", looks_for="a command that evaluates")
def eval_cli(repo: Repository) -> Iterator[Place]:
    """Evaluation can be started from the command line.

    A script, console command or subcommand that leads to an evaluation and not to
    training, or a switch of the training command that only evaluates.

    Why:
        A checkpoint must be measurable without running or editing the training.
    Fix:
        Add a console command (or an `--eval-only` switch) that loads a checkpoint,
        evaluates it and exits.
    Good:
        import argparse
        import torch
        @torch.no_grad()
        def evaluate(model, batches):
            return sum(model(batch).item() for batch in batches)
        def main():
            options = argparse.ArgumentParser().parse_args()
            print(evaluate(torch.load(options.model), []))
        if __name__ == "__main__":
            main()
    Bad:
        import torch
        @torch.no_grad()
        def evaluate(model, batches):
            return sum(model(batch).item() for batch in batches)
    Drop-in: codex_ml.cli.evaluate
    """
    evaluating = set(evaluations(repo)) | set(_evaluator_calls(repo))
    training = {site.module.first + site.call.scope for site in backward_calls(repo)}
    found = []
    for node in entries.started(repo):
        if _starts_evaluation(repo, node, evaluating, training):
            module = repo.program.owner[node]
            line = repo.program.definition(node).line
            found.append(in_code(module, node - module.first, line, "evaluates when it is started"))
    yield from spread([*found, *_subcommands(repo, evaluating), *_switches(repo, evaluating)])


def _evaluator_calls(repo: Repository) -> Iterator[int]:
    """Yield the definitions that call another library's evaluation."""
    for site, _ in library_calls(repo, "evaluators"):
        yield site.module.first + site.call.scope
    for site in repo.methods(*_LAZY):
        if ":" in site.names[0]:  # a name that the package gives out lazily
            yield site.module.first + site.call.scope


def _starts_evaluation(
    repo: Repository, node: int, evaluating: Collection[int], training: Collection[int]
) -> bool:
    near = repo.graph.within([node], 2, up=False)
    far = repo.graph.within([node], 4, up=False)
    return not near.isdisjoint(evaluating) and far.isdisjoint(training)


def _subcommands(repo: Repository, evaluating: Collection[int]) -> Iterator[Place]:
    """Yield references of command-line modules to functions named for evaluation."""
    leading = repo.graph.within(evaluating, 4, up=True)
    for module in _command_modules(repo):
        called = {name for call in module.facts.calls for name in call.names}
        for one in module.facts.references:
            node = repo.program.resolve(module, one.name)[1]
            if node in leading and one.name not in called and _is_evaluation(repo, node):
                yield in_code(module, one.scope, one.line, "has a subcommand that evaluates")


def _command_modules(repo: Repository) -> tuple[Module, ...]:
    """Return the modules with something that the command line starts."""
    found = {repo.program.owner[node].path: node for node in sorted(entries.started(repo))}
    return tuple(repo.program.owner[node] for node in found.values())


def _is_evaluation(repo: Repository, node: int) -> bool:
    one = repo.program.definition(node)
    return one.kind == "function" and says_evaluation(own_name(one)) and not one.stub


def _switches(repo: Repository, evaluating: Collection[int]) -> Iterator[Place]:
    """Yield conditions on an option that makes a command evaluate only."""
    for module in _command_modules(repo):
        for block in module.facts.blocks:
            if block.kind == "if" and _ONLY.search(block.text):
                scope = scope_at(module, block.line)
                if not repo.graph.edges[module.first + scope].isdisjoint(evaluating):
                    yield in_code(module, scope, block.line, "has a switch that only evaluates")


@practice("eval-results-file", looks_for="evaluation results written as JSON, CSV or the like")
def eval_results_file(repo: Repository) -> Iterator[Place]:
    """Evaluation results are written to a machine-readable file.

    A JSON, CSV, Parquet or NumPy writer in an evaluation, in what it calls, in what
    calls it, or in a function named for results or metrics.

    Why:
        Numbers in a log cannot be compared by a program next month.
    Fix:
        Write one JSON (or JSON Lines) file per evaluation beside the checkpoint.
    Good:
        import json, torch
        @torch.no_grad()
        def evaluate(model, batches, path):
            results = {"loss": sum(model(batch).item() for batch in batches)}
            with open(path, "w") as file:
                json.dump(results, file)
            return results
    Bad:
        import json
        def setup(config, path):
            with open(path, "w") as file:
                json.dump(config, file)
    Drop-in: codex_ml.evaluation.results.write_results
    """
    evaluating = set(evaluations(repo)) | set(_evaluator_calls(repo))
    if not evaluating:
        return
    beside = repo.graph.within(evaluating, 1, up=True)
    below = repo.graph.within(evaluating, 2, up=False)
    yield from spread(
        at(site, f"writes results with {site.method}")
        for site in _structured_writes(repo)
        if _about_results(site, beside, below)
    )


def _structured_writes(repo: Repository) -> Iterator[Site]:
    """Yield calls that write structured data to a file."""
    yield from repo.calls("json.dump", "numpy.save", "orjson.dump", "yaml.dump", "yaml.safe_dump")
    yield from repo.methods(*_WRITERS)
    for site in repo.methods("write", "write_text", "writelines"):
        if any("dumps()" in one for one in site.arguments()):
            yield site
    yield from repo.methods("log_metrics_to_file", "save_metrics")
    yield from written_rows(repo)


def _about_results(site: Site, beside: Collection[int], below: Collection[int]) -> bool:
    """Tell whether a write is named for results, or is of an evaluation's values."""
    if any(
        _TIMING.search(own_name(one)) for _, one in classes_around(site.module, site.call.scope)
    ):
        return False
    one = site.module.facts.definitions[outermost(site.module, site.call.scope)]
    written = " ".join(site.arguments())
    if _RESULTS.search(own_name(one)) or any(_RESULTS.search(words(name)) for name in one.params):
        return not _SETTINGS.search(own_name(one))
    node = site.module.first + site.call.scope
    if node in beside:
        return not _SETTINGS.search(written)
    return node in below and bool(_RESULTS.search(re.sub(r"\W+", "_", written.lower())))


@practice(
    "eval-uncertainty", looks_for="a standard error, interval, bootstrap or spread of results"
)
def eval_uncertainty(repo: Repository) -> Iterator[Place]:
    """Evaluation reports how sure its numbers are.

    A function for standard errors, bootstrap or intervals, a library's, or a standard
    deviation that is computed in an evaluation, printed beside its mean (`±`), or
    reported under the name of a metric.

    Why:
        Without a spread nobody can tell an improvement from noise.
    Fix:
        Report the standard error (or a bootstrap interval) beside every mean.
    Good:
        import numpy as np, torch
        @torch.no_grad()
        def evaluate(model, episodes):
            rewards = [model(one).item() for one in episodes]
            return np.mean(rewards), np.std(rewards)
    Bad:
        import numpy as np
        def normalise(pixels):
            return (pixels - np.mean(pixels)) / np.std(pixels)
    Drop-in: codex_ml.evaluation.statistics.estimate
    """
    found = [
        in_code(module, place, one.line, f"{one.name} computes a spread")
        for module, place, one in repo.definitions
        if not one.stub and _computes_spread(one)
    ]
    found += [
        at(site, f"computes {site.method}") for site, _ in library_calls(repo, "spread-libraries")
    ]
    evaluating = evaluations(repo)
    found += [
        at(site, "computes the standard deviation of results")
        for site in repo.methods(*_STD)
        if _in_evaluation(site, evaluating) or (evaluating and _reports_spread(repo, site))
    ]
    yield from spread(found)


def _computes_spread(one: Definition) -> bool:
    pattern = _SPREAD_CLASS if one.kind == "class" else _SPREAD
    return one.kind != "module" and bool(pattern.search(own_name(one)))


def _in_evaluation(site: Site, evaluating: Collection[int]) -> bool:
    scope = site.module.first + site.call.scope
    if scope in evaluating:
        return True
    one = site.scope
    return one.kind == "function" and says_evaluation(own_name(one))


def _reports_spread(repo: Repository, site: Site) -> bool:
    """Tell whether a deviation is reported: beside its mean, or under the key of a metric."""
    for one in repo.by_scope.get(site.module.first + site.call.scope, ()):
        texts = list(one.arguments())
        if any(f"{site.method}()" in text for text in texts):
            key = " ".join((one.names[0], *texts[:1]))
            if any(map(_PLUS_MINUS.search, texts)) or _SPREAD_KEY.search(key):
                return True
    return False
