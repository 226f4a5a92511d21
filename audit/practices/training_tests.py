"""Which tests train a model: through the product's training code, a script, or its parts."""

import re
from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

from audit.code.modules import Module
from audit.facts.model import Call
from audit.repository import Repository, Site

Found: TypeAlias = tuple[Module, int, str]

_OPTIMIZER: Final = re.compile(r"opt|adam|sgd|scaler|fabric|engine", re.IGNORECASE)
_NO_OPTIMIZER: Final = re.compile(r"sched|profil|\benv", re.IGNORECASE)
_TRAINERS: Final = re.compile(
    r"^(transformers\.\w*Trainer|trl\.\w+Trainer|(pytorch_lightning|lightning(\.pytorch)?)\.Trainer"
    r"|keras\.\w+|tensorflow\.keras\.\w+)\(\)\.(train|fit)$"
)
_STARTS: Final = re.compile(
    r"run|subprocess|popen|check_|system|launch|execute|spawn|invoke|\bcall", re.IGNORECASE
)
_SCRIPT: Final = re.compile(r"[\w/.-]+\.(?:py|sh)\b")


def trains(repo: Repository) -> Iterator[Found]:
    """Yield where tests train: calls of training code, runs of scripts, loops of their own."""
    entries = _training_functions(repo)
    yield from _calls(repo, entries)
    yield from _scripts(repo, entries)
    yield from _loops(repo, own=bool(entries))


def _training_functions(repo: Repository) -> frozenset[int]:
    """Return the product functions that lead to both backward and an optimizer's step."""
    backward = {site.module.first + site.call.scope for site in repo.methods("backward")}
    steps = {
        site.module.first + site.call.scope for site in repo.methods("step") if _is_update(site)
    }
    if not backward or not steps:
        return frozenset()
    callers = _callers(repo)
    return _leading_to(callers, backward) & _leading_to(callers, steps)


def _is_update(site: Site) -> bool:
    words = " ".join((*site.receivers, *site.call.args))
    return bool(_OPTIMIZER.search(words)) and not _NO_OPTIMIZER.search(site.receivers[0])


def _callers(repo: Repository) -> dict[int, list[int]]:
    """Return who calls each product function; module code and classes are no callers."""
    program = repo.program
    found: dict[int, list[int]] = {}
    for module in repo.product:
        for place, one in enumerate(module.facts.definitions):
            if one.kind == "function":
                for target in repo.graph.edges[module.first + place]:
                    if program.definition(target).kind == "function":
                        found.setdefault(target, []).append(module.first + place)
    return found


def _leading_to(callers: dict[int, list[int]], targets: Iterable[int]) -> frozenset[int]:
    seen = set(targets)
    queue = list(seen)
    while queue:
        for node in callers.get(queue.pop(), ()):
            if node not in seen:
                seen.add(node)
                queue.append(node)
    return frozenset(seen)


def _calls(repo: Repository, entries: frozenset[int]) -> Iterator[Found]:
    """Yield the calls in tests that certainly lead to a training function."""
    program, edges = repo.program, repo.graph.edges
    for module in repo.tests if entries else ():
        hot = {
            place
            for place in range(len(module.facts.definitions))
            if not edges[module.first + place].isdisjoint(entries)
        }
        for call in module.facts.calls if hot else ():
            if call.scope in hot:
                for name in call.names:
                    if any(node in entries for _, node in program.follow(module, name)):
                        yield module, call.line, f"trains: calls {name.lstrip(':')[:60]}"
                        break


def _scripts(repo: Repository, entries: frozenset[int]) -> Iterator[Found]:
    """Yield the commands in tests that run a script which trains."""
    names = _script_names(repo, entries)
    for module in repo.tests if names else ():
        for call in filter(_starts, module.facts.calls):
            for text in (*call.args, *(value for _, value in call.kwargs)):
                if (".py" in text or ".sh" in text) and not names.isdisjoint(
                    one.rpartition("/")[2] for one in _SCRIPT.findall(text)
                ):
                    yield module, call.line, f"trains: runs {text[:60]}"


def _starts(call: Call) -> bool:
    return bool(_STARTS.search(call.names[0]))


def _script_names(repo: Repository, entries: frozenset[int]) -> frozenset[str]:
    """Return the names of scripts whose code trains: in the product or its examples."""
    program = repo.program
    return frozenset(program.owner[node].path.rpartition("/")[2] for node in entries)


def _loops(repo: Repository, *, own: bool) -> Iterator[Found]:
    """Yield tests with a training loop of their own.

    Where the product has training code (`own`), the loop must run by an object that takes the
    loss (``accelerator.backward(loss)``): a loop around bare parameters proves nothing of it.
    """
    for module in repo.tests:
        updates = {call.scope for call in module.facts.calls if _steps(call)}
        for call in module.facts.calls:
            last = call.names[0].rpartition(".")[2]
            if last in ("train", "fit") and any(map(_TRAINERS.match, call.names)):
                yield module, call.line, f"trains: {call.names[0][:60]}"
            elif last == "backward" and call.scope in updates and (call.args or not own):
                yield module, call.line, "trains: backward and an optimizer step"


def _steps(call: Call) -> bool:
    return call.names[0].endswith(".step") and bool(_OPTIMIZER.search(call.names[0]))
