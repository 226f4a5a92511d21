"""What the packaging specifications allow in ``[project]`` (PEP 621, 639, 685)."""

import re
import warnings
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, TypeAlias

from packaging.licenses import InvalidLicenseExpression
from packaging.utils import InvalidName, canonicalize_name
from pyproject_metadata import StandardMetadata

from audit.pyproject import spelling
from audit.pyproject.order import PROJECT

Found: TypeAlias = Iterator[tuple[str, str]]
"""The key that is wrong, as `problem.name` writes it, and what is wrong with it."""

_FUNCTION: Final = re.compile(
    r"[^\W\d]\w*(\.[^\W\d]\w*)*\s*:\s*[^\W\d]\w*(\.[^\W\d]\w*)*(\s*\[.*\])?"
)
_GLOB: Final = re.compile(r"(?!/)(?:[\w .*?/-]|\[[\w.-]+\])+")  # PEP 639, and spaces
_WHY: Final = re.compile(r" \(InvalidRequirement\(.(.*?)\\n.*\)\)$")
_NAMED: Final = re.compile(r'"(?:project\.)?([\w.-]+)"')
# Part of what the metadata library says -> the cure: the first that fits.
_CURES: Final = (
    ("PEP 440 version", "write it like 1.2.3"),
    ("Python version specifier", 'write it like ">=3.11"'),
    ("PEP 508 requirement", 'write it like "name>=1,<2"'),
    ("declared as dynamic", "remove it from dynamic or from [project]"),
    ("expected one of", "remove it"),
    ("not found", "add the file or correct its path"),
    ("must match at least one file", "add the file or correct the pattern"),
    ("must not be used when", "give license as an SPDX expression, or remove license-files"),
    ("infer content type", 'write { file = "README.txt", content-type = "text/plain" }'),
    ("is required", "add it"),
    ("missing required key", "add it"),
    ("submodules are present", "add it there, or to import-names"),
    ("missing", "add it, or list it in dynamic"),
    ("exactly one of", "give one of the two"),
    ("at least one of", "give one of the two"),
    ("unexpected keys", "remove them"),
    ("expecting str", "write one text in quotes"),
    ("expecting list", "write an array: [ ... ]"),
    ("expecting dict", "write a table: { key = ... }"),
    ("Table (got", "write a table: { key = ... }"),
    ("does not match any of", "write one text in quotes"),
    ("invalid key", "rename it"),
    ("32 characters", "shorten the name"),
    ("identifier", "write it like package.module"),
)  # fmt: skip
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


def rules(data: dict[str, Any], folder: Path | None) -> Found:
    """Yield what is wrong with a document's [project], the most telling first.

    With a `folder`, the files that it names must be there too.
    """
    project = data.get("project")
    if isinstance(project, dict):
        for rule in (_misplaced, _licence, _globs, _summary, _dynamic, _commands, _extras):
            yield from rule(project)
    if project is not None:
        yield from _metadata(data, folder)


def unknown(key: str, table: str, known: tuple[str, ...]) -> str:
    """Say where a key that a table does not know belongs."""
    plain = key.lower().replace("_", "-")
    cure = _TODAY.get(plain) or next(iter(get_close_matches(plain, known, 1, 0.7)), "")
    return f"unknown key {key} in [{table}]: " + (
        f"use {cure}" if cure else "move it to the [tool] table of the tool that reads it"
    )


def names(key: str, given: dict[str, Any]) -> Found:
    """Yield the names of extras or groups that are none, or the same as another (PEP 685, 735)."""
    seen: dict[str, str] = {}
    for one in given:
        try:
            plain = canonicalize_name(one, validate=True)
        except InvalidName:
            yield (
                f"{key}.{one}",
                f"{one!r} is no name: use letters, digits and single . _ - between",
            )
            continue
        if plain in seen:
            yield f"{key}.{one}", f"{one} and {seen[plain]} are the same name: merge the two"
        seen.setdefault(plain, one)


def _misplaced(project: dict[str, Any]) -> Found:
    """Yield unknown keys, and keys that a table header above them has swallowed."""
    for key in project.keys() - set(PROJECT):
        yield f"project.{key}", unknown(key, "project", PROJECT)
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


def _licence(project: dict[str, Any]) -> Found:
    expression = project.get("license")
    if isinstance(expression, str):
        try:
            spelling.licence(expression)
        except InvalidLicenseExpression as error:
            yield "project.license", f'{error}: give an SPDX expression such as "MIT"'


def _globs(project: dict[str, Any]) -> Found:
    globs = project.get("license-files")
    for number, one in enumerate(globs if isinstance(globs, list) else ()):
        if isinstance(one, str) and not (_GLOB.fullmatch(one) and ".." not in one.split("/")):
            cure = "name files below the project's folder, with / and * ? [a-z] only"
            yield f"project.license-files[{number}]", f"{one!r} is no pattern of files: {cure}"


def _summary(project: dict[str, Any]) -> Found:
    if "\n" in str(project.get("description", "")):
        yield "project.description", "description has more than one line: shorten it to one"


def _dynamic(project: dict[str, Any]) -> Found:
    if not isinstance(project.get("dynamic", []), list):
        yield "project.dynamic", 'dynamic is no array: write ["version"]'


def _commands(project: dict[str, Any]) -> Found:
    """Yield commands that name no function, and groups that have a table of their own."""
    for name in ("scripts", "gui-scripts"):
        table = project.get(name)
        for key, value in table.items() if isinstance(table, dict) else ():
            if isinstance(value, str) and not _FUNCTION.fullmatch(value):
                yield (
                    f"project.{name}.{key}",
                    f"{value!r} names no function: write it like package.module:main",
                )
    groups = project.get("entry-points")
    for group, name in (("console_scripts", "scripts"), ("gui_scripts", "gui-scripts")):
        if isinstance(groups, dict) and group in groups:
            says = f"{group} is no group here: move it to [project.{name}]"
            yield f"project.entry-points.{group}", says


def _extras(project: dict[str, Any]) -> Found:
    extras = project.get("optional-dependencies")
    if isinstance(extras, dict):
        yield from names("project.optional-dependencies", extras)


# --------------------------------------------------------------- by the metadata library
def _metadata(data: dict[str, Any], folder: Path | None) -> Found:
    if isinstance(data["project"], dict):
        data = {**data, "project": _judged(data["project"], files=bool(folder))}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            StandardMetadata.from_pyproject(
                data, folder or Path(), all_errors=True, allow_extra_keys=True
            )
    except ExceptionGroup as group:
        for error in group.exceptions:
            says = _WHY.sub(r": \1", " ".join(str(error).split()))
            named = _NAMED.search(says)
            key = getattr(error, "key", None) or (named[1] if named else "project")
            key = f"project.{key}" if key in PROJECT else key
            cure = next((cure for part, cure in _CURES if part in says), "see PEP 621")
            yield key, f"{says}: {cure}"


def _judged(project: dict[str, Any], *, files: bool) -> dict[str, Any]:
    """Return [project] without what the library may not, or cannot, judge.

    Licence classifiers may, but need not, be refused (PEP 639); without `files`
    no file that the project names is read.
    """
    kept = dict(project)
    match kept.get("classifiers"):
        case [*rows]:
            kept["classifiers"] = [row for row in rows if not str(row).startswith("License ::")]
    if not isinstance(kept.get("dynamic", []), list):
        del kept["dynamic"]
    return kept if files else _without_files(kept)


def _without_files(project: dict[str, Any]) -> dict[str, Any]:
    """Return [project] with each file that it names replaced by a text."""
    kept = dict(project)
    match kept.get("readme"):
        case str() as name if name.endswith((".md", ".rst")):
            del kept["readme"]
        case {"file": str(), **rest} if "text" not in rest:
            kept["readme"] = {"text": "-", **rest}
    match kept.get("license"):
        case {"file": str(), **rest} if not rest:
            kept["license"] = {"text": "-"}
    match kept.get("license-files"):
        case [*globs] if all(isinstance(one, str) for one in globs):  # `_globs` judges them
            kept["license-files"] = []
    return kept
