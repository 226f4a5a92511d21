"""Bring a document to its canonical form without changing what it means."""

import tomllib
from functools import partial
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from audit.pyproject import order, spelling


def canonical(text: str) -> str:
    """Return a valid document in its canonical form.

    Comments, blank lines and quotes stay. Applied twice it changes nothing.

    Raises:
        RuntimeError: the result would not mean the same: a defect of this
            module, raised so that no file is ever written from it.
    """
    changed = order.keys(order.tables(spelling.respell(text)))
    for array in spelling.requirement_arrays(changed):  # sorting one moves no other
        changed = order.elements(changed, array, partial(spelling.requirement_rank, changed))
    if meaning(changed) != meaning(text):
        raise RuntimeError("the canonical form would not mean the same; nothing was written")
    return changed


def meaning(text: str) -> dict[str, Any]:
    """Return the data of a document with what the canonical form may change taken out."""
    data = tomllib.loads(text, parse_float=str)
    spelt: dict[str, Any] = _meant((), data)
    return spelt


def _meant(path: tuple[str, ...], value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _meant((*path, key), inner) for key, inner in value.items()}
    if isinstance(value, list) and any(
        spelling.matches(path, pattern) for pattern in spelling.REQUIREMENTS
    ):
        return sorted(map(_parts, value))
    if path == spelling.LICENSE and isinstance(value, str):
        return spelling.licence(value)
    return value


def _parts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, str):
        return ("", repr(value))
    one = Requirement(value)
    return (
        canonicalize_name(one.name), *sorted(one.extras), str(one.specifier), str(one.url),
        str(one.marker),
    )  # fmt: skip
