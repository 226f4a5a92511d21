"""Say what is wrong with a ``pyproject.toml``: line, column and cure.

Invalid TOML first; then what parses but is no valid project file by the
packaging specifications (PEP 517/518, 621, 639, 735).
"""

import tomllib
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from audit.pyproject import project, scan, syntax
from audit.pyproject.order import BUILD_SYSTEM, PROJECT, TABLES
from audit.pyproject.problem import Problem, name

MAX_NESTING: Final = 100
_TOO_DEEP: Final = f"values are nested deeper than {MAX_NESTING} levels: flatten them"


def problems(text: str, folder: Path | None = None) -> tuple[Problem, ...]:
    """Return what makes a document no valid project file, in order of place.

    With a `folder`, the files that the document names (readme, licence files)
    must be there too; without, no other file is read.
    """
    try:
        data = tomllib.loads(text)
        places = tuple(scan.places(scan.statements(text)))
    except tomllib.TOMLDecodeError as error:
        return (syntax.invalid(text, str(error)),)
    except RecursionError:
        return (Problem(1, 1, _TOO_DEEP),)
    if deep := next((at for path, at in places if len(path) > MAX_NESTING), 0):
        return (Problem(*scan.place(text, deep), _TOO_DEEP),)
    offsets = {name(path): at for path, at in places}
    found: dict[tuple[int, int], str] = {}
    for key, says in _found(data, folder):
        found.setdefault(_locate(text, offsets, key), says)
    return tuple(sorted(Problem(*place, says) for place, says in found.items()))


def _found(data: dict[str, Any], folder: Path | None) -> project.Found:
    yield from _tables(data)
    yield from _build_system(data)
    yield from project.rules(data, folder)
    yield from _groups(data)


def _tables(data: dict[str, Any]) -> project.Found:
    known = (*TABLES, "tool")
    for key in data.keys() - known:
        plain = key.lower().replace("_", "-")
        if key in PROJECT:
            yield key, f"{key} stands outside [project]: move it there"
        elif near := get_close_matches(plain, known, 1, 0.85):
            yield key, f"unknown table [{key}]: did you mean [{near[0]}]?"
    if not isinstance(data.get("tool", {}), dict):
        yield "tool", "tool is no table: write [tool.NAME]"


def _build_system(data: dict[str, Any]) -> project.Found:
    table = data.get("build-system", {})
    if not isinstance(table, dict):
        yield "build-system", "build-system is no table: write [build-system]"
        return
    for key in table.keys() - set(BUILD_SYSTEM):
        yield f"build-system.{key}", project.unknown(key, "build-system", BUILD_SYSTEM)
    if "build-system" in data and "requires" not in table:
        yield "build-system", "[build-system] lacks requires: list what the build needs"
    yield from _requirements("build-system.requires", table.get("requires", []))
    if not isinstance(table.get("build-backend", ""), str):
        yield "build-system.build-backend", "build-backend is no text: put it in quotes"
    paths = table.get("backend-path", [])
    if not (isinstance(paths, list) and all(isinstance(one, str) for one in paths)):
        yield "build-system.backend-path", 'backend-path is no array of texts: write ["."]'


def _groups(data: dict[str, Any]) -> project.Found:
    groups = data.get("dependency-groups", {})
    if not isinstance(groups, dict):
        yield "dependency-groups", "dependency-groups is no table: write [dependency-groups]"
        return
    yield from project.names("dependency-groups", groups)
    includes = {str(canonicalize_name(one)): _included(groups[one]) for one in groups}
    for group, members in groups.items():
        key = f"dependency-groups.{group}"
        yield from _requirements(key, members)
        yield from _includes(key, members, includes)


def _included(members: object) -> list[str]:
    """Return the groups that a group includes, by their canonical names."""
    return [
        canonicalize_name(group)
        for one in (members if isinstance(members, list) else ())
        if isinstance(one, dict) and isinstance(group := one.get("include-group"), str)
    ]


def _includes(key: str, members: object, includes: dict[str, list[str]]) -> project.Found:
    """Yield tables of a group that include nothing, or that include the group itself."""
    own = canonicalize_name(key.rpartition(".")[2])
    for number, one in enumerate(members if isinstance(members, list) else ()):
        at = f"{key}[{number}]"
        match one:
            case {"include-group": str() as group, **rest} if not rest:
                wanted = canonicalize_name(group)
                if wanted not in includes:
                    yield at, f"no group {group}: name one of [dependency-groups]"
                elif own in _reached(wanted, includes):
                    yield at, f"{group} includes this group again: remove one of the two"
            case dict():
                yield at, 'only { include-group = "NAME" } may stand here: correct the key'


def _reached(start: str, includes: dict[str, list[str]]) -> set[str]:
    """Return a group and all that it includes, directly or not."""
    seen: set[str] = set()
    todo = [start]
    while todo:
        if (one := todo.pop()) not in seen:
            seen.add(one)
            todo += includes.get(one, [])
    return seen


def _requirements(key: str, lines: object) -> project.Found:
    """Yield what is no requirement; tables, which only groups may hold, are left to `_includes`."""
    if not isinstance(lines, list):
        yield key, f'{key} is no array: write ["name>=1"]'
        return
    for number, line in enumerate(lines):
        match line:
            case str():
                try:
                    Requirement(line)
                    continue
                except InvalidRequirement as error:
                    why = str(error).splitlines()[0]
            case dict() if key.startswith("dependency-groups."):
                continue
            case _:
                why = "no text"
        says = f"{line!r} is no requirement (PEP 508): {why}"
        yield f"{key}[{number}]", f'{says}: write it like "name>=1,<2"'


def _locate(text: str, offsets: dict[str, int], key: str) -> tuple[int, int]:
    """Return the place of a key, or of the nearest table above it that is written."""
    while key and key not in offsets:
        key = key[: max(key.rfind("."), key.rfind("["), 0)]
    return scan.place(text, offsets.get(key, 0))
