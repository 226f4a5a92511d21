"""The gate against a base: a revision of the repository, or a written matrix."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import msgspec

from audit import compare, proof
from audit.compare import Comparison
from audit.config import Config
from audit.errors import AuditError
from audit.files import refuse_escape, replace
from audit.gate import policy
from audit.history import sides
from audit.history.attribution import Attribution, way
from audit.history.revisions import Revisions
from audit.history.sides import Side
from audit.model import Broken, Decision, Matrix, Outcome
from audit.run.request import Options, Request, build
from audit.source import git
from audit.store import NoStore, Store


class Wanted(msgspec.Struct, frozen=True):
    """How the gate is asked to decide."""

    today: date
    """Waivers end on their date as seen from this day."""
    base: str = ""
    """A revision or a file; where there is none, the configuration's ``baseline``."""
    strict: bool = False
    """A slack written matrix breaks the gate."""
    tighten: bool = False
    """A slack written matrix is written anew."""


def decide(
    outcome: Outcome, request: Request, wanted: Wanted, store: Store | NoStore, path: Path
) -> Decision:
    """Return the gate's decision about what was found at a path.

    A written matrix is tightened only if every rule holds: it never loosens.

    Raises:
        AuditError: the base cannot be had, or the policy is wrong.
    """
    practices = {one.id: one for one in request.catalogue.practices()}
    name = wanted.base or (str(path / request.config.baseline) if request.config.baseline else "")
    if not name:
        _needs_file(wanted, None)
        return policy.decide(outcome, request.config, practices, wanted.today)
    base, notes, revisions = _base(name, outcome.matrix, request, store)
    _needs_file(wanted, base.file)
    moved = _worse(base, outcome, request, revisions)
    decision = policy.decide(outcome, request.config, practices, wanted.today, moved)
    better = slack(base.matrix, outcome.matrix) if base.file is not None else ()
    broken = decision.broken
    if better and wanted.tighten and base.file is not None and decision.holds:
        _rewrite(base.file, outcome.matrix, path)
        notes = (*notes, f"{base.file}: tightened: {'; '.join(better)}")
    elif better:
        says = f"{name} is slack: {'; '.join(better)}"
        if wanted.strict:
            broken = (*broken, Broken("strict baseline", says, "`codex-audit gate --tighten`"))
        notes = (*notes, says)
    return msgspec.structs.replace(decision, broken=broken, notes=notes)


def _needs_file(wanted: Wanted, file: Path | None) -> None:
    if file is None and (wanted.strict or wanted.tighten):
        option = "--tighten" if wanted.tighten else "--strict-baseline"
        raise AuditError(f"{option}: there is no written matrix: give --base FILE, or set baseline")


def _base(
    name: str, head: Matrix, request: Request, store: Store | NoStore
) -> tuple[Side, tuple[str, ...], Revisions | None]:
    """Return the base, what is to be said of it, and the history around it."""
    if not sides.is_file(name):
        revisions = Revisions(request, store)
        return (*_revision(name, request, revisions), revisions)
    known = Revisions(request, store) if request.source.revision else None
    base = sides.of_file(Path(name), known)
    sides.one_repository(base, Side(head))
    notes = []
    if (base.matrix.catalogue_hash, base.matrix.tool) != (head.catalogue_hash, head.tool):
        notes.append(f"{name} was decided by other rules, those of {base.matrix.tool.version}")
    if base.matrix.config_hash != head.config_hash:
        notes.append(f"{name} was decided under another configuration")
    return base, tuple(notes), known


def _revision(name: str, request: Request, revisions: Revisions) -> tuple[Side, tuple[str, ...]]:
    """Return the commit at which a revision and this one parted: what others did since is no
    loss of this side."""
    given, _ = git.commit(revisions.root, name)
    parted = git.merge_base(revisions.root, given, request.source.revision)
    notes = list(_policy(parted, request, revisions.root))
    if parted != given:
        notes.append(f"{name} has gone on: compared with {parted[:12]}, where the two parted")
    return sides.of_revision(parted, revisions), tuple(notes)


def _policy(commit: str, request: Request, root: Path) -> Iterator[str]:
    """Say what the configuration allows that the base's own did not."""
    try:
        old = build(Options(root, commit, trust=True), NoStore()).config
    except AuditError as error:
        yield f"the base's own policy cannot be read: {error}"
        return
    for one in loosened(old, request.config):
        yield f"policy loosened since {commit[:12]}: {one}"


def loosened(old: Config, new: Config) -> Iterator[str]:
    """Yield what a configuration asks less of than an older one."""
    for name, bar in old.thresholds.items():
        if (now := new.thresholds.get(name, 0.0)) < bar:
            yield f"thresholds.{name} {bar:g} → {now:g}"
    yield from (
        f"{name} is not required any more" for name in old.required if name not in new.required
    )
    for name, reason in new.not_applicable.items():
        if name not in old.not_applicable:
            yield f"{name} is not applicable: {reason}"
    ends = {one.practice: one.expires for one in old.waivers}
    for waiver in new.waivers:
        if waiver.expires > ends.get(waiver.practice, ""):
            yield f"{waiver.practice} is waived until {waiver.expires}"
    for key in ("weights", "caps", "profile", "paths", "rules", "baseline"):
        if getattr(old, key) != getattr(new, key):
            yield f"{key} changed"


def _worse(
    base: Side, outcome: Outcome, request: Request, revisions: Revisions | None
) -> Comparison:
    """Return what is worse than the base, each loss with the commit that made it."""
    found = compare.worse(compare.compare(base.matrix, outcome.matrix))
    if base.commit is None or revisions is None:
        return found
    source = request.source
    (head,) = git.log(revisions.root, "-1", source.revision)
    tree = (outcome.matrix, source.entries) if source.dirty else None
    return Attribution(revisions, way(revisions, base.commit, head), tree).explain(found)


def slack(base: Matrix, head: Matrix) -> tuple[str, ...]:
    """Return in what a repository is better than its written matrix says."""
    found = compare.compare(base, head)
    rows = [
        f"{one.practice} is present"
        for one in found.changes
        if one.after == "present" and one.before != "present"
    ]
    rows += [
        f"{one.capability} rose from {one.before:.3f} to {one.after:.3f}"
        for one in found.moves
        if one.after > one.before + policy.FALL
    ]
    return tuple(rows)


def _rewrite(file: Path, head: Matrix, root: Path) -> None:
    """Write a matrix over a file, whole or not at all.

    Raises:
        AuditError: the file cannot be written, or a link takes it out of the repository at `root`.
    """
    try:
        refuse_escape(file.parent, root)
        replace(file, proof.encode(head))
    except OSError as error:
        raise AuditError(f"{file}: {(error.strerror or 'cannot be written').lower()}") from None
