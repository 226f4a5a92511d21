"""Logging and tracking: loggers, trackers and the choice between them, rank-zero output."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from audit.code.modules import Module
from audit.facts.model import Assign
from audit.practices.libraries import named
from audit.practices.loops import own_name, scope_at
from audit.practices.origins import by_file, called_on, of_topic
from audit.practices.processes import (
    RANK_ZERO_NAME,
    asks_other_ranks,
    asks_rank_zero,
    guards,
)
from audit.practices.ranking import central
from audit.practices.registry import Place, at, in_code, practice
from audit.practices.trackers import (
    OPENS,
    SENDS,
    chosen,
    installed,
    launched,
    reporting,
    sent,
    tracker_named,
)
from audit.repository import Repository
from audit.sites import Site

_LEVELS: Final = (
    "debug", "info", "warning", "error", "exception", "critical", "log", "success", "fatal",
    "warn", "trace", "warning_once", "info_once", "debug_once", "warning_advice",
)  # fmt: skip
_SENDING: Final = re.compile(r"^_?(log|track|write|report|record|on_\w+_(end|log))")
_SWITCHES: Final = (
    "basicConfig", "dictConfig", "setLevel", "addHandler", "set_verbosity", "set_verbosity_error",
    "set_verbosity_info", "set_verbosity_warning", "disable_progress_bar", "disable_progress_bars",
)  # fmt: skip
_OUTPUT: Final = re.compile(
    r"logger|tracker|writer|wandb|tensorboard|progress_?bar|pbar", re.IGNORECASE
)
_ZERO: Final = re.compile(
    r"(process|rank)_zero\(\)|is_(main|master)\w*|(rank|process_index|RANK'\])(\(\))? [!=]= 0"
)
_CHOSEN: Final = re.compile(rf" if [^']*({_ZERO.pattern})[^']* else ")
_SHOWS: Final = re.compile(r"^_?(print|log|show|display)_[a-z]\w*$")
_LOG_MODULE: Final = re.compile(r"(^|[._])(logger|logging|log)$")
_QUIET: Final = re.compile(r"log|print|quiet|silen|progress|stdout|verb", re.IGNORECASE)


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
        if (name := called_on(site, "loggers") or _fetched(site))
    ]
    found += of_topic(repo, "log-functions", "message through {}")
    modules = sum(bool(module.facts.calls) for module in repo.product)
    if len({one.path for one in found}) >= min(2, modules):
        yield from by_file(repo, found)


_FETCHED: Final = re.compile(
    r"^(?![@%:.]|self\b)[\w.]+\.(get_?logger|getLogger|init_logger|get_root_logger)\(\)$"
)


def _fetched(site: Site) -> str:
    """Return the function of another library that gave the logger, if one did."""
    found = next(filter(_FETCHED.match, site.receivers), "")
    return found.removesuffix("()")


@practice("log-tracker", looks_for="calls that send values to an experiment tracker")
def log_tracker(repo: Repository) -> Iterator[Place]:
    """Metrics go to an experiment tracker.

    Values are sent to one, a logger of a training library is made or configured for one, or the
    engine that trains is told of one: by an option, by the command that starts it, or, where
    nothing is said, by the dependency that it finds installed.

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
        A tracker that arrives as an argument of unknown class is recognised only where the
        class that uses it is named for it.
    """
    found = [at(site, f"values sent to {name}") for site, name in sent(repo)]
    found += [one.place("{} names the engine's trackers") for one in reporting(repo)]
    found += [*launched(repo), *installed(repo), *(one for _, _, one in chosen(repo))]
    found += [
        in_code(module, place, one.line, f"{one.name} sends values to a tracker")
        for module, place, one in repo.definitions
        if one.kind == "function" and not one.stub and _SENDING.search(own_name(one))
        if tracker_named(module.facts.definitions[one.parent])
    ]
    yield from by_file(repo, found)


def _is_output(made: Assign) -> bool:
    """Tell whether what is made, or the attribute that keeps it, is named for output; the name
    of a local says nothing."""
    kept = "" if made.target[0] in "%@" else made.target.rpartition(".")[2]
    return bool(_OUTPUT.search(kept) or _OUTPUT.search(made.value.partition(" if ")[0]))


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
    yield from central(repo, _rank_zero_output(repo), RANK_ZERO_NAME.pattern)


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
    yield from _levels(repo)
    yield from _chosen(repo)
    for module, place, one in repo.definitions:
        if any(RANK_ZERO_NAME.search(d.rpartition(".")[2]) for d in one.decorators):
            yield in_code(module, place, one.line, "runs on the main process only")


def _chosen(repo: Repository) -> Iterator[Place]:
    """Yield switches and objects whose value depends on the rank."""
    for module, switch in repo.assigns(r"\.disabled$|^(builtins|__builtin__)\.print$"):
        if asks_other_ranks(switch.value) or switch.target.endswith(".print"):
            yield in_code(module, switch.scope, switch.line, "output depends on the rank")
    for module, made in repo.assigns(""):
        if " else " in made.value and _CHOSEN.search(made.value) and _is_output(made):
            yield in_code(module, made.scope, made.line, "made on the main process only")


def _levels(repo: Repository) -> Iterator[Place]:
    """Yield what makes loggers differ between processes: sinks, levels, filters."""
    for site in (one for one in repo.methods("add") if called_on(one, "loggers")):
        if any(asks_rank_zero(repo, site, one.text) for one in guards(site)):
            yield at(site, "messages are kept by the main process only")
    for site in repo.methods("get_process_log_level"):
        yield at(site, "the level of messages depends on the rank")
    for module, place, one in repo.classes(bases=r"^logging\.Filter$"):
        if any(map(_ZERO.search, _returned(module, place))):
            yield in_code(module, place, one.line, "messages of the main process only")


def _returned(module: Module, place: int) -> Iterator[str]:
    """Yield what the methods of a class return."""
    for one in module.facts.definitions:
        if one.parent == place:
            yield from one.returns


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
        line = leaves.get(site.node, site.line)
        if line < site.line and site.scope.kind == "function":
            yield at(site, "other processes have returned before")


def _outputs(repo: Repository) -> Iterator[Site]:
    yield from repo.calls("builtins.print", "tqdm.tqdm", "tqdm.auto.tqdm", "tqdm.trange")
    yield from repo.calls("rich.print", "rich.console.Console().print")
    yield from repo.methods("TQDM", "set_description", "set_postfix", "set_postfix_str")
    yield from repo.calls(*named("tracker-loggers"))
    for site in repo.methods("log", "logkv", "logkvs", "dumpkvs", "info", "warn"):
        node = repo.program.resolve(site.module, site.call.names[0])[1]
        if node >= 0 and _LOG_MODULE.search(repo.program.owner[node].dotted):
            yield site
    for method in filter(_SHOWS.match, repo.by_method):
        for site in repo.methods(method):
            if any(repo.program.resolve(site.module, name)[1] >= 0 for name in site.call.names):
                yield site
    for site in repo.methods(*dict.fromkeys((*_LEVELS, *SENDS, *OPENS))):
        if called_on(site, "loggers") or called_on(site, "trackers"):
            yield site
