"""The listing as a document (``docs/schemas/plugins.schema.json``) and as text."""

from __future__ import annotations

from codex_ml.plugins import resolve, settings
from codex_ml.plugins.builtin import BUILTIN
from codex_ml.plugins.groups import API_VERSION, check_group
from codex_ml.plugins.metadata import AVAILABLE, CONFLICT, installed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from codex_ml.plugins.check import Check
    from codex_ml.plugins.metadata import Entry, Problem

SCHEMA_VERSION = 1
CHECKED = (AVAILABLE, CONFLICT)
"""States of the entries that ``--check`` imports: the others are not to be used."""


def collect(group: str | None = None) -> tuple[list[Entry], list[Problem]]:
    """Return what the installation declares, of one group or of all, and what is wrong with it."""
    wanted = None if group is None else check_group(group)
    chosen = settings.read()
    declared, problems = installed()
    entries = resolve.resolve([*BUILTIN, *declared], (), chosen)
    problems += resolve.idle(entries, chosen)
    return [entry for entry in entries if wanted in (None, entry.group)], problems


def check_all(entries: Sequence[Entry], timeout: float) -> dict[Entry, Check]:
    """Import what is to be used, each entry in a process of its own; `timeout` in seconds."""
    from codex_ml.plugins.check import check

    usable = [entry for entry in entries if entry.state in CHECKED]
    return dict(zip(usable, check(usable, timeout), strict=True))


def names(entries: Iterable[Entry]) -> dict[str, list[str]]:
    """Return the available names of each group that has any."""
    found: dict[str, list[str]] = {}
    for entry in entries:
        if entry.state == AVAILABLE:
            found.setdefault(entry.group, []).append(entry.name)
    return found


def document(
    entries: Iterable[Entry], problems: Iterable[Problem], checks: dict[Entry, Check] | None
) -> dict[str, Any]:
    """Return the whole listing as plain values; without checks, each entry's is null."""
    return {
        "schema_version": SCHEMA_VERSION,
        "api_version": API_VERSION,
        "plugins": [
            entry._asdict() | {"check": _plain((checks or {}).get(entry))} for entry in entries
        ],
        "problems": [problem._asdict() for problem in problems],
    }


def _plain(check: Check | None) -> dict[str, Any] | None:
    return check._asdict() if check else None


def text(
    entries: Iterable[Entry], problems: Iterable[Problem], checks: dict[Entry, Check] | None
) -> str:
    """Return the whole listing as aligned columns, one line per entry."""
    rows = [("group", "name", "from", "target", "state")]
    for entry in entries:
        owner = f"{entry.owner} {entry.version or ''}".strip()
        state = _state(entry, (checks or {}).get(entry))
        rows.append((entry.group, entry.name, owner, entry.target, state))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    lines += [f"problem: {problem.where}: {problem.message}" for problem in problems]
    return "\n".join(lines)


def _state(entry: Entry, check: Check | None) -> str:
    state = f"{entry.state} {entry.detail or ''}".strip()
    if check is None:
        return state
    words = [check.outcome if entry.state == AVAILABLE else state]
    words += [check.error] if check.error else []
    words += [f"{check.seconds:.2f} s"] if check.seconds is not None else []
    words += [f"prints {check.output[:60]!r}"] if check.output else []
    return ", ".join(words)
