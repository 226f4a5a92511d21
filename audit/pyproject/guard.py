"""Say what is wrong with a ``pyproject.toml``: line, column and cure.

Invalid TOML first; then what parses but is no valid project file by the
packaging specifications (PEP 517/518, 621, 639, 735).
"""

import re
import tomllib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any, Final

from packaging.licenses import InvalidLicenseExpression
from packaging.requirements import InvalidRequirement, Requirement
from pyproject_metadata import StandardMetadata

from audit.pyproject import scan, spelling
from audit.pyproject.order import BUILD_SYSTEM, PROJECT, TABLES

MAX_NESTING: Final = 100
_TOO_DEEP: Final = f"values are nested deeper than {MAX_NESTING} levels: flatten them"
_PLACE: Final = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_CURES: Final = (
    ("Unclosed array", "close it with ]"),
    ("Unclosed inline table", "close it with }"),
    ("Expected '=' after a key", "write key = value"),
    ("Expected newline or end of document", "put each key on a line of its own"),
    ("Invalid value", "put text in quotes"),
    ("Invalid statement", "write key = value or [table]"),
    ("Illegal character", "remove it or escape it"),
    ("Unescaped '\\' in a string", "double it, or use single quotes"),
    ("Expected ']", "close the table's name with a bracket"),
    ("Unterminated string", "close the quotes"),
)
_PROJECT_CURES: Final = (
    ("PEP 440 version", "write it like 1.2.3"),
    ("Python version specifier", 'write it like ">=3.11"'),
    ("PEP 508 requirement", 'write it like "name>=1,<2"'),
    ("declared as dynamic", "remove it from dynamic or from [project]"),
    ("not found", "add the file or correct its path"),
    ("must match at least one file", "add the file or correct the pattern"),
    ("is required", "add it"),
    ("missing", "add it, or list it in dynamic"),
)
# What older tools and tables called it -> where it stands today.
_TODAY: Final = {
    "author": "authors",
    "author-email": "authors",
    "backend-path": "[build-system] backend-path",
    "build-backend": "[build-system] build-backend",
    "dev-dependencies": "[dependency-groups]",
    "entry-point": "[project.entry-points]",
    "extras": "[project.optional-dependencies]",
    "extras-require": "[project.optional-dependencies]",
    "homepage": "[project.urls] Homepage",
    "install-requires": "dependencies",
    "licence": "license",
    "packages": "the table of your build backend",
    "python": "requires-python",
    "python-requires": "requires-python",
    "repository": "[project.urls] Repository",
    "requires": "[build-system] requires",
    "url": "[project.urls]",
}


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """What is wrong at a place, lines and columns counted from 1, and its cure."""

    line: int
    column: int
    says: str


def problems(text: str, folder: Path | None = None) -> tuple[Problem, ...]:
    """Return what makes a document no valid project file, in order of place.

    With a `folder`, the files that the document names (readme, licence files)
    must be there too; without, no other file is read.
    """
    try:
        data = tomllib.loads(text)
        places = tuple(scan.places(scan.statements(text)))
    except tomllib.TOMLDecodeError as error:
        return (_twice(text) or _syntax(text, str(error)),)
    except RecursionError:
        return (Problem(1, 1, _TOO_DEEP),)
    if deep := next((at for path, at in places if len(path) > MAX_NESTING), 0):
        return (Problem(*scan.place(text, deep), _TOO_DEEP),)
    offsets = {_name(path): at for path, at in places}
    found: dict[tuple[int, int], str] = {}
    for rule in (_tables, _build_system, _misplaced, _licence, _groups, partial(_project, folder)):
        for key, says in rule(data):
            found.setdefault(_locate(text, offsets, key), says)
    return tuple(sorted(Problem(*place, says) for place, says in found.items()))


# ------------------------------------------------------------------- invalid TOML
def _syntax(text: str, message: str) -> Problem:
    found = _PLACE.search(message)
    says = message[: found.start()] if found else message
    cure = next((cure for start, cure in _CURES if says.startswith(start)), "correct the syntax")
    if found and found[1]:
        at = int(found[1]), int(found[2])
    else:
        at, cure = scan.place(text, len(text)), "close the bracket or quotes that are still open"
    return Problem(*at, f"invalid TOML: {says[0].lower()}{says[1:]}: {cure}")


def _twice(text: str) -> Problem | None:
    """Return the first table or key that is there twice, if that can be told."""
    seen: dict[scan.Path, int] = {}
    try:
        for path, at in scan.places(scan.statements(text)):
            if path in seen:
                first, _ = scan.place(text, seen[path])
                table = text[at] == "["
                what, cure = ("table", "merge the two") if table else ("key", "keep one")
                says = f"the {what} {_name(path)} is given twice, first at line {first}: {cure}"
                return Problem(*scan.place(text, at), says)
            seen[path] = at
    except (ValueError, RecursionError):
        pass
    return None


# ---------------------------------------------------------- valid TOML, no project
def _tables(data: dict[str, Any]) -> Iterator[tuple[str, str]]:
    known = (*TABLES, "tool")
    for name in data.keys() - known:
        plain = name.lower().replace("_", "-")
        if name in PROJECT:
            yield name, f"{name} stands outside [project]: move it there"
        elif near := get_close_matches(plain, known, 1, 0.85):
            yield name, f"unknown table [{name}]: did you mean [{near[0]}]?"


def _build_system(data: dict[str, Any]) -> Iterator[tuple[str, str]]:
    table = data.get("build-system", {})
    if not isinstance(table, dict):
        yield "build-system", "build-system is no table: write [build-system]"
        return
    for key in table.keys() - set(BUILD_SYSTEM):
        yield f"build-system.{key}", _unknown(key, "build-system", BUILD_SYSTEM)
    if "build-system" in data and "requires" not in table:
        yield "build-system", "[build-system] lacks requires: list what the build needs"
    yield from _requirements("build-system.requires", table.get("requires", []))
    if not isinstance(table.get("build-backend", ""), str):
        yield "build-system.build-backend", "build-backend is no text: put it in quotes"


def _misplaced(data: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield keys of [project] that a table header above them has swallowed."""
    project = data.get("project", {})
    if not isinstance(project, dict):
        return
    for key in project.keys() - set(PROJECT):
        yield f"project.{key}", _unknown(key, "project", PROJECT)
    for name in ("urls", "scripts", "gui-scripts", "optional-dependencies"):
        table = project.get(name, {})
        for key, value in table.items() if isinstance(table, dict) else ():
            if key in PROJECT and not _fits(name, value):
                cure = "move it up, between [project] and the next table"
                says = f"{key} stands below [project.{name}] and so belongs to it: {cure}"
                yield f"project.{name}.{key}", says


def _fits(table: str, value: object) -> bool:
    match table:
        case "urls":
            return isinstance(value, str) and "://" in value
        case "optional-dependencies":
            return isinstance(value, list)
        case _:
            return isinstance(value, str) and ":" in value


def _licence(data: dict[str, Any]) -> Iterator[tuple[str, str]]:
    project = data.get("project")
    expression = project.get("license") if isinstance(project, dict) else None
    if isinstance(expression, str):
        try:
            spelling.licence(expression)
        except InvalidLicenseExpression as error:
            yield "project.license", f'{error}: give an SPDX expression such as "MIT"'


def _groups(data: dict[str, Any]) -> Iterator[tuple[str, str]]:
    groups = data.get("dependency-groups", {})
    if not isinstance(groups, dict):
        yield "dependency-groups", "dependency-groups is no table: write [dependency-groups]"
        return
    for name, members in groups.items():
        key = f"dependency-groups.{name}"
        yield from _requirements(
            key, [one for one in members if not isinstance(one, dict)]
            if isinstance(members, list) else members,
        )  # fmt: skip


def _requirements(key: str, lines: object) -> Iterator[tuple[str, str]]:
    if not isinstance(lines, list):
        yield key, f'{key} is no array: write ["name>=1"]'
        return
    for line in lines:
        try:
            Requirement(line)
        except (InvalidRequirement, TypeError) as error:
            yield key, f"{line!r} is no requirement (PEP 508): {str(error).splitlines()[0]}"


def _project(folder: Path | None, data: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what the project metadata rules say of [project]."""
    if "project" not in data:
        return
    if isinstance(data["project"], dict):
        project = _without_licence_classifiers(data["project"])
        data = {**data, "project": project if folder else _without_files(project)}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            StandardMetadata.from_pyproject(
                data, folder or Path(), all_errors=True, allow_extra_keys=True
            )
    except ExceptionGroup as group:
        for error in group.exceptions:
            says = " ".join(str(error).split())
            cure = next((cure for part, cure in _PROJECT_CURES if part in says), "")
            yield getattr(error, "key", None) or "project", says + (cure and f": {cure}")


def _without_licence_classifiers(project: dict[str, Any]) -> dict[str, Any]:
    """Return [project] with the classifiers that may, but need not, be refused (PEP 639)."""
    match project.get("classifiers"):
        case [*rows]:
            kept = [row for row in rows if not str(row).startswith("License ::")]
            return {**project, "classifiers": kept}
    return project


def _without_files(project: dict[str, Any]) -> dict[str, Any]:
    """Return [project] without the keys that name files to read."""
    kept = dict(project)
    for key in ("readme", "license"):
        match project.get(key):
            case {"file": str()}:
                del kept[key]
            case str() if key == "readme":
                del kept[key]
    match project.get("license-files"):
        case [*globs] if all(isinstance(one, str) for one in globs):
            del kept["license-files"]
    return kept


def _unknown(key: str, table: str, known: tuple[str, ...]) -> str:
    plain = key.lower().replace("_", "-")
    cure = _TODAY.get(plain) or next(iter(get_close_matches(plain, known, 1, 0.7)), "")
    return f"unknown key {key} in [{table}]: " + (
        f"use {cure}" if cure else "move it to the [tool] table of the tool that reads it"
    )


# --------------------------------------------------------------------------- places
def _name(path: scan.Path) -> str:
    """Return a path as messages write it: ``project.authors[0].name``."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return "".join(parts).removeprefix(".")


def _locate(text: str, offsets: dict[str, int], key: str) -> tuple[int, int]:
    """Return the place of a key, or of the nearest table above it that is written."""
    while key and key not in offsets:
        key = key[: max(key.rfind("."), key.rfind("["), 0)]
    return scan.place(text, offsets.get(key, 0))
