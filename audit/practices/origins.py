"""Where the values in product code come from, across modules and through its own wrappers."""

import re
from collections.abc import Iterable, Iterator

from audit.code.modules import Module
from audit.practices.handing import handed
from audit.practices.instantiated import instantiated
from audit.practices.libraries import called, library, named
from audit.practices.ranking import is_corner
from audit.practices.registry import Place, at, in_code, of_key
from audit.repository import Repository, once
from audit.sites import Site


def callees(site: Site) -> Iterator[str]:
    """Yield every absolute text that a callee may stand for, instances followed."""
    yield from site.names
    for name in site.call.names:
        for text, _ in site.program.follow(site.module, name):
            if text not in site.names:
                yield text


def receivers(site: Site) -> Iterator[str]:
    """Yield what a method is called on, then what that is derived from in other libraries."""
    for text in callees(site):
        receiver = text.rpartition(".")[0]
        if receiver:
            yield receiver
            yield from _library_bases(site, receiver)


def _library_bases(site: Site, receiver: str) -> tuple[str, ...]:
    """Return the ancestors of a repository class that a text makes an instance of."""
    if not receiver.endswith("()") or ":" not in receiver:
        return ()
    dotted, _, name = receiver.removesuffix("()").partition(":")
    _, node = site.program.resolve(site.module, f"{dotted}.{name}")
    if node < 0 or site.program.definition(node).kind != "class":
        return ()
    return site.program.ancestry(node)


def called_on(site: Site, topic: str) -> str:
    """Return what a topic of the library table calls the receiver of a method, else nothing."""
    return library(topic, receivers(site))


def called_anywhere(repo: Repository, topic: str) -> Iterator[tuple[Site, str]]:
    """Yield the calls of a topic's functions, and of its classes' methods on a parameter for
    which a caller hands over an instance, with what a report calls the library."""
    yield from called(repo, topic)
    made: dict[str, dict[str, str]] = {}
    for name, what in named(topic).items():
        instance, _, method = name.rpartition(".")
        if instance.endswith("()"):
            made.setdefault(method, {})[instance] = what
    for method, instances in made.items():
        for site in repo.methods(method):
            if len(site.names) == 1 and re.fullmatch(r"@\w+\.\w+", site.names[0]):
                texts = handed(repo, site, site.receivers[0])
                known = instances.keys() & {one for text in texts for one in text.split(" | ")}
                if known:
                    yield site, instances[min(known)]


def by_file(repo: Repository, places: Iterable[Place]) -> Iterator[Place]:
    """Order places: the first of every file, the file with most of them before the others.

    Three places are shown first; they say more when they come from three files. Files near
    the root come first, those in folders beside the packages and aside of the main path last.
    """
    files: dict[str, list[Place]] = {}
    for one in places:
        files.setdefault(one.path, []).append(one)
    ordered = sorted(files.items(), key=lambda row: (*_distance(repo, row[0]), -len(row[1])))
    yield from (rows[0] for _, rows in ordered)
    for _, rows in ordered:
        yield from rows[1:]


def _distance(repo: Repository, path: str) -> tuple[bool, bool, int]:
    return is_corner(path), _is_beside(repo, path), path.count("/")


def _is_beside(repo: Repository, path: str) -> bool:
    """Tell whether a file lies in a folder that is in no package."""
    folder = path.rpartition("/")[0]
    found = bool(folder)
    while folder and found:
        found = f"{folder}/__init__.py" not in repo.files
        folder = folder.rpartition("/")[0]
    return found


def partials(repo: Repository, topic: str) -> Iterator[tuple[Site, str]]:
    """Yield where a topic's names are bound to arguments for a later call."""
    for site in repo.calls("functools.partial"):
        if site.call.args and (name := library(topic, site.call.args[:1])):
            yield site, name


@once
def made_of(repo: Repository) -> dict[str, list[tuple[Module, int]]]:
    """Return definitions by what they are made of: classes by their bases, functions and classes
    by the decorators that are not called."""
    found: dict[str, list[tuple[Module, int]]] = {}
    for module, place, one in repo.definitions:
        for text in (*(base for base in one.bases if "=" not in base), *one.decorators):
            if not text.endswith(")"):
                name = repo.program.resolve(module, text)[0]
                found.setdefault(name, []).append((module, place))
    return found


def of_topic(repo: Repository, topic: str, says: str) -> Iterator[Place]:
    """Yield calls of a topic's names, what is derived from them or decorated with them, and
    configuration that names one to be made; `says` takes the name."""
    for site in repo.calls(*named(topic)):
        yield at(site, says.format(library(topic, site.names)))
    for site, name in partials(repo, topic):
        yield at(site, says.format(name))
    for text, definitions in made_of(repo).items():
        if name := library(topic, (text,)):
            for module, place in definitions:
                line = module.facts.definitions[place].line
                yield in_code(module, place, line, says.format(name))
    for site, value in repo.given("_target_"):
        if value[:1] == "'" and (name := library(topic, (value.strip("'"),))):
            yield at(site, says.format(name))
    for file, key, name in instantiated(repo, topic):
        yield of_key(file, key, says.format(name))
