"""Tracking: which trackers a user can choose between."""

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from audit.practices.loops import own_name
from audit.practices.origins import by_file
from audit.practices.registry import Place, at, in_code, practice
from audit.practices.trackers import chosen as offered
from audit.practices.trackers import launched, reporting, sent, tracker_named, trackers_in
from audit.repository import Repository
from audit.sites import Site

_MAKES: Final = re.compile(r"(^|[._])(init|set|setup|make|create|build|get|start|open|log|report)_")
_SAYS: Final = "{} is one of several trackers behind one interface"


@practice("log-tracker-choice", looks_for="two trackers behind one interface or option")
def log_tracker_choice(repo: Repository) -> Iterator[Place]:
    """The user can choose between experiment trackers.

    Two trackers count when one function or class uses both or takes switches for both, or
    when two classes with a common ancestor, or two classes or functions beside each other, each
    use or are named for one; so does the engine's option that names trackers (`report_to`, `log_with`), where its
    value is not fixed or a command gives it.

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
        Trackers that functions of several modules open are not seen as a choice.
    """
    groups: dict[object, dict[str, Place]] = defaultdict(dict)
    for site, name in sent(repo):
        for group in _interfaces(repo, site):
            groups[group].setdefault(name, at(site, _SAYS.format(name)))
    for group, name, place in offered(repo):
        groups[group].setdefault(name, place)
    choices = sorted((one for one in groups.values() if len(one) > 1), key=len, reverse=True)
    chosen = [place for kinds in choices for place in kinds.values()]
    options = (one.place("{} chooses trackers") for one in reporting(repo) if not one.fixed)
    yield from by_file(repo, (*options, *chosen, *_named_choices(repo), *launched(repo)))


def _named_choices(repo: Repository) -> Iterator[Place]:
    """Yield functions with switches for two trackers, and siblings that are named for one each."""
    siblings: dict[object, dict[str, Place]] = defaultdict(dict)
    for module, place, one in repo.definitions:
        if one.kind == "function" and not one.stub:
            if len(frozenset().union(*map(trackers_in, one.params))) > 1:
                yield in_code(module, place, one.line, f"{one.name} is told which trackers to use")
            elif _MAKES.search(one.name) and len(names := trackers_in(own_name(one))) == 1:
                says = in_code(module, place, one.line, _SAYS.format(one.name))
                siblings[module.path, one.parent].setdefault(min(names), says)
        elif name := tracker_named(one):
            node = module.first + place
            own = (base for base in repo.program.ancestry(node) if ":" in base)
            for group in (module.path, *own):
                says = in_code(module, place, one.line, _SAYS.format(one.name))
                siblings[group].setdefault(name, says)
    for kinds in siblings.values():
        yield from kinds.values() if len(kinds) > 1 else ()


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
