"""Who owns each plugin name: a pure function of the claims and the settings."""

from __future__ import annotations

from codex_ml.plugins.metadata import CONFLICT, DISABLED, OVERRIDDEN, Entry, Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from codex_ml.plugins.settings import Settings


def resolve(
    claims: Iterable[Entry], winners: Iterable[Entry], settings: Settings
) -> tuple[Entry, ...]:
    """Decide every claim, sorted by group, name and owner.

    Args:
        claims: what distributions and code declare, on equal terms.
        winners: what code registered with ``override=True``.
        settings: what the user disables and overrides; beats everything else.

    """
    by_key: dict[tuple[str, str], list[Entry]] = {}
    for claim in claims:
        by_key.setdefault((claim.group, claim.name), []).append(claim)
    overrides = {(row.group, row.name): row for row in (*winners, *settings.overrides)}
    entries: list[Entry] = []
    for key in by_key.keys() | overrides.keys():
        entries += _decide(by_key.get(key, []), overrides.get(key), settings)
    return tuple(sorted(entries, key=lambda entry: entry[:4]))


def _decide(claims: list[Entry], winner: Entry | None, settings: Settings) -> list[Entry]:
    first = winner or claims[0]
    if by := settings.disabled_by(first.group, first.name):
        rows = [*claims, winner] if winner else claims
        return [row._replace(state=DISABLED, detail=f"by {by}") for row in rows]
    if winner:
        by = f"by {winner.owner} ({winner.target})"
        losers = [row for row in claims if row.target != winner.target]
        return [winner, *(row._replace(state=OVERRIDDEN, detail=by) for row in losers)]
    if len(claims) == 1:
        return claims
    owners = " and ".join(f"{row.owner} ({row.target})" for row in sorted(claims))
    return [row._replace(state=CONFLICT, detail=f"declared by {owners}") for row in claims]


def idle(entries: Iterable[Entry], settings: Settings) -> list[Problem]:
    """Name the settings that disable nothing: most likely misspelt."""
    known = {(e.group, e.name) for e in entries} | {(e.group, "*") for e in entries}
    return [
        Problem(owner, f"disables {group}.{name}, which nobody declares")
        for group, name, owner in settings.disabled
        if (group, name) not in known
    ]
