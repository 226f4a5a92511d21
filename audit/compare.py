"""Two matrices beside each other: what moved, and what shows it."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from audit.errors import AuditError
from audit.files import read_bytes
from audit.model import (
    COMPONENTS,
    MAX_EVIDENCE,
    SCHEMA_VERSION,
    Blame,
    CapabilityResult,
    Evidence,
    Matrix,
    PracticeResult,
    Value,
)
from audit.screen import wrap

How = Literal["disappeared", "unreachable", "untested", "undocumented", "misnamed"]


class Loss(Value, frozen=True):
    """Evidence that proves less than it did, as it stood before."""

    evidence: Evidence
    how: How
    """Gone; there, but dead code now; no longer reached from tests, or named by docs; named
    wrongly now."""


class Change(Value, frozen=True):
    """A practice whose status, or whose evidence, differs."""

    practice: str
    capability: str
    before: str
    after: str
    losses: tuple[Loss, ...]
    gained: tuple[Evidence, ...]
    blame: Blame | None = None

    @property
    def lost(self) -> bool:
        """Whether the practice was present and is not any more."""
        return self.before == "present" and self.after != "present"

    @property
    def weakened(self) -> bool:
        """Whether its evidence proves less, or new evidence has neither test nor page."""
        return bool(self.losses) or any(
            (one.code and not one.tested) or not one.documented for one in self.gained
        )


class Move(Value, frozen=True):
    """A capability whose score differs."""

    capability: str
    before: float
    after: float
    components: dict[str, tuple[float, float]]
    """Those that differ: component → before and after."""
    blame: Blame | None = None


class Comparison(Value, frozen=True):
    """What moved from one matrix to another."""

    before: str
    after: str
    mean_before: float
    mean_after: float
    moves: tuple[Move, ...]
    changes: tuple[Change, ...]


def compare(old: Matrix, new: Matrix) -> Comparison:
    """Return what differs; evidence is matched by fingerprint, never by file or line."""
    known = {one.id: one for one in old.capabilities}
    pairs = [(known[one.id], one) for one in new.capabilities if one.id in known]
    moves = tuple(_move(was, one) for was, one in pairs if abs(was.score - one.score) > 1e-6)
    changes = tuple(change for was, one in pairs for change in _changes(was, one))
    return Comparison(_label(old), _label(new), old.mean, new.mean, moves, changes)


def worse(moved: Comparison) -> Comparison:
    """Return what a comparison has of losses alone."""
    return msgspec.structs.replace(
        moved,
        moves=tuple(one for one in moved.moves if one.after < one.before),
        changes=tuple(one for one in moved.changes if one.lost or one.weakened),
    )


def _label(matrix: Matrix) -> str:
    name = matrix.source.revision[:12] or matrix.source.tree[:12]
    return f"{name} + changes" if matrix.source.dirty else name


def _move(was: CapabilityResult, one: CapabilityResult) -> Move:
    values = {
        name: (getattr(was.components, name), getattr(one.components, name)) for name in COMPONENTS
    }
    differ = {name: pair for name, pair in values.items() if abs(pair[0] - pair[1]) > 1e-6}
    return Move(one.id, was.score, one.score, differ)


def _changes(was: CapabilityResult, one: CapabilityResult) -> Iterator[Change]:
    known = {row.id: row for row in was.practices}
    for row in one.practices:
        if (before := known.get(row.id)) is not None:
            found = change(one.id, before, row)
            if before.status != row.status or found.losses or found.gained:
                yield found


def change(capability: str, was: PracticeResult, row: PracticeResult) -> Change:
    """Return how one practice differs.

    Where as many places are kept as there may be, one that is missing may have been
    pushed out by others: that is no loss, and one that is new no gain.
    """
    pairs, gone, new = _matched(_once(was.evidence), _once(row.evidence))
    losses = [loss for before, after in pairs for loss in _weaker(before, after)]
    if len(row.evidence) < MAX_EVIDENCE:
        losses += [Loss(one, "disappeared") for one in gone]
    gained = new if len(was.evidence) < MAX_EVIDENCE else ()
    return Change(row.id, capability, was.status, row.status, tuple(losses), tuple(gained))


Pairs = list[tuple[Evidence, Evidence]]
Evidences = Sequence[Evidence]


def _once(found: Evidences) -> Evidences:
    """Return one of the places that share a logical line: how many they are is layout."""
    return tuple({(one.path, one.fingerprint or one.line): one for one in found}.values())


def _matched(old: Evidences, new: Evidences) -> tuple[Pairs, Evidences, Evidences]:
    """Pair the evidence of two sides: by fingerprint, and what was edited in its place by
    symbol and meaning; return the pairs and what is left on each side."""
    pairs: Pairs = []
    for name in (lambda one: one.fingerprint, lambda one: (one.symbol, one.says)):
        there: dict[object, list[Evidence]] = {}
        for one in new:
            there.setdefault(name(one), []).append(one)
        left = []
        for one in old:
            if found := there.get(name(one)):
                pairs.append((one, found.pop(0)))
            else:
                left.append(one)
        old, new = left, [one for rest in there.values() for one in rest]
    return pairs, old, new


def _weaker(was: Evidence, one: Evidence) -> Iterator[Loss]:
    if was.rung != "declared" and one.rung == "declared":
        yield Loss(was, "unreachable")
    if was.tested and not one.tested:
        yield Loss(was, "untested")
    if was.documented and not one.documented:
        yield Loss(was, "misnamed" if one.misnamed else "undocumented")


def load(path: Path) -> Matrix:
    """Return a written matrix.

    Raises:
        AuditError: it cannot be read, is no capability matrix, or comes from a
            newer version.
    """
    try:
        content = read_bytes(path)
        version = msgspec.json.decode(content, type=dict).get("schema_version")
        if isinstance(version, int) and version > SCHEMA_VERSION:
            raise AuditError(
                f"{path}: schema version {version} is newer than this tool: upgrade it"
            )
        return msgspec.json.decode(content, type=Matrix)
    except OSError as error:
        raise AuditError(f"{path}: {(error.strerror or 'unreadable').lower()}") from None
    except msgspec.DecodeError as error:
        raise AuditError(f"{path}: no capability matrix: {error}") from None


SHOWN = 3
VISIBLE = 0.0005
"""By how much a score moves before its three digits show it."""
_HOW: dict[How, str] = {
    "disappeared": "",
    "unreachable": " (nothing public reaches it any more)",
    "untested": " (no test reaches it any more)",
    "undocumented": " (docs no longer name it)",
    "misnamed": " (docs are wrong about it)",
}


def text(found: Comparison) -> str:
    """Return a comparison as lines of a terminal; what no rounded score shows is counted."""
    lines = [
        f"{found.before} → {found.after}: mean {found.mean_before:.3f} → {found.mean_after:.3f}"
    ]
    seen = [one for one in found.moves if abs(one.after - one.before) >= VISIBLE]
    lines += [row for one in seen for row in _moved(one)]
    if few := len(found.moves) - len(seen):
        lines.append(f"  {few} score{'s'[: few > 1]} moved by less than {VISIBLE}")
    lines += [row for one in found.changes for row in _changed(one)]
    if not found.moves and not found.changes:
        lines.append("  nothing moved")
    return "\n".join(lines) + "\n"


def _moved(one: Move) -> Iterator[str]:
    pairs = {k: (f"{a:.2f}", f"{b:.2f}") for k, (a, b) in one.components.items()}
    parts = ", ".join(f"{k} {a} → {b}" for k, (a, b) in pairs.items() if a != b)
    difference = f"{one.before:.3f} → {one.after:.3f} ({one.after - one.before:+.3f})"
    yield from wrap(f"  {one.capability:<24} {difference}  {parts}".rstrip(), 27)
    yield from _by(one.blame)


def _changed(one: Change) -> Iterator[str]:
    status = f": {one.before} → {one.after}" if one.before != one.after else ""
    yield from wrap(f"  {one.practice}{status.replace('_', ' ')}", 4)
    yield from _by(one.blame)
    rows = [(f"- {loss(lost)}", lost.evidence.path) for lost in one.losses[:SHOWN]]
    rows += [(f"+ {e.path}:{e.line} {e.says}", e.path) for e in one.gained[:SHOWN]]
    for says, path in rows:
        yield from wrap(f"    {says}", 8, [path])


def _by(one: Blame | None) -> Iterator[str]:
    for row in blame(one):
        yield from wrap(f"    by {row}", 8, one.files if one else ())


def loss(one: Loss) -> str:
    """Return a loss as one line."""
    return f"{one.evidence.path}:{one.evidence.line} {one.evidence.says}{_HOW[one.how]}"


def blame(one: Blame | None) -> Iterator[str]:
    """Yield what made a change as one line, if it is known."""
    if one is not None:
        who = f"{one.commit[:12]} {one.subject}" if one.commit else one.subject
        only = " (which only the old revision has)" if one.undone else ""
        yield f"{who}{only}: {', '.join(one.files) or 'no file of this folder'}"
