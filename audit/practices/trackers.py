"""Experiment trackers: what is sent to them, and the code that is named for one."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from audit.facts.model import Definition, TextFacts
from audit.practices import settings
from audit.practices.instantiated import instantiated
from audit.practices.libraries import library, named
from audit.practices.loops import words
from audit.practices.options import Option, handed
from audit.practices.origins import called_on
from audit.practices.registry import Place, at, in_code, in_file, of_key
from audit.repository import Repository
from audit.sites import Site

SENDS: Final = (
    "log", "log_metric", "log_metrics", "log_dict", "add_scalar", "add_scalars", "scalar", "track",
    "report_scalar", "log_scalar", "log_scalars", "log_value", "log_table",
    "log_artifact", "add_histogram", "log_text", "line", "write_scalars", "log_params",
)  # fmt: skip
OPENS: Final = (
    "init",
    "start_run",
    "Run",
    "Task",
    "Experiment",
    "init_run",
    "SummaryWriter",
    "get_task",
    "create_file_writer",
    "create_default_writer",
    "autolog",
    "current_task",
)
# Variables by which a tracker is configured for the engine that sends metrics to it.
_VARIABLE: Final = re.compile(r"^'?(WANDB|MLFLOW|COMET|NEPTUNE|CLEARML|TRACKIO|SWANLAB|AIM)_\w+'?$")
_WRITER: Final = re.compile(r"[@.]\w*(writer|tensorboard|tb|tb_logger)$")
"""What is handed in to a function that adds scalars to it."""
_REGISTERED: Final = re.compile(r"'[A-Z]\w*(Backend|Hook|Logger|Writer|Callback)'$")
_NAMES: Final = re.compile(
    r"(?<![a-z])(wandb|weights_?and_?biases|tensor_?board|mlflow|comet|neptune|clearml|swanlab|trackio|"
    r"sacred|dvclive|visdom|aim(?=_(logger|tracker|run|repo|callback)))(?![a-z])"
)


@lru_cache(1 << 15)
def trackers_in(name: str) -> frozenset[str]:
    """Return the trackers that an identifier names."""
    known = (one[1].replace("_", "") for one in _NAMES.finditer(words(name)))
    return frozenset("wandb" if one == "weightsandbiases" else one for one in known)


def tracker_named(one: Definition) -> str:
    """Return the tracker that a class is named for, else nothing."""
    if one.kind != "class" or one.stub:
        return ""
    return min(trackers_in(one.name.rpartition(".")[2]), default="")


def sent(repo: Repository) -> list[tuple[Site, str]]:
    """Return the calls that send values to a tracker, with its name, then those that make one."""
    sends = [(s, name) for s in repo.methods(*SENDS) if (name := called_on(s, "trackers"))]
    sends += [
        (site, "TensorBoard")
        for site in repo.methods("add_scalar", "add_scalars")
        if any(map(_WRITER.search, site.receivers)) and not called_on(site, "trackers")
    ]
    makes = [
        (site, library("tracker-loggers", site.names))
        for site in repo.calls(*named("tracker-loggers"))
    ]
    opens = [
        (site, name) for site in repo.methods(*OPENS) if (name := library("trackers", site.names))
    ]
    opens += [(site, "Accelerate's trackers") for site in repo.methods("init_trackers")]
    return sends + makes + opens + list(_configured(repo))


def chosen(repo: Repository) -> Iterator[tuple[object, str, Place]]:
    """Yield trackers that are named to be made elsewhere, with the place and what holds it: by
    configuration, by the ``type`` of a registered class, as a value of a table or an argument."""
    for file, key, name in instantiated(repo, "tracker-loggers"):
        yield file.path.rpartition("/")[0], name, of_key(file, key, f"{key.value} is configured")
    for site, value in repo.given("type"):
        for name in trackers_in(value[1:-1]) if _REGISTERED.match(value) else ():
            yield site.path, name, at(site, f"{value[1:-1]} is configured")
    for module in repo.product:
        if library("tracker-loggers", [one.target for one in module.facts.imports]):
            for one in module.facts.references:
                if name := library("tracker-loggers", [one.name]):
                    place = in_code(module, one.scope, one.line, f"{one.name} is offered")
                    yield (module.path, one.scope), name, place


def _configured(repo: Repository) -> Iterator[tuple[Site, str]]:
    """Yield calls that configure a tracker of the training engine by its environment variables."""
    for site in repo.calls("os.environ.setdefault"):
        if site.call.args and (found := _VARIABLE.match(site.call.args[0])):
            yield site, found[1]


def launched(repo: Repository) -> Iterator[Place]:
    """Yield the commands that name the tracker of an engine whose arguments are parsed."""
    if any(repo.calls(*named("training-parsers"))):
        for file, command in repo.commands:
            found = _REPORTS_TO.search(command.text) if file.role == "product" else None
            if found and found[1] != "none":
                yield in_file(file, command.line, f"metrics go to {found[1]}", "--report_to")


def installed(repo: Repository) -> Iterator[Place]:
    """Yield where an engine is started that sends metrics to each tracker that it finds: nothing
    says which, and a tracker is among the dependencies of the project."""
    said = any(handed(repo, "report_to", off=True))
    if not said and any(map(_DEPENDED.match, _dependencies(repo))):
        for site in repo.calls("transformers.Trainer", *_DERIVED):
            yield at(site, "the engine sends metrics to the tracker that is installed")


def _dependencies(repo: Repository) -> Iterator[str]:
    for file in settings.own(repo, "requirements.txt"):
        yield from file.facts.lines if isinstance(file.facts, TextFacts) else ()
    for file in settings.own(repo, "pyproject.toml"):
        yield from (one.value for one in settings.leaves(file, "project.dependencies"))


_DERIVED: Final = tuple(
    one for one in named("trainers") if one.startswith(("trl.", "transformers."))
)
_REPORTS_TO: Final = re.compile(r"--report_to[ =]\"?(\w+)")
_DEPENDED: Final = re.compile(
    r"(wandb|tensorboardX?|mlflow|comet[_-]ml|neptune|clearml|swanlab|trackio)\b"
)


def reporting(repo: Repository) -> Iterator[Option]:
    """Yield the options that name the trackers to which an engine sends metrics."""
    for one in handed(repo, "report_to", "log_with"):
        if one.value not in ("['none']", "'none' | None"):
            yield one
