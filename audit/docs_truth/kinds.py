"""The registry of claim kinds: each is a function that yields claims with their verdicts."""

from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from typing import Final, TypeAlias

import msgspec

from audit.docs_truth.model import Judged
from audit.docs_truth.world import World

Check: TypeAlias = Callable[[World], Iterator[Judged]]
FAMILIES: Final = (
    "links", "navigation", "references", "symbols", "paths", "python_blocks", "commands",
    "project", "environment", "exit_codes", "keys", "defaults", "coverage", "interface", "output",
)  # fmt: skip


class Kind(msgspec.Struct, frozen=True):
    """A sort of claim; its title is the first line of the check's docstring."""

    id: str
    check: Check
    executes: bool = False
    """Runs what the documentation shows: only when that is asked for."""

    @property
    def title(self) -> str:
        """What a finding of this kind means."""
        return (self.check.__doc__ or "").strip().partition("\n")[0]


_KINDS: Final[dict[str, Kind]] = {}


def kind(name: str, *, executes: bool = False) -> Callable[[Check], Check]:
    """Register a check.

    Raises:
        ValueError: the name is taken.
    """

    def register(check: Check) -> Check:
        if name in _KINDS:
            raise ValueError(f"{name}: two checks of this name: {_KINDS[name].check}, {check}")
        _KINDS[name] = Kind(name, check, executes)
        return check

    return register


@cache
def of(*families: str) -> tuple[Kind, ...]:
    """Return the kinds of some families, in the order of all."""
    modules = [f"audit.docs_truth.{one}" for one in FAMILIES if one in families]
    for module in modules:
        import_module(module)
    return tuple(one for one in _KINDS.values() if one.check.__module__ in modules)


def every() -> tuple[Kind, ...]:
    """Return all kinds."""
    return of(*FAMILIES)
