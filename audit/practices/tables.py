"""Rows that are written to a table file without a library for it."""

import re
from collections.abc import Iterator
from typing import Final

from audit.code.modules import Module
from audit.repository import Repository
from audit.sites import Site

_TABLE: Final = re.compile(r"\.(csv|tsv|jsonl)'$")
_ROW: Final = re.compile(r"join\(\)|\.rstrip\(\)|\}(, ?|\\t|\t|;)\{")


def written_rows(repo: Repository) -> Iterator[Site]:
    """Yield writes of joined columns, in a class or function that names a table file."""
    owners: set[tuple[str, int]] = set()
    for site in repo.methods("write"):
        if any(map(_ROW.search, site.call.args)):
            owner = (site.path, _outermost(site.module, site.call.scope))
            if owner in owners or _names_table(site.module, owner[1]):
                owners.add(owner)
                yield site


def _names_table(module: Module, owner: int) -> bool:
    kept = (one for one in module.facts.assigns if _outermost(module, one.scope) == owner)
    return any(_TABLE.search(one.value) for one in kept) or any(
        _TABLE.search(text)
        for call in module.facts.calls
        if _outermost(module, call.scope) == owner
        for text in (*call.args, *(value for _, value in call.kwargs))
    )


def _outermost(module: Module, scope: int) -> int:
    definitions = module.facts.definitions
    while scope > 0 and definitions[scope].parent > 0:
        scope = definitions[scope].parent
    return scope
