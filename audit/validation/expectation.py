"""The grammar of expectations: clauses between semicolons.

A clause *looks structured* if it begins with ``exit``, ``stdout``, ``stderr`` or ``valid``,
if it is one word and a number, or if its second word is ``empty``, ``contains`` or
``matches``. An expectation with a clause that looks structured, or that the grammar knows,
is structured as a whole, and each of its clauses must be known. Any other is free text.
"""

import re
from typing import NamedTuple

from audit.errors import AuditError
from audit.validation.model import Clause, Kind


class Form(NamedTuple):
    """A kind of clause, and how it is written."""

    words: str
    kind: Kind
    pattern: re.Pattern[str]
    meaning: str


def _form(words: str, kind: Kind, pattern: str, meaning: str) -> Form:
    return Form(words, kind, re.compile(pattern, re.IGNORECASE | re.DOTALL), meaning)


GRAMMAR = (
    _form("exit N", "exit", r"exit\s+(?P<value>\d{1,3})", "the exit code is N"),
    _form("no regressions", "exit", r"no\s+regressions", "the exit code is 0"),
    _form(
        "stdout empty", "empty", r"(?P<stream>std(?:out|err))\s+empty",
        "nothing was written there; also `stderr empty`",
    ),
    _form(
        "stdout contains TEXT", "contains",
        r"(?P<stream>std(?:out|err))\s+contains\s+(?P<value>.+)",
        "TEXT, in backticks or quotes if it holds `;`, was written; also `stderr contains TEXT`",
    ),
    _form(
        "stdout matches schema FILE", "schema", r"stdout\s+matches\s+schema\s+(?P<value>.+)",
        "standard output is JSON that the JSON Schema in FILE, seen from the repository, accepts",
    ),
    _form("valid JSON", "json", r"valid\s+JSON", "standard output is one JSON document"),
)  # fmt: skip

_SEMICOLON = re.compile(r""";(?=(?:[^`"]|`[^`]*`|"[^"]*")*$)""")
_STRUCTURED = re.compile(
    r"(?:exit|stdout|stderr|valid)\b|\S+\s+-?\d+$|\S+\s+(?:empty|contains|matches)\b", re.IGNORECASE
)
_QUOTED = re.compile(r'`([^`]+)`|"([^"]+)"')


def clauses(expected: str) -> tuple[Clause, ...]:
    """Return the clauses of an expectation; none for free text.

    Raises:
        AuditError: it looks structured, and one of its clauses is unknown.
    """
    words = [_unquoted(part) for one in _SEMICOLON.split(expected) if (part := one.strip())]
    found = [_clause(one) for one in words]
    if not any(found) and not any(_STRUCTURED.match(one) for one in words):
        return ()
    for one, clause in zip(words, found, strict=True):
        if clause is None:
            known = ", ".join(form.words for form in GRAMMAR)
            raise AuditError(f"unknown expectation {one!r}: known are {known}")
    return tuple(one for one in found if one is not None)


def _clause(words: str) -> Clause | None:
    for form in GRAMMAR:
        if (match := form.pattern.fullmatch(words)) is not None:
            found = match.groupdict()
            value = _unquoted(found.get("value", "0" if form.kind == "exit" else ""))
            to_error = found.get("stream", "").lower() == "stderr"
            return Clause(form.kind, value, "stderr" if to_error else "stdout")
    return None


def _unquoted(words: str) -> str:
    found = _QUOTED.fullmatch(words)
    return found[1] or found[2] if found is not None else words
