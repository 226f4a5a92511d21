"""Numbers of a run: metric files and speed."""

import re
from collections.abc import Collection, Iterator
from typing import Final

from audit.code.modules import Module
from audit.practices.evaluations import says_evaluation
from audit.practices.libraries import library
from audit.practices.loops import own_name, runs_training
from audit.practices.options import options
from audit.practices.origins import by_file, callees, of_topic
from audit.practices.ranking import central
from audit.practices.registry import Place, at, in_code, practice
from audit.practices.tables import LINE_WRITERS, own_writers, written_rows
from audit.repository import Repository
from audit.sites import Site, blocks_from

_METRIC: Final = re.compile(
    r"metric|loss|accuracy|reward|scalar|epoch|learning_rate|throughput|perplexity|progress|"
    r"(^|[^a-z])(kvs|key_values)([^a-z]|$)|"
    r"(^|[^a-z])(acc|lr|fps|steps?|stats|logs?|history|summary|results?|ep_?info)([^a-z]|$)|"
    r"(^|[^a-z])(train|eval|val)_(?!set|data|split|file|path|loader|ratio|size|step)|(json|csv)(l|_?lines?)?_?(writer|logger)",
    re.IGNORECASE,
)
_NO_METRIC: Final = re.compile(
    r"config|manifest|index|vocab|token|dataset|sample|prediction|(^|[._])get_\w*throughput|answer|"
    r"metadata|(^|[._])(format|prepare|preprocess|convert|download)_",
    re.IGNORECASE,
)
_ELAPSED: Final = re.compile(
    r"(time\.(time|perf_counter|monotonic|process_time)(_ns)?|timeit\.default_timer|"
    r"datetime\.datetime\.(now|utcnow))\(\) - |\.elapsed_time\(\)"
)
_RATE: Final = (
    r"(^|[._])((collect|update|train|training|inference|env|sampling|step|generation|eval)_speed|"
    r"\w+_per_(sec|second)|throughput)$"
)
_DIVIDED: Final = re.compile(r"/ [^/]*\(\) - ")
_SPEED: Final = re.compile(
    r"(?<![a-z])(tok(en)?s?|samples?|steps?|frames?|images?|examples?|batch(es)?|items?|seq\w*|it|"
    r"iter(ation)?s?|words?|episodes?|graphs?|wps|ups|flops)\w*?(_?per_?|/)(s|sec|seconds?)(?![a-z])|"
    r"throughput|(?<![a-z])(tps|fps|sps|mfu|tflops?)(?![a-z])|"
    r"(step|batch|iter|iteration|forward|backward)_?time(?![a-z])|time_per_|seconds_per_",
    re.IGNORECASE,
)
_SAID_SPEED: Final = re.compile(
    r"[%}][\w.]* ?(tok(en)?s?|samples?|im(age|g)s?|it(er)?s?|steps?|frames?|examples?|words?|seqs?)"
    r" ?(/|per) ?(s|sec|second)\b|"
    r"[%}][\w.]* ?(ms|s|secs?|seconds?) ?(/|per) ?(step|it(er)?\w*|batch|im(age|g)|tok(en)?|sample|frame)|"
    r"\bspeed:? ?(%|\{[^}]*\}) ?\.?\d*f?m?s\b",
    re.IGNORECASE,
)
"""A rate in the text of a message: ``{x:.1f} tokens/s``, ``%.1fms per image``."""
_STEP_ENDS: Final = re.compile(r"after_\w*(iter|batch|step)|(iter|batch|step)_?end$")
"""What is called after every step: time that passed until then is the time of a step."""
_WRITES: Final = re.compile(r"^(write|append)|(^|_)writ(e|er|elines)$")
_COUNTER: Final = re.compile(r"^(\w+_)?(epoch|step|iter|iteration|checkpoint)s?$")
_TITLES: Final = re.compile(r"\[('[\w ]+'(, )?)+\]$")
_KEY: Final = re.compile(r"'([^']+)': (?!-?\d|None|'|True|False)")
_SENDING: Final = re.compile(r"_?(log|track|report|record|emit|publish)(_\w+)?$")
_REPORTS: Final = (
    "log", "log_metric", "log_metrics", "log_dict", "log_scalar", "record", "add_scalar", "scalar",
    "update", "report", "meter", "put_scalar", "set_description", "set_postfix", "log_value",
    "record_metric", "add", "log_stat", "print", "info", "debug", "write", "update_scalar",
)  # fmt: skip


def _trains(repo: Repository) -> bool:
    """Tell whether product code trains a model."""
    return any(
        repo.methods("backward", "training_step", "value_and_grad", "apply_gradients")
    ) or runs_training(repo)


@practice(
    "log-metrics-file", looks_for="training metrics written to a JSON, JSON lines or CSV file"
)
def log_metrics_file(repo: Repository) -> Iterator[Place]:
    """Training metrics are written to a local JSON or CSV file.

    A writer of JSON lines or CSV (or tab-separated) rows, of a library or of its own, counts
    in a repository that trains, when what it is handed, or the function that hands it, is
    about metrics: dictionary keys, parameters, attributes, names of definitions. Counters of
    epochs and steps alone are none, nor is text that is only printed.

    Why:
        A local file needs no account, can be diffed, and can be read by a test.
    Fix:
        Append one JSON line per logging step: ``file.write(json.dumps(metrics) + "\\n")``.
    Good:
        import json
        def log_metrics(loss, path):
            loss.backward()
            with open(path, "a") as file:
                file.write(json.dumps({"loss": loss.item()}) + "\\n")
    Bad:
        import json
        def fit(loss, config, path):
            loss.backward()
            with open(path, "w") as file:
                json.dump(config, file)
    Limits:
        Records of something else that are named like metrics count in a repository that trains.
    """
    if _trains(repo):
        yield from central(repo, _metric_writers(repo))


def _metric_writers(repo: Repository) -> Iterator[Place]:
    yield from of_topic(repo, "metric-files", "metrics written by {}")
    yield from options(repo, "the monitors of environments write a CSV file", "monitor_dir")
    for site in repo.methods("writerow", "writerows"):
        if any("csv." in text for text in callees(site)) and _about_metrics(site):
            yield at(site, "a row of metrics is written to a CSV file")
    for site in filter(_about_metrics, own_writers(repo)):
        yield at(site, "metrics are handed to a writer of rows or lines")
    for site in filter(_about_metrics, repo.methods(*LINE_WRITERS)):
        yield at(site, f"metrics are written by {site.method}")
    for site in repo.methods("write", "writelines", "print"):
        to_file = site.method != "print" or site.call.keyword("file")
        dumped = to_file and any("json.dumps()" in text for text in site.arguments())
        if dumped and _about_metrics(site):
            yield at(site, "a line of metrics is written as JSON")
    for site in repo.calls("json.dump", "json.dumps", "orjson.dumps"):
        if (
            site.call.args
            and _METRIC.search(_plain(site.call.args[0]))
            and not _counts_only(site.call.args[0])
            and _about_metrics(site)
            and (site.method == "dump" or _writes(repo, site))
        ):
            yield at(site, "metrics are written as JSON")
    for site in (*repo.calls("numpy.savetxt"), *written_rows(repo)):
        if _about_metrics(site):
            yield at(site, "a row of metrics is written to a table file")
    for site in filter(_about_metrics, repo.methods("to_csv", "to_json")):
        yield at(site, f"metrics are written by {site.method}")
    yield from _json_formatters(repo)


def _writes(repo: Repository, site: Site) -> bool:
    """Tell whether the function of a call writes its text, or is named for metrics and hands it
    back."""
    named = _METRIC.search(site.scope.name) or "format" in site.scope.name.lower()
    if named and "json.dumps()" in site.scope.returns:
        return True
    return any(
        _WRITES.search(one.method) and any("dumps()" in text for text in one.arguments())
        for one in repo.by_scope.get(site.node, ())
    )


def _counts_only(text: str) -> bool:
    """Tell whether a mapping has nothing but counters: where a run is, not how well it does."""
    keys = re.findall(r"'(\w+)': ", text) if text.startswith("{'") else ()
    return bool(keys) and all(map(_COUNTER.search, keys)) and text.count(": ") == len(keys)


def _json_formatters(repo: Repository) -> Iterator[Place]:
    for module, place, one in repo.classes(bases=r"^logging\.(Formatter|Handler|FileHandler)$"):
        for inner in module.facts.definitions:
            if inner.parent == place and "json.dumps()" in inner.returns:
                yield in_code(module, place, one.line, "log records are formatted as JSON lines")


_ASIDE: Final = re.compile(r"prepare|preprocess|format|download|convert|profiler")


def _about_metrics(site: Site) -> bool:
    """Tell whether the function, its class, its parameters or the value are about metrics.

    In a function that is named for evaluation the value itself must be: the rest is answers.
    """
    scope = site.scope
    stem = site.module.path.rpartition("/")[2].removesuffix(".py")
    if says_evaluation(stem) or _ASIDE.search(stem):
        return False  # results of an evaluation, data that is prepared
    if any(map(_TITLES.match, site.call.args)):
        return bool(_METRIC.search(site.call.args[0]))
    named = scope.name.rpartition(".")[0] if says_evaluation(own_name(scope)) else scope.name
    given = scope.params if named == scope.name else ()
    words = " ".join([named, *given, *map(_plain, site.arguments()), *_receiver(site)])
    return bool(_METRIC.search(words)) and not _NO_METRIC.search(scope.name)


def _receiver(site: Site) -> Iterator[str]:
    """Yield the name of what a method is called on, apart from where it is from."""
    return (one.rpartition(".")[2].rpartition(":")[2] for one in site.receivers)


def _plain(text: str) -> str:
    """Return a text without the calls and paths of its values: keys and names stay."""
    return re.sub(r"f?'[^']*[ /.][^']*'", "", text)


@practice("log-throughput", looks_for="time per step, or amounts per second, that are reported")
def log_throughput(repo: Repository) -> Iterator[Place]:
    """Speed is measured and reported.

    Elapsed time that is taken in a loop or divides an amount counts in modules that
    use a machine-learning library, and so do values that are reported under the
    name of a rate (dictionary keys, keyword arguments).

    Why:
        A slow data loader or a lost kernel shows in tokens per second first.
    Fix:
        Divide the amount of work by the time since the last report and log it.
    Good:
        import time
        import torch
        def fit(batches):
            start = time.perf_counter()
            for step, batch in enumerate(batches, 1):
                print("samples per second", step * len(batch) / (time.perf_counter() - start))
    Bad:
        import time
        import torch
        def fit(batches):
            start = time.time()
            for batch in batches:
                batch.sum()
            print("seconds", time.time() - start)
    Limits:
        The time of a loop over something else than batches counts too.
    """
    yield from by_file(repo, _speeds(repo))


def _speeds(repo: Repository) -> Iterator[Place]:
    yield from of_topic(repo, "speed-monitors", "speed measured by {}")
    models = {
        module.path
        for module in repo.product
        if library("frameworks", [one.target for one in module.facts.imports])
    }
    yield from _kept_speeds(repo, models)
    for module, place, definition in repo.definitions:
        keys = (key for text in definition.returns for key in _KEY.findall(text))
        if definition.returns and any(map(_SPEED.search, keys)):
            yield in_code(module, place, definition.line, "a rate is returned")
    for module, target in repo.assigns(r"\['[^']+'\]$"):
        if _SPEED.search(target.target.rpartition("[")[2]) and not target.value.isnumeric():
            yield in_code(module, target.scope, target.line, "a rate is kept for a report")
    for method in filter(_SENDING.match, repo.by_method):
        for site in repo.methods(method):
            if any(_SPEED.search(key) for text in site.call.args for key in _KEY.findall(text)):
                yield at(site, "a rate is reported")
    for site in repo.methods(*_REPORTS):
        if _names_speed(site) or any(map(_SAID_SPEED.search, site.call.args[:1])):
            yield at(site, "a rate is reported")
        elif site.path in models and any(
            _is_speed(site.module, text, site.call.block)
            or (_ELAPSED.search(text) and _STEP_ENDS.search(site.scope.name))
            for text in site.arguments()
        ):
            yield at(site, "time per step or amount per second")


def _kept_speeds(repo: Repository, models: Collection[str]) -> Iterator[Place]:
    """Yield the values of modules with models that are times per step or rates."""
    for module in repo.product:
        for one in module.facts.assigns if module.path in models else ():
            rates = _KEY.findall(one.value) if "': " in one.value else ()
            message = one.operator == "+=" and one.value[:2] == "f'" and _SPEED.search(one.value)
            if message or any(map(_SPEED.search, rates)) or _is_speed(module, one.value, one.block):
                says = "time per step or amount per second"
                yield in_code(module, one.scope, one.line, says)
    for module, rate in repo.assigns(_RATE):
        if " / " in rate.value and module.path in models and "sampling_rate" not in rate.value:
            yield in_code(module, rate.scope, rate.line, "a rate is kept")


def _is_speed(module: Module, value: str, block: int) -> bool:
    """Tell whether a value is elapsed time in a loop, or something divided by elapsed time."""
    if " - " not in value or not _ELAPSED.search(value):
        return ".elapsed_time()" in value
    return bool(_DIVIDED.search(value)) or any(
        one.kind in ("for", "while") for one in blocks_from(module, block)
    )


def _names_speed(site: Site) -> bool:
    """Tell whether a rate is among the keys of what is reported, with a computed value."""
    if any(_SPEED.search(key) for key, value in site.call.kwargs if not value.isnumeric()):
        return True
    args = site.call.args
    if len(args) >= 2 and args[0][:1] == "'" and _SPEED.search(args[0].partition(" | ")[0]):
        return True
    return any(_SPEED.search(key) for text in args for key in _KEY.findall(text))
