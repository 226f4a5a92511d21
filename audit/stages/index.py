"""S1: source → files with role and facts, and what could not be read."""

import os
from collections.abc import Callable

from audit import extraction, roles
from audit.facts.kinds import kind_of
from audit.facts.model import PythonFacts
from audit.model import Role
from audit.repository import File
from audit.source import Entry, Source
from audit.store import NoStore, Store

Progress = Callable[[str], object]


def index(
    source: Source,
    store: Store | NoStore,
    *,
    processes: int = 2,
    overrides: dict[str, Role] | None = None,
    progress: Progress = str,
) -> tuple[File, ...]:
    """Return every file of the source with its role and facts, in path order.

    A blob that the store knows is not read. `overrides` maps globs to the role
    that the configuration gives them.
    """
    role = roles.assign([entry.path for entry in source.entries], overrides or {})
    payloads = _payloads(source, store, processes, progress)
    return tuple(_file(entry, role[entry.path], payloads) for entry in source.entries)


def _payloads(
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


def _file(entry: Entry, role: Role, payloads: dict[str, bytes]) -> File:
    if entry.problem or entry.kind != "file":
        return File(entry.path, role, entry.blob, None, entry.problem)
    kind = kind_of(entry.path)
    if kind is None:
        return File(entry.path, role, entry.blob)
    found = extraction.decode(kind, payloads[extraction.key(entry.blob, kind)])
    if isinstance(found, str):
        return File(entry.path, role, entry.blob, None, found)
    if isinstance(found, PythonFacts) and found.generated:
        role = "generated"
    return File(entry.path, role, entry.blob, found)
