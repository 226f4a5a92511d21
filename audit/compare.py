"""Two matrices beside each other: what moved, and what shows it."""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from audit.errors import AuditError
from audit.model import SCHEMA_VERSION, Evidence, Matrix, PracticeResult


class Change(msgspec.Struct, frozen=True):
    """A practice whose status differs."""

    practice: str
    capability: str
    before: str
    after: str
    evidence: tuple[Evidence, ...]
    """The places that disappeared, or appeared."""

    @property
    def lost(self) -> bool:
        """Whether the practice was present and is not any more."""
        return self.before == "present" and self.after != "present"


class Move(msgspec.Struct, frozen=True):
    """A capability whose score differs."""

    capability: str
    before: float
    after: float


class Comparison(msgspec.Struct, frozen=True):
    """What moved from one matrix to another."""

    before: str
    after: str
    mean_before: float
    mean_after: float
    moves: tuple[Move, ...]
    changes: tuple[Change, ...]


def compare(old: Matrix, new: Matrix) -> Comparison:
    """Return what differs; practices are matched by id, never by line."""
    scores = {one.id: one.score for one in old.capabilities}
    moves = tuple(
        Move(one.id, scores[one.id], one.score)
        for one in new.capabilities
        if one.id in scores and abs(scores[one.id] - one.score) > 1e-6
    )
    return Comparison(
        _label(old), _label(new), old.mean, new.mean, moves, tuple(_changes(old, new))
    )


def _label(matrix: Matrix) -> str:
    return matrix.source.revision[:12] or matrix.source.tree[:12]


def _changes(old: Matrix, new: Matrix) -> Iterator[Change]:
    known = {row.id: row for one in old.capabilities for row in one.practices}
    for one in new.capabilities:
        for row in one.practices:
            was = known.get(row.id)
            if was is not None and was.status != row.status:
                yield Change(row.id, one.id, was.status, row.status, _shown(was, row))


def _shown(was: PracticeResult, row: PracticeResult) -> tuple[Evidence, ...]:
    return was.evidence if was.status == "present" else row.evidence


def load(path: Path) -> Matrix:
    """Return a written matrix.

    Raises:
        AuditError: it cannot be read, is no capability matrix, or comes from a
            newer version.
    """
    try:
        content = path.read_bytes()
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


def text(found: Comparison) -> str:
    """Return a comparison as plain text."""
    lines = [
        f"{found.before} → {found.after}: mean {found.mean_before:.3f} → {found.mean_after:.3f}"
    ]
    lines += [
        f"  {one.capability:<24} {one.before:.3f} → {one.after:.3f} ({one.after - one.before:+.3f})"
        for one in found.moves
    ]
    for change in found.changes:
        lines.append(f"  {change.practice}: {change.before} → {change.after}")
        sign = "-" if change.lost else "+"
        lines += [f"    {sign} {e.path}:{e.line} {e.says}" for e in change.evidence[:3]]
    if not found.moves and not found.changes:
        lines.append("  nothing moved")
    return "\n".join(lines) + "\n"
