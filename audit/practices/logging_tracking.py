"""Logging and tracking: loggers, experiment trackers, metric files, speed, rank-zero output."""

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from audit.facts.model import Block
from audit.practices.libraries import library
from audit.practices.origins import called_on
from audit.practices.processes import RANK_ZERO_NAME, called_rank_zero, guards
from audit.practices.registry import Place, at, practice
from audit.repository import Repository, Site

_LEVELS: Final = ("debug", "info", "warning", "error", "exception", "critical", "log", "success")
_SENDS: Final = (
    "log", "log_metric", "log_metrics", "log_dict", "add_scalar", "add_scalars", "scalar", "track",
    "report_scalar", "append", "log_scalar", "log_scalars", "log_value", "log_params", "log_table",
    "add_hparams", "log_parameters", "line", "log_hyperparams", "log_artifact", "summary",
)  # fmt: skip
_METRIC: Final = re.compile(
    r"metric|loss|accuracy|(^|[^a-z])(acc|lr|fps|epoch|reward|perplexity|bleu|scalars?|"
    r"train_(stats|log|time)|stats|learning_rate|logs?)([^a-z]|$)",
    re.IGNORECASE,
)
_CLOCK: Final = re.compile(
    r"time\.(time|perf_counter|monotonic|time_ns|perf_counter_ns)\(\)|elapsed_time\(\)"
)
_ELAPSED: Final = re.compile(
    r"time\.(time|perf_counter|monotonic)(_ns)?\(\) - |- [\w.@%:]*time\.(time|perf_counter)\(\)|"
    r"\.elapsed_time\(\)"
)


@practice("log-logger", looks_for="messages sent through logging, loguru, structlog or absl")
def log_logger(repo: Repository) -> Iterator[Place]:
    """Messages go through a logger.

    Calls of a logger's methods count, whatever made the logger; setting levels
    does not. They must be in two modules, or in the only one.

    Why:
        A logger has levels, names and handlers: a user can silence, redirect and
        filter it, which nobody can do with ``print``.
    Fix:
        ``logger = logging.getLogger(__name__)`` in each module, messages through it.
    Good:
        # file: package/__init__.py
        # file: package/train.py
        import logging
        logger = logging.getLogger(__name__)
        def fit():
            logger.info("started")
        # file: package/evaluate.py
        from package.train import logger
        def score():
            logger.warning("no data")
    Bad:
        import logging
        logging.getLogger("httpx").setLevel(logging.ERROR)
        def fit():
            print("started")
    Limits:
        A logger that comes only as an argument without annotation is not recognised.
    """
    found = [
        (site, name) for site in repo.methods(*_LEVELS) if (name := called_on(site, "loggers"))
    ]
    modules = {site.path for site, _ in found}
    if (
        len(modules) > 1
        or sum(one.facts.lines > 0 and len(one.facts.calls) > 0 for one in repo.product) == 1
    ):
        for site, name in sorted(found, key=lambda row: row[0].method == "log"):
            yield at(site, f"message through {name}")


def _tracked(repo: Repository) -> list[tuple[Site, str]]:
    """Return the calls that send values to a tracker, then those that only open one."""
    sent = [(s, name) for s in repo.methods(*_SENDS) if (name := called_on(s, "trackers"))]
    opened = []
    for site in repo.all_calls:
        name = library("tracker-loggers", site.names)
        if name or (site.method[:1].isupper() and (name := library("trackers", site.names))):
            opened.append((site, name))
    return sent + opened


@practice("log-tracker", looks_for="calls that send values to an experiment tracker")
def log_tracker(repo: Repository) -> Iterator[Place]:
    """Metrics go to an experiment tracker.

    Why:
        Runs can be compared only when their metrics are kept together outside the terminal.
    Fix:
        Send metrics to a tracker (``SummaryWriter.add_scalar``, ``wandb.log``,
        ``mlflow.log_metrics``) behind an option.
    Good:
        import wandb
        def fit(steps):
            run = wandb.init(project="demo")
            for step in range(steps):
                run.log({"loss": 0.1})
    Bad:
        import wandb
        def version():
            return wandb.__version__
    Limits:
        A tracker that arrives as an argument of unknown class is not recognised.
    """
    for site, name in _tracked(repo):
        yield at(site, f"values sent to {name}")


@practice("log-tracker-choice", looks_for="two trackers behind one interface or option")
def log_tracker_choice(repo: Repository) -> Iterator[Place]:
    """The user can choose between experiment trackers.

    Two trackers count when one function or class uses both, or when two classes
    with a common base each use one.

    Why:
        Teams have different trackers; one interface keeps the loop free of them.
    Fix:
        One small logger interface with an implementation per tracker, chosen by an option.
    Good:
        import wandb
        from torch.utils.tensorboard import SummaryWriter
        def make_logger(name, folder):
            if name == "wandb":
                return wandb.init(dir=folder)
            return SummaryWriter(folder)
    Bad:
        from torch.utils.tensorboard import SummaryWriter
        def fit(folder):
            writer = SummaryWriter(folder)
            writer.add_scalar("loss", 0.1)
    Limits:
        Trackers that separate functions open without a common caller are not seen as a choice.
    """
    groups: dict[object, dict[str, Site]] = defaultdict(dict)
    for site, name in _tracked(repo) + _opened(repo):
        for group in _interfaces(repo, site):
            groups[group].setdefault(name, site)
    for kinds in groups.values():
        if len(kinds) > 1:
            for name, site in kinds.items():
                yield at(site, f"{name} is one of {len(kinds)} trackers behind one interface")


def _opened(repo: Repository) -> list[tuple[Site, str]]:
    starts = repo.methods("init", "start_run", "Run", "Task", "Experiment", "run")
    return [(s, name) for s in starts if (name := library("trackers", s.names))]


def _interfaces(repo: Repository, site: Site) -> Iterator[object]:
    """Yield what a call shares with others: its function, its class, that class's ancestors."""
    definitions = site.module.facts.definitions
    place = site.call.scope
    while place > 0:
        node = site.module.first + place
        yield node
        if definitions[place].kind == "class":
            yield from (one for one in repo.program.ancestry(node) if ":" in one)
        place = definitions[place].parent


@practice("log-metrics-file", looks_for="metrics written to a JSON, JSON lines or CSV file")
def log_metrics_file(repo: Repository) -> Iterator[Place]:
    """Training metrics are written to a local JSON or CSV file.

    A writer counts when what it writes, or the function that writes, is about
    metrics: dictionary keys, parameters, attributes and names of definitions.

    Why:
        A local file survives without an account, is diffable, and can be read by a test.
    Fix:
        Append one JSON line per logging step: ``file.write(json.dumps(metrics) + "\\n")``.
    Good:
        import json
        def log_metrics(metrics, path):
            with open(path, "a") as file:
                file.write(json.dumps(metrics) + "\\n")
    Bad:
        import json
        def save_config(config, path):
            with open(path, "w") as file:
                json.dump(config, file)
    Limits:
        Results of an evaluation that is no training count when they are named metrics.
    """
    for site in repo.calls(*CSV_LOGGERS):
        yield at(site, "CSV logger of the training library")
    for site in repo.methods(*_WRITERS):
        if _writes_records(site) and _about_metrics(site):
            yield at(site, f"metrics written by {site.method}")


CSV_LOGGERS: Final = (
    "lightning.pytorch.loggers.CSVLogger", "pytorch_lightning.loggers.CSVLogger",
    "lightning.pytorch.loggers.csv_logs.CSVLogger", "lightning.fabric.loggers.CSVLogger",
    "lightning.fabric.loggers.csv_logs.CSVLogger", "lightning_fabric.loggers.CSVLogger",
)  # fmt: skip
_WRITERS: Final = ("writerow", "writerows", "dump", "dumps", "to_csv", "to_json", "save_metrics")


def _writes_records(site: Site) -> bool:
    if site.method in ("dump", "dumps"):
        return library("json-writers", site.names) != ""
    return True


def _about_metrics(site: Site) -> bool:
    scope = site.scope
    texts = [scope.name, *scope.params, *site.arguments()]
    return any(map(_METRIC.search, texts))


@practice(
    "log-throughput", looks_for="elapsed time per step, or amounts divided by it, that are reported"
)
def log_throughput(repo: Repository) -> Iterator[Place]:
    """Speed is measured and reported.

    Why:
        A slow data loader or a lost kernel shows in tokens per second long before it shows in a bill.
    Fix:
        Divide the amount of work by the time since the last report and log it.
    Good:
        import time
        def fit(batches):
            start = time.perf_counter()
            for step, batch in enumerate(batches, 1):
                print("samples per second", step * len(batch) / (time.perf_counter() - start))
    Bad:
        import time
        def fit(batches):
            start = time.time()
            for batch in batches:
                batch.sum()
            print("finished")
    """
    for module in repo.product:
        for one in module.facts.assigns:
            if _ELAPSED.search(one.value) and (
                "/" in one.value or _looped(module.facts.blocks, one.block)
            ):
                yield Place(
                    module.path, one.line, "time per step or a rate", module.first + one.scope
                )
    for site in repo.all_calls:
        for value in site.arguments():
            if _ELAPSED.search(value) and " / " in value:
                yield at(site, "a rate is reported")


def _looped(blocks: tuple[Block, ...], block: int) -> bool:
    while block >= 0:
        one = blocks[block]
        if one.kind in ("for", "while"):
            return True
        block = one.parent
    return False


@practice("log-rank-zero", looks_for="output guarded by the rank of the process")
def log_rank_zero(repo: Repository) -> Iterator[Place]:
    """Only the main process prints or logs.

    Why:
        Without the guard every rank writes the same line, and trackers get one run per rank.
    Fix:
        Guard output with ``if rank == 0`` or a rank-zero logger.
    Good:
        import torch.distributed as dist
        def report(loss):
            if dist.get_rank() == 0:
                print(loss)
    Bad:
        import torch.distributed as dist
        def report(loss):
            print(dist.get_rank(), loss)
    """
    for site in _outputs(repo):
        if any(called_rank_zero(repo, site, one.text) for one in guards(site)):
            yield at(site, "output of the main process only")
    for module, place, one in repo.definitions:
        if any(RANK_ZERO_NAME.search(d.rpartition(".")[2]) for d in one.decorators):
            yield Place(
                module.path, one.line, "runs on the main process only", module.first + place
            )


def _outputs(repo: Repository) -> Iterator[Site]:
    yield from repo.calls("builtins.print", "tqdm.tqdm", "tqdm.auto.tqdm")
    for site in repo.methods(*_LEVELS, *_SENDS):
        if called_on(site, "loggers") or called_on(site, "trackers"):
            yield site
