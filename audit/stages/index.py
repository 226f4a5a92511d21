"""S1: source → files with role and facts, and what could not be read."""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import msgspec

from audit import roles
from audit.facts import extraction
from audit.facts.kinds import kind_of
from audit.facts.model import DataFacts, Facts, FileKind, ProseFacts, PythonFacts
from audit.model import Role
from audit.sites import File
from audit.source.trees import Entry, Source
from audit.store import NoStore, Store

_LAUNCH = re.compile(
    r"(?:torchrun|accelerate launch|deepspeed|srun|torch\.distributed\.(?:run|launch))\b[^\n]*?"
    r"\s(?:-m\s+|\./)?([A-Za-z_]\w*)[./]\w[\w./]*"
)

_COMMANDS = re.compile(r"(^|\.)(scripts|gui-scripts|console_scripts)(\.|$)")
_TARGET = re.compile(r"([\w.]+):[\w.]+")
_TEST = re.compile(r"(^|\.)_?test\w*$")

Progress: TypeAlias = Callable[[str], object]
Files: TypeAlias = tuple[File, ...]


def index(
    source: Source,
    store: Store | NoStore,
    *,
    processes: int = 2,
    overrides: dict[str, Role] | None = None,
    progress: Progress = str,
) -> Files:
    """Return every file of the source with its role and facts, in path order.

    A blob that the store knows is not read. `overrides` maps globs to the role
    that the configuration gives them.
    """
    found = payloads(source, store, processes, progress)

    def facts(key: str, kind: FileKind) -> Facts | str:
        return extraction.decode(kind, found[key])

    return assemble(source.entries, facts, overrides or {})


Look: TypeAlias = Callable[[str, FileKind], Facts | str]
"""Cache key and kind of a blob → its facts, or the reason why there are none."""


def assemble(entries: Sequence[Entry], look: Look, overrides: Mapping[str, Role]) -> Files:
    """Return files with role and facts, in path order, where the facts are known."""
    by_path = {entry.path: entry for entry in entries}

    def tests(path: str) -> bool:
        return _has_tests(_file(by_path[path], "test", look))

    role = roles.assign(by_path, overrides, tests)
    return _run_by_users(tuple(_file(entry, role[entry.path], look) for entry in entries))


def _run_by_users(files: Files) -> Files:
    """Make folders of scripts product where users run them.

    Beside a package, ``scripts/`` holds maintainers' tools; unless the front page says
    ``torchrun scripts/train.py``, or the package installs commands that lie there.
    """
    return _installed(_launched(files))


def _installed(files: Files) -> Files:
    """Make the folders of a package product that hold its console commands."""
    targets = {
        found[1].replace(".", "/") + ".py"
        for one in files
        if one.path in ("pyproject.toml", "setup.cfg") and isinstance(one.facts, DataFacts)
        for key in one.facts.keys
        if _COMMANDS.search(key.path)
        for found in _TARGET.finditer(key.value)
    }
    folders = {
        one.path.rpartition("/")[0]
        for one in files
        if one.role == "example" and one.path.removeprefix("src/") in targets
    }
    return tuple(
        msgspec.structs.replace(one, role="product")
        if one.role == "example" and one.path.rpartition("/")[0] in folders
        else one
        for one in files
    )


def _launched(files: Files) -> Files:
    """Make folders of scripts product from which the README launches training."""
    folders = {
        found[1]
        for one in files
        if "/" not in one.path and isinstance(one.facts, ProseFacts)
        for fence in one.facts.fences
        for found in _LAUNCH.finditer(fence.text.replace("\\\n", " "))
    }
    return tuple(
        msgspec.structs.replace(one, role="product")
        if one.role == "build" and "/" in one.path and one.path.partition("/")[0] in folders
        else one
        for one in files
    )


def payloads(
    source: Source, store: Store | NoStore, processes: int, progress: Progress
) -> dict[str, bytes]:
    """Return the encoded facts of every readable entry, by key."""
    wanted: dict[str, Entry] = {}
    for entry in source.entries:
        kind = kind_of(entry.path)
        if kind is not None and entry.kind == "file" and not entry.problem:
            wanted.setdefault(extraction.key(entry.blob, kind), entry)
    known = store.get(wanted)
    missing = {name: entry for name, entry in wanted.items() if name not in known}
    if not missing:
        return known
    progress(f"reading {len(missing)} files")
    keys = {id(entry): name for name, entry in missing.items()}
    jobs: list[extraction.Job] = []
    fresh: dict[str, bytes] = {}
    for entry, content in source.read(missing.values()):
        name, kind = keys[id(entry)], kind_of(entry.path)
        assert kind is not None
        if isinstance(content, str):
            known[name] = b"\x00" + content.encode()
        else:
            jobs.append((name, kind, content))
    fresh = extraction.extract_all(jobs, min(processes, os.cpu_count() or 1))
    store.put(fresh)
    return known | fresh


def _has_tests(file: File) -> bool:
    """Tell whether a module has test functions or classes, or cannot be read."""
    return not isinstance(file.facts, PythonFacts) or any(
        one.kind == "function" and _TEST.search(one.name) for one in file.facts.definitions
    )


def _file(entry: Entry, role: Role, look: Look) -> File:
    if entry.problem or entry.kind != "file":
        return File(entry.path, role, entry.blob, None, entry.problem)
    kind = kind_of(entry.path)
    if kind is None:
        return File(entry.path, role, entry.blob)
    found = look(extraction.key(entry.blob, kind), kind)
    if isinstance(found, str):
        return File(entry.path, role, entry.blob, None, found)
    if isinstance(found, PythonFacts) and found.generated:
        role = "generated"
    return File(entry.path, role, entry.blob, found)
