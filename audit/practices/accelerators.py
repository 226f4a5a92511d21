"""Loops of a repository's own that an accelerator, given from outside, drives."""

from collections.abc import Iterator
from typing import Final

from audit.practices.loops import derives
from audit.repository import Repository
from audit.sites import Site

_HELD: Final = frozenset(
    {"self.accelerator", "@accelerator", "self._accelerator", "self.fabric", "@fabric"}
)


def driven(repo: Repository) -> Iterator[Site]:
    """Yield calls by which an own loop prepares its parts with an accelerator it was given."""
    loops = {
        s.path for s in repo.methods("backward") if set(s.receivers) & _HELD and _is_own(repo, s)
    }
    for site in repo.methods("prepare"):
        if site.path in loops and set(site.receivers) & _HELD and _is_own(repo, site):
            yield site


def _is_own(repo: Repository, site: Site) -> bool:
    """Tell whether a call is in no class derived from a library's trainer."""
    return not derives(repo, site.module, site.call.scope, r"^[\w.]*Trainer$")
