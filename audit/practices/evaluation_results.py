"""Evaluation: what it leaves behind, and how sure its numbers are."""

import re
from collections.abc import Collection, Iterator
from typing import Final

from audit.facts.model import Definition
from audit.practices.evaluation_commands import evaluator_calls
from audit.practices.evaluations import evaluations, says_evaluation
from audit.practices.loops import classes_around, library_calls, outermost, own_name, spread, words
from audit.practices.registry import Place, at, in_code, practice
from audit.practices.tables import LINE_WRITERS, own_writers, written_rows
from audit.repository import Repository
from audit.sites import Site

_RESULTS: Final = re.compile(r"(^|_)(results?|metrics?|scores?|eval\w*|leaderboard)(_|$)")


_HANDED: Final = re.compile(
    r"(^|_)(results?|metrics?|scores?|evals?|evaluations?|leaderboard)(_(dict|list|df|table|data))?$"
)
"""Parameters that hand results over."""
_SETTINGS: Final = re.compile(r"config|args|vars\(\)|asdict|argparse|param", re.IGNORECASE)


_WRITERS: Final = (
    "to_csv", "to_json", "to_parquet", "savez", "savez_compressed", "writerow", "writerows",
    "writeheader", "save_json", "write_json", "dump_json",
)  # fmt: skip


_TIMING: Final = re.compile(r"profil|timer|benchmark")


_SPREAD: Final = re.compile(
    r"(^|_)(std_errs?|std_errors?|standard_errors?|confidence_intervals?|conf_int|"
    r"credible_intervals?|ci95|error_bars?|stderr_(for|of)|(mean|sample|metric|acc)_stderr)(_|$)|"
    r"^_*((paired|compute|run|do|get|percentile|stratified|with|mean|metric)_)?bootstrap(ped)?"
    r"(_(ci|interval|std|err|mean|metric|score|sample|resampl|stat|estimat|internal|chunk|for|test|"
    r"result|accuracy|eval)\w*)?$"
)


_SPREAD_CLASS: Final = re.compile(r"^(std|std_dev|standard_deviation|standard_error)$")


_PLUS_MINUS: Final = re.compile(r"\} ?(\+/-|\+-|±|\\pm) ?\{")


_TIMES: Final = re.compile(r"latency|elapsed|(?<![a-z])(time|ms|seconds)(?![a-z])", re.IGNORECASE)


_SPREAD_KEY: Final = re.compile(
    r"'[^']*(reward|return|score|acc\w*|metric|success)\w*[_/](std|stderr|sem|ci)\b"
)


_RESAMPLES: Final = ("bootstrap_iters", "n_bootstrap", "num_bootstrap", "n_resamples", "n_boot")
_RETURNED: Final = re.compile(
    r"'(\w+_)?(stderr|std_?err|standard_error|confidence_interval|ci_(low|high|lower|upper))': "
    r"(?!'|None|-?\d)"
)
_STD: Final = ("std", "nanstd", "stdev", "pstdev", "std_mean")


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
    evaluating = set(evaluations(repo)) | set(evaluator_calls(repo))
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
    yield from repo.calls("json.dump", "numpy.save", "orjson.dump")
    for site in repo.calls("yaml.dump", "yaml.safe_dump"):
        if len(site.call.args) > 1 or site.call.keyword("stream"):
            yield site
    yield from repo.methods(*_WRITERS)
    for site in repo.methods("write", "write_text", "writelines"):
        if any("dumps()" in one for one in site.arguments()):
            yield site
    yield from repo.methods("log_metrics_to_file", "save_metrics", *LINE_WRITERS)
    yield from (*written_rows(repo), *own_writers(repo))


def _about_results(site: Site, beside: Collection[int], below: Collection[int]) -> bool:
    """Tell whether a write is named for results, or is of an evaluation's values."""
    if any(
        _TIMING.search(own_name(one)) for _, one in classes_around(site.module, site.call.scope)
    ):
        return False
    one = site.module.facts.definitions[outermost(site.module, site.call.scope)]
    written = " ".join(site.arguments())
    if _RESULTS.search(own_name(one)) or any(_HANDED.search(words(name)) for name in one.params):
        return not _SETTINGS.search(own_name(one))
    node = site.node
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
    found += [
        at(site, f"asks for {name}")
        for name in _RESAMPLES
        for site, value in repo.given(name)
        if value not in ("0", "None", "False")
    ]
    found += [
        in_code(module, place, one.line, f"{one.name} returns a spread")
        for module, place, one in repo.definitions
        if any(_RETURNED.search(text) and "'stdout'" not in text for text in one.returns)
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
    scope = site.node
    if scope in evaluating:
        return True
    one = site.scope
    return one.kind == "function" and says_evaluation(own_name(one))


def _reports_spread(repo: Repository, site: Site) -> bool:
    """Tell whether a deviation is reported: beside its mean, or under the key of a metric."""
    for one in repo.by_scope.get(site.node, ()):
        texts = list(one.arguments())
        if any(f"{site.method}()" in text for text in texts):
            key = " ".join((one.names[0], *texts[:1]))
            said = any(_PLUS_MINUS.search(text) and not _TIMES.search(text) for text in texts)
            if said or _SPREAD_KEY.search(key):
                return True
    return False
