"""Logging and tracking: loggers, trackers and the choice between them, rank-zero output."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

from audit.practices.libraries import library, named
from audit.practices.loops import scope_at
from audit.practices.options import Option, handed
from audit.practices.origins import by_file, called_on
from audit.practices.processes import (
    RANK_ZERO_NAME,
    asks_other_ranks,
    asks_rank_zero,
    guards,
)
from audit.practices.registry import Place, at, in_code, practice
from audit.repository import Repository, Site

_LEVELS: Final = (
    "debug", "info", "warning", "error", "exception", "critical", "log", "success", "fatal",
)  # fmt: skip
_SENDS: Final = (
    "log", "log_metric", "log_metrics", "log_dict", "add_scalar", "add_scalars", "scalar", "track",
    "report_scalar", "log_scalar", "log_scalars", "log_value", "log_table",
    "log_artifact", "add_histogram", "log_text", "line",
)  # fmt: skip
_OPENS: Final = (
    "init",
    "start_run",
    "Run",
    "Task",
    "Experiment",
    "init_run",
    "SummaryWriter",
    "get_task",
    "current_task",
)
_SWITCHES: Final = (
    "basicConfig", "dictConfig", "setLevel", "addHandler", "set_verbosity", "set_verbosity_error",
    "set_verbosity_info", "set_verbosity_warning", "disable_progress_bar", "disable_progress_bars",
)  # fmt: skip
_QUIET: Final = re.compile(r"log|print|quiet|silen|progress|stdout|verb", re.IGNORECASE)
_ZERO: Final = re.compile(r"(process|rank)_zero\(\)|is_(main|master)\w*|rank(\(\))? [!=]= 0")
# Variables by which a tracker is configured for the engine that sends metrics to it.
_VARIABLE: Final = re.compile(r"^'?(WANDB|MLFLOW|COMET|NEPTUNE|CLEARML|TRACKIO|SWANLAB|AIM)_\w+'?$")


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
        at(site, f"message through {name}")
        for site in repo.methods(*_LEVELS)
        if (name := called_on(site, "loggers"))
    ]
    modules = sum(bool(module.facts.calls) for module in repo.product)
    if len({one.path for one in found}) >= min(2, modules):
        yield from by_file(repo, found)


def sent(repo: Repository) -> list[tuple[Site, str]]:
    """Return the calls that send values to a tracker, with its name, then those that make one."""
    sends = [(s, name) for s in repo.methods(*_SENDS) if (name := called_on(s, "trackers"))]
    makes = [
        (site, library("tracker-loggers", site.names))
        for site in repo.calls(*named("tracker-loggers"))
    ]
    opens = [
        (site, name) for site in repo.methods(*_OPENS) if (name := library("trackers", site.names))
    ]
    opens += [(site, "Accelerate's trackers") for site in repo.methods("init_trackers")]
    return sends + makes + opens + list(_configured(repo))


def _configured(repo: Repository) -> Iterator[tuple[Site, str]]:
    """Yield calls that configure a tracker of the training engine by its environment variables."""
    for site in repo.calls("os.environ.setdefault"):
        if site.call.args and (found := _VARIABLE.match(site.call.args[0])):
            yield site, found[1]


def _reporting(repo: Repository) -> Iterator[Option]:
    """Yield the options that name the trackers to which an engine sends metrics."""
    for one in handed(repo, "report_to", "log_with"):
        if one.value not in ("['none']", "'none' | None"):
            yield one


@practice("log-tracker", looks_for="calls that send values to an experiment tracker")
def log_tracker(repo: Repository) -> Iterator[Place]:
    """Metrics go to an experiment tracker.

    Why:
        Runs can be compared only when their metrics are kept together, outside the terminal.
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
    found = [at(site, f"values sent to {name}") for site, name in sent(repo)]
    found += [one.place("{} names the engine's trackers") for one in _reporting(repo)]
    yield from by_file(repo, found)


@practice("log-tracker-choice", looks_for="two trackers behind one interface or option")
def log_tracker_choice(repo: Repository) -> Iterator[Place]:
    """The user can choose between experiment trackers.

    Two trackers count when one function or class uses both, or when two classes
    with a common ancestor each use one; so does the engine's option that names trackers
    (`report_to`, `log_with`), where its value is not fixed.

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
        Trackers that separate functions open without a common class are not seen as a choice.
    """
    groups: dict[object, dict[str, Site]] = defaultdict(dict)
    for site, name in sent(repo):
        for group in _interfaces(repo, site):
            groups[group].setdefault(name, site)
    choices = sorted((one for one in groups.values() if len(one) > 1), key=len, reverse=True)
    chosen = (
        at(site, f"{name} is one of {len(kinds)} trackers behind one interface")
        for kinds in choices
        for name, site in kinds.items()
    )
    options = (one.place("{} chooses trackers") for one in _reporting(repo) if not one.fixed)
    yield from by_file(repo, (*options, *chosen))


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
    yield from by_file(repo, _rank_zero_output(repo))


def _rank_zero_output(repo: Repository) -> Iterator[Place]:
    outputs = list(_outputs(repo))
    for site in (*outputs, *repo.methods(*_SWITCHES)):
        if any(asks_rank_zero(repo, site, one.text) for one in guards(site)):
            yield at(site, "output of the main process only")
    yield from _after_returns(repo, outputs)
    yield from _quiet_blocks(repo)
    for site in repo.calls(*named("rank-zero-output")):
        yield at(site, "output of the main process only")
    for site in repo.methods("tqdm", "trange", *_SWITCHES):
        if any(asks_rank_zero(repo, site, one) for one in site.arguments()):
            yield at(site, "output depends on the rank")
    for module, switch in repo.assigns(r"\.disabled$|^(builtins|__builtin__)\.print$"):
        if asks_other_ranks(switch.value) or switch.target.endswith(".print"):
            yield in_code(module, switch.scope, switch.line, "output depends on the rank")
    for module, place, one in repo.definitions:
        if any(RANK_ZERO_NAME.search(d.rpartition(".")[2]) for d in one.decorators):
            yield in_code(module, place, one.line, "runs on the main process only")


def _quiet_blocks(repo: Repository) -> Iterator[Place]:
    """Yield contexts that silence the processes other than the first."""
    for module in repo.product:
        for block in module.facts.blocks:
            if block.kind == "with" and _ZERO.search(block.text) and _QUIET.search(block.text):
                yield in_code(module, scope_at(module, block.line), block.line, "others are quiet")


def _after_returns(repo: Repository, outputs: Iterable[Site]) -> Iterator[Place]:
    """Yield output that follows an early return of the other processes."""
    leaves: dict[int, int] = {}
    for module in repo.product:
        for place, block in enumerate(module.facts.blocks):
            if (
                block.kind == "if"
                and asks_other_ranks(block.text)
                and all(call.block != place for call in module.facts.calls)
            ):
                leaves[module.first + scope_at(module, block.line)] = block.line
    for site in outputs:
        line = leaves.get(site.module.first + site.call.scope, site.line)
        if line < site.line and site.scope.kind == "function":
            yield at(site, "other processes have returned before")


def _outputs(repo: Repository) -> Iterator[Site]:
    yield from repo.calls("builtins.print", "tqdm.tqdm", "tqdm.auto.tqdm", "tqdm.trange")
    yield from repo.calls("rich.print", "rich.console.Console().print")
    for site in repo.methods(*dict.fromkeys((*_LEVELS, *_SENDS, *_OPENS))):
        if called_on(site, "loggers") or called_on(site, "trackers"):
            yield site
