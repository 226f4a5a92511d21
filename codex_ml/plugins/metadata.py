"""What the installed distributions declare, read without importing any of them.

`importlib.metadata` costs more to import and to ask than the whole listing may
take, and it stops at the first malformed file. This reads ``entry_points.txt``
of every ``*.dist-info`` and ``*.egg-info`` directory on ``sys.path`` and turns
what it cannot read into a `Problem`. Distributions inside zip files and those
that only a custom finder knows are not seen.
"""
# Importing pathlib takes as long as reading 100 distributions.
# ruff: noqa: PTH118, PTH119, PTH123, PTH208

from __future__ import annotations

import os
import re
import sys
from collections import namedtuple

from codex_ml.plugins.errors import PluginError
from codex_ml.plugins.groups import ENTRY_POINT_GROUPS, PREFIX, normalise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

AVAILABLE = "available"
CONFLICT = "conflict"
DISABLED = "disabled"
OVERRIDDEN = "overridden"


class Entry(
    namedtuple("_Entry", "group name target owner version state detail", defaults=(AVAILABLE, None))
):
    """One claim on a plugin name, and what became of it."""

    __slots__ = ()
    group: str
    """Short for the runtime's groups (``metrics``), whole for others."""
    name: str
    """Normalised."""
    target: str
    """Where the object is, as ``package.module:attribute``."""
    owner: str
    """The distribution, or the module or setting that claims the name."""
    version: str | None
    """The distribution's."""
    state: str
    """One of available, conflict, disabled, overridden."""
    detail: str | None
    """Why it is not available."""


class Problem(namedtuple("_Problem", "where message")):
    """Something that was declared but cannot be used, and why."""

    __slots__ = ()
    where: str
    message: str


def is_target(text: str) -> bool:
    """Tell whether `text` reads ``package.module`` or ``package.module:attribute``."""
    module, colon, attribute = text.partition(":")
    parts = module.split(".") + (attribute.split(".") if colon else [])
    return all(part.isidentifier() for part in parts)


def installed(path: Iterable[str] | None = None) -> tuple[list[Entry], list[Problem]]:
    """Return every entry point in our groups, and what could not be read."""
    rows = list(_rows(sys.path if path is None else path))
    return (
        [row for row in rows if isinstance(row, Entry)],
        [row for row in rows if isinstance(row, Problem)],
    )


def _rows(path: Iterable[str]) -> Iterator[Entry | Problem]:
    # Of a distribution that is on the path twice the first counts, as on import.
    seen = set()
    for directory in _metadata_directories(path):
        name, version = _identity(os.path.basename(directory))
        if name not in seen:
            seen.add(name)
            yield from _read(os.path.join(directory, "entry_points.txt"), name, version)


def _metadata_directories(path: Iterable[str]) -> Iterator[str]:
    for folder in dict.fromkeys(path):
        try:
            names = sorted(os.listdir(folder or "."))
        except OSError:
            continue
        for name in names:
            if name.endswith((".dist-info", ".egg-info")):
                yield os.path.join(folder, name)


def _identity(directory: str) -> tuple[str, str | None]:
    stem, _, kind = directory.rpartition(".")
    if kind == "egg-info":
        stem = re.sub(r"-py\d+(\.\d+)?$", "", stem)
    name, _, version = stem.partition("-")
    return normalise(name) if name.strip("-_. ") else directory, version or None


def _read(file: str, owner: str, version: str | None) -> Iterator[Entry | Problem]:
    try:
        with open(file, "rb") as stream:
            data = stream.read()
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        yield Problem(f"{owner}: {file}", f"cannot be read: {error.strerror}")
        return
    if not any(group.encode() in data for group in ENTRY_POINT_GROUPS):
        return
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        yield Problem(f"{owner}: {file}", f"is not UTF-8 (byte {error.start}); reinstall {owner}")
        return
    yield from _parse(text, file, owner, version)


def _parse(text: str, file: str, owner: str, version: str | None) -> Iterator[Entry | Problem]:
    group = ""
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip()
        if not line or line[0] in "#;":
            continue
        if line[0] == "[":
            group = line.strip("[]").strip()
        elif group in ENTRY_POINT_GROUPS:
            try:
                yield _entry(line, group.removeprefix(PREFIX), owner, version)
            except PluginError as error:
                yield Problem(f"{owner}: {file}:{number}", str(error))


def _entry(line: str, group: str, owner: str, version: str | None) -> Entry:
    name, equals, value = line.partition("=")
    target = value.partition("[")[0].strip()
    if not equals or not is_target(target):
        raise PluginError(f"{line!r} is no entry point: write `name = package.module:attribute`")
    return Entry(group, normalise(name), target, owner, version)
