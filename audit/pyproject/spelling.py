"""The canonical spelling of requirements (PEP 503, 508) and licences (PEP 639)."""

from collections.abc import Iterator
from typing import Any, Final

import tomlkit
from packaging.licenses import canonicalize_license_expression
from packaging.requirements import Requirement
from packaging.specifiers import Specifier
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from audit.pyproject.scan import Names, Value, read, statements

ANY: Final = "*"
REQUIREMENTS: Final = (
    ("build-system", "requires"),
    ("project", "dependencies"),
    ("project", "optional-dependencies", ANY),
    ("dependency-groups", ANY),
)
LICENSE: Final = ("project", "license")


def values(text: str) -> Iterator[tuple[Names, Value]]:
    """Yield the path and place of every key's value, those of inline tables too."""
    for one in statements(text):
        if one.value is not None:
            yield from _nested(one.path, one.value)


def _nested(path: Names, value: Value) -> Iterator[tuple[Names, Value]]:
    yield path, value
    if value.kind == "table":
        for item in value.items:
            yield from _nested(path + item.key, item.value)


def matches(path: Names, pattern: Names) -> bool:
    """Say whether a key is meant by a pattern, in which `ANY` stands for one name."""
    return len(path) == len(pattern) and all(
        b in (a, ANY) for a, b in zip(path, pattern, strict=True)
    )


def requirement_arrays(text: str) -> list[Value]:
    """Return the arrays of requirements of a document."""
    return [
        value
        for path, value in values(text)
        if value.kind == "array" and any(matches(path, pattern) for pattern in REQUIREMENTS)
    ]


def respell(text: str) -> str:
    """Return the document with requirements and licence in canonical spelling."""
    edits = [
        (item.value, requirement(read(_source(text, item.value)), _quote(text, item.value)))
        for array in requirement_arrays(text)
        for item in array.items
        if item.value.kind == "string"
    ]
    for path, value in values(text):
        if path == LICENSE and value.kind == "string":
            edits.append((value, licence(read(_source(text, value)))))
    for value, new in sorted(edits, key=lambda edit: edit[0].start, reverse=True):
        text = text[: value.start] + written(new, _source(text, value)) + text[value.end :]
    return text


def requirement(line: str, quote: str = '"') -> str:
    """Return a requirement in canonical spelling.

    Name as PEP 503 normalises it, extras sorted, specifiers by version with the
    lower bound first, one space around a marker's operators and after its
    semicolon; versions, URL, extras and the marker's values stay as written.
    Inside a TOML string with `quote`, markers use the other quote.

    Raises:
        InvalidRequirement: the line is no requirement (PEP 508).
    """
    one = Requirement(line)
    extras = f"[{','.join(sorted(one.extras))}]" if one.extras else ""
    wanted = f" @ {one.url}" if one.url else ",".join(sorted(map(str, one.specifier), key=_bound))
    marker = str(one.marker) if one.marker else ""
    if quote == '"' and "'" not in marker:
        marker = marker.replace('"', "'")
    gap = " " if one.url else ""  # without it the semicolon would be part of the URL
    return f"{canonicalize_name(one.name)}{extras}{wanted}" + (f"{gap}; {marker}" if marker else "")


def _bound(written_: str) -> tuple[Any, ...]:
    specifier = Specifier(written_)
    rank = ("===", "==", "~=", ">=", ">", "!=", "<=", "<").index(specifier.operator)
    try:
        return 0, Version(specifier.version.removesuffix(".*")), rank, written_
    except InvalidVersion:  # === compares any text
        return 1, specifier.version, rank, written_


def licence(expression: str) -> str:
    """Return an SPDX licence expression in canonical case and spacing.

    Raises:
        InvalidLicenseExpression: the text is no licence expression (PEP 639).
    """
    return str(canonicalize_license_expression(expression))


def requirement_rank(text: str, value: Value) -> tuple[str, ...]:
    """Return what an array of requirements is sorted by: included groups, then names."""
    if value.kind != "string":
        return "", _source(text, value)
    one = Requirement(read(_source(text, value)))
    return canonicalize_name(one.name), ",".join(sorted(one.extras)), requirement(str(one))


def written(value: str, old: str) -> str:
    """Return a string as TOML in the quotes of another.

    Unchanged if those quotes cannot hold it, or it was laid out over several lines.
    """
    if read(old) == value or "\n" in old:
        return old
    try:
        new = tomlkit.string(
            value, literal=old[0] == "'", multiline=old[:3] in ('"""', "'''")
        ).as_string()
    except ValueError:  # a literal string has no escapes
        return old
    return new


def _source(text: str, value: Value) -> str:
    return text[value.start : value.end]


def _quote(text: str, value: Value) -> str:
    return text[value.start]
