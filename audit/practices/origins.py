"""Where the values in product code come from, across modules and through its own wrappers."""

from collections.abc import Iterable, Iterator

from audit.practices.libraries import library
from audit.practices.registry import Place
from audit.repository import Site


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


def by_file(places: Iterable[Place]) -> Iterator[Place]:
    """Order places: the first of every file, the file with most of them before the others.

    Three places are shown first; they say more when they come from three files.
    """
    files: dict[str, list[Place]] = {}
    for one in places:
        files.setdefault(one.path, []).append(one)
    ordered = sorted(files.values(), key=len, reverse=True)
    yield from (rows[0] for rows in ordered)
    for rows in ordered:
        yield from rows[1:]
