"""Which tests train a model: through the product's training code, a script, or its parts."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final, TypeAlias

from audit.code.modules import Module
from audit.facts.model import Call
from audit.practices import learners, metadata, pipelines
from audit.practices.loops import backward_calls, optimizer_steps
from audit.practices.shell import argvs
from audit.repository import Repository
from audit.sites import Site

Found: TypeAlias = tuple[Module, int, str]

_OPTIMIZER: Final = re.compile(r"opt|adam|sgd|scaler|fabric|engine", re.IGNORECASE)
_NO_OPTIMIZER: Final = re.compile(r"sched|profil|\benv", re.IGNORECASE)
_TRAINERS: Final = re.compile(
    r"^(transformers\.\w*Trainer|trl\.\w+Trainer|(pytorch_lightning|lightning(\.pytorch)?)\.Trainer"
    r"|hydra\.utils\.instantiate|keras\.\w+|tensorflow\.keras\.\w+)\(\)\.(train|fit)$"
)
_STARTS: Final = re.compile(
    r"run|subprocess|popen|check_(call|output)|system|launch|execute|spawn|invoke|setattr|shlex|\bcall",
    re.IGNORECASE,
)
_SUBCOMMAND: Final = r"(run|launch|train|pretrain|fit|(fine-?)?tune)\w*"
_SCRIPT: Final = re.compile(r"[\w/.-]+\.(?:py|sh)\b")


def trains(repo: Repository) -> Iterator[Iterator[Found]]:
    """Yield where tests train, the most end to end first: runs of scripts and commands, calls
    of training code, loops of their own."""
    entries = _training_functions(repo)
    yield _scripts(repo, entries)
    yield _calls(repo, entries)
    yield _loops(repo, own=bool(entries))


def _training_functions(repo: Repository) -> frozenset[int]:
    """Return the product functions that lead to both backward and an optimizer's step."""
    backward = {_node(site) for site in backward_calls(repo)}
    steps = {_node(site) for site in repo.methods("step") if _is_update(site)}
    steps |= {_node(site) for site in optimizer_steps(repo)}
    delegated = {_node(site) for site in repo.methods("train", "fit") if _is_delegated(repo, site)}
    delegated |= {_node(site) for site, _ in learners.called(repo, *learners.TRAINS)}
    loops = _leading_to(repo, backward) & _leading_to(repo, steps) if backward and steps else set()
    return frozenset(loops | _leading_to(repo, delegated))


def _node(site: Site) -> int:
    return site.node


def _is_delegated(repo: Repository, site: Site) -> bool:
    """Tell whether a call hands training to the trainer of a library."""
    if site.call.keyword("resume_from_checkpoint") is not None:
        return True
    return any(map(_TRAINERS.match, repo.kinds(site)))


def _is_update(site: Site) -> bool:
    words = " ".join((*site.receivers, *site.call.args))
    return bool(_OPTIMIZER.search(words)) and not _NO_OPTIMIZER.search(site.receivers[0])


def _leading_to(repo: Repository, targets: Iterable[int]) -> set[int]:
    """Return the product functions that call one of some functions, directly or not."""
    program, callers = repo.program, repo.graph.callers
    seen = set(targets)
    queue = list(seen)
    while queue:
        for node in callers[queue.pop()]:
            if (
                node not in seen
                and program.owner[node].role == "product"
                and program.definition(node).kind == "function"
            ):
                seen.add(node)
                queue.append(node)
    return seen


def _calls(repo: Repository, entries: frozenset[int]) -> Iterator[Found]:
    """Yield the calls in tests that certainly lead to a training function."""
    program, edges = repo.program, repo.graph.edges
    methods = _training_methods(repo, entries)
    for module in repo.tests if entries else ():
        hot = {
            place
            for place in range(len(module.facts.definitions))
            if not edges[module.first + place].isdisjoint(entries)
        }
        for call in module.facts.calls if hot else ():
            if call.scope in hot:
                for name in call.names:
                    if any(node in entries for _, node in program.follow(module, name)) or (
                        name.rpartition(".")[2] in methods and _is_handed(name)
                    ):
                        yield module, call.line, f"trains: calls {name.lstrip(':')[:60]}"
                        break


def _training_methods(repo: Repository, entries: frozenset[int]) -> frozenset[str]:
    """Return the names of public methods that train in most classes of the product with them."""
    program = repo.program
    named = {
        own.rpartition(".")[2]
        for own in (program.definition(node).name for node in entries)
        if "." in own and not own.rpartition(".")[2].startswith("_")
    }
    balance: Counter[str] = Counter()
    every = repo.functions(f"^({'|'.join(map(re.escape, sorted(named)))})$") if named else ()
    for module, place, one in every:
        balance[one.name.rpartition(".")[2]] += 1 if module.first + place in entries else -1
    return frozenset(name for name in named if balance[name] > 0)


def _is_handed(name: str) -> bool:
    """Tell whether a method's object comes from a fixture or a factory: its class is unknown."""
    owner = name.rpartition(".")[0]
    return owner.endswith("()") or owner[:1] == "@"


def _scripts(repo: Repository, entries: frozenset[int]) -> Iterator[Found]:
    """Yield the commands in tests that run a script or console command which trains."""
    names = _script_names(repo, entries)
    dotted = tuple({repo.program.owner[node].dotted for node in entries})
    commands = metadata.commands(repo)
    subcommand = re.compile(
        rf"(?<![\w./-])({'|'.join(map(re.escape, commands)) or '$^'})[\s',]+{_SUBCOMMAND}"
    )
    for module in repo.tests if entries else ():
        for line, text in _command_texts(module, (".py", ".sh", *dotted, *commands)):
            script = any(one.rpartition("/")[2] in names for one in _SCRIPT.findall(text))
            script = script or any(
                f"{m}{one}'" in text for one in dotted for m in ("'-m', '", "-m ")
            )
            if script or subcommand.search(text):
                yield module, line, f"trains: runs {' '.join(text.split())[:60]}"


def _command_texts(module: Module, needles: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """Yield what tests hand to something that starts programs, and commands put together,
    where it holds one of some words."""
    constants = {
        one.target: one.value
        for one in module.facts.assigns
        if one.scope == 0 and one.target[:1] == ":" and one.value[-4:-1] in (".py", ".sh")
    }
    for call in module.facts.calls:
        if not _starts(call.names[0]):
            continue
        for text in (*call.args, *(value for _, value in call.kwargs)):
            for name in constants if ":" in text else ():
                text = text.replace(name, constants[name])
            if any(one in text for one in needles):
                yield call.line, text
    busy = {call.scope for call in module.facts.calls if _starts(call.names[0])}
    for one in module.facts.assigns:
        listed = one.operator == "=" and one.value[:1] == "[" and one.scope in busy
        if (listed or one.operator == "+=") and any(needle in one.value for needle in needles):
            yield one.line, one.value


@lru_cache(1 << 14)
def _starts(name: str) -> bool:
    return bool(_STARTS.search(name))


def _script_names(repo: Repository, entries: frozenset[int]) -> frozenset[str]:
    """Return the names of the files whose code trains, and of shell scripts that run them."""
    owner = repo.program.owner
    modules = {owner[node].path.rpartition("/")[2] for node in entries}
    dotted = {owner[node].dotted for node in entries}
    shells = {
        file.name
        for file, line in pipelines.automation(repo)
        for argv in argvs(line.text)
        if argv[0] in modules or argv[0] in dotted
    }
    return frozenset(modules | shells | set(_training_examples(repo, entries)))


def _training_examples(repo: Repository, entries: frozenset[int]) -> Iterator[str]:
    """Yield the names of example scripts with a training loop, or that start the product's."""
    for module in repo.program.modules:
        if module.role == "example":
            called = {call.names[0].rpartition(".")[2] for call in module.facts.calls}
            nodes = range(module.first, module.first + len(module.facts.definitions))
            if {"backward", "step"} <= called or any(
                not repo.graph.edges[node].isdisjoint(entries) for node in nodes
            ):
                yield module.path.rpartition("/")[2]


def _loops(repo: Repository, *, own: bool) -> Iterator[Found]:
    """Yield tests with a training loop of their own.

    Where the product has training code (`own`), the loop must run by an object that takes the
    loss (``accelerator.backward(loss)``): a loop around bare parameters proves nothing of it.
    """
    for module in repo.tests:
        updates = {call.scope for call in module.facts.calls if _steps(call)}
        for call in module.facts.calls:
            last = call.names[0].rpartition(".")[2]
            if last in ("train", "fit") and _by_trainer(repo, module, call):
                yield module, call.line, f"trains: {call.names[0][:60]}"
            elif last == "backward" and call.scope in updates and (call.args or not own):
                yield module, call.line, "trains: backward and an optimizer step"


def _by_trainer(repo: Repository, module: Module, call: Call) -> bool:
    """Tell whether a call is the train method of a library's trainer, or of one derived from it."""
    program = repo.program
    for name in call.names:
        if _TRAINERS.match(name):
            return True
        owner, called, _ = name.rpartition("()")
        node = program.resolve(module, owner)[1] if called and "(" not in owner else -1
        if node >= 0 and program.definition(node).kind == "class":
            bases = program.ancestry(node)
            if any(_TRAINERS.match(f"{base}().train") for base in bases):
                return True
    return False


def _steps(call: Call) -> bool:
    return call.names[0].endswith(".step") and bool(_OPTIMIZER.search(call.names[0]))
