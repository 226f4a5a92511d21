"""A side of a comparison: a revision of the repository, or a written matrix."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from audit import compare
from audit.compare import Comparison
from audit.errors import AuditError
from audit.history.attribution import Attribution, way
from audit.history.revisions import Revisions
from audit.model import Matrix
from audit.run.request import Request
from audit.source import git
from audit.source.git import Commit
from audit.store import NoStore, Store


class Side(msgspec.Struct, frozen=True):
    """A matrix and where it comes from."""

    matrix: Matrix
    commit: Commit | None = None
    """Nothing for a file of which the repository does not have the revision."""
    file: Path | None = None


def is_file(name: str) -> bool:
    """Tell whether a name means a written matrix, not a revision."""
    return name.endswith(".json") or Path(name).is_file()


def of_file(path: Path, revisions: Revisions | None) -> Side:
    """Return a written matrix, with its commit where the repository has it.

    Raises:
        AuditError: it cannot be read, or is no matrix of this version.
    """
    found = compare.load(path)
    revision, commit = found.source.revision, None
    if revisions is not None and revision and not found.source.dirty:
        try:
            (commit,) = git.log(revisions.root, "-1", revision)
        except AuditError:
            commit = None
    return Side(found, commit, path)


def of_revision(name: str, revisions: Revisions) -> Side:
    """Return a revision's matrix.

    Raises:
        SourceError: there is no such revision.
    """
    (commit,) = git.log(revisions.root, "-1", git.commit(revisions.root, name)[0])
    (matrix,) = revisions.matrices([commit])
    return Side(matrix, commit)


def one_repository(one: Side, other: Side) -> None:
    """Refuse to compare two repositories.

    Raises:
        AuditError: the names in the matrices differ.
    """
    names = one.matrix.source.root_name, other.matrix.source.root_name
    if names[0] != names[1]:
        file = next((f"{side.file}: " for side in (one, other) if side.file), "")
        raise AuditError(
            f"{file}{names[0]!r} beside {names[1]!r}: give two matrices of one repository"
        )


def difference(
    old: str, new: str, ask: Callable[[], Request], store: Store | NoStore
) -> Comparison:
    """Return what moved from one side to the other, attributed where both have commits.

    Two files need no repository; with one, their commits are looked up in it.

    Raises:
        AuditError: a side cannot be had, or they are of two repositories.
    """
    revisions: Revisions | None = None
    try:
        revisions = Revisions(ask(), store)
    except AuditError:
        if not (is_file(old) and is_file(new)):
            raise
    one, other = (
        of_file(Path(name), revisions) if revisions is None or is_file(name)
        else of_revision(name, revisions)
        for name in (old, new)
    )  # fmt: skip
    one_repository(one, other)
    moved = compare.compare(one.matrix, other.matrix)
    if revisions is None or one.commit is None or other.commit is None:
        return moved
    return Attribution(revisions, way(revisions, one.commit, other.commit)).explain(moved)
