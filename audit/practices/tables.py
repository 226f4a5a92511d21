"""Rows and lines that are written to a file by code of the repository's own."""

import re
from collections.abc import Iterator
from typing import Final

from audit.code.modules import Module
from audit.practices.loops import words
from audit.repository import Repository, once
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


def own_writers(repo: Repository) -> Iterator[Site]:
    """Yield what is handed to a class of the repository that writes CSV rows or JSON lines, by
    its name, and to ``jsonlines``."""
    yield from repo.calls("jsonlines.open().write", "jsonlines.Writer().write")
    yield from repo.calls("jsonlines.open().write_all", "jsonlines.Writer().write_all")
    if _writing_classes(repo):
        for site in repo.methods(*_TAKES):
            inside = _WRITER.search(words(site.scope.name.partition(".")[0]))
            if not inside and any(_WRITER.search(words(_last(one))) for one in site.receivers):
                yield site


@once
def _writing_classes(repo: Repository) -> tuple[str, ...]:
    """Return the classes that their names call writers of rows or lines and that open a file."""
    opened = {
        (site.path, site.scope.name.rpartition(".")[0])
        for site in (*repo.calls("builtins.open"), *repo.methods("open"))
    }
    return tuple(
        one.name
        for module, _, one in repo.classes(name=_CLASS)
        if (module.path, one.name) in opened
    )


def _last(text: str) -> str:
    return text.removesuffix("()").rpartition(".")[2].rpartition(":")[2]


LINE_WRITERS: Final = (
    "append_to_jsonl", "append_jsonl", "write_jsonl", "write_to_jsonl", "save_jsonl", "dump_jsonl",
    "append_to_csv", "write_csv", "save_csv",
)  # fmt: skip
"""What functions are called that write lines of JSON or rows of a table."""
_CLASS: Final = r"(?i)(csv|jsonl?|json_?lines)_?(logger|writer|log)$"
_WRITER: Final = re.compile(r"(^|_)(csv|jsonl?|json_?lines)_?(logger|writer|log)$")
_TAKES: Final = ("log", "write", "append", "add", "log_metrics", "write_row", "log_row", "update")


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
