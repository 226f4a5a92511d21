"""Scores over commits: from Git objects, no checkout, every change with its commit."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Final

import msgspec

from audit.compare import Comparison, compare
from audit.errors import SourceError
from audit.history import attribution
from audit.history.revisions import Revisions
from audit.model import SCHEMA_VERSION, TOOL, Matrix, Tool, Value
from audit.run.request import Request
from audit.source import git
from audit.source.git import Commit
from audit.store import NoStore, Store

_READERS: Final = 4


class Span(Value, frozen=True):
    """Which commits: the last so many, or all since a revision, which is the first of them."""

    last: int = 20
    since: str = ""


class Point(Value, frozen=True):
    """A commit with its scores, and what it changed."""

    commit: str
    """Its id."""
    time: str
    """When it was committed, in UTC, ISO 8601."""
    subject: str
    """The first line of its message."""
    mean: float
    """Of the scores of the applicable capabilities."""
    minimum: float
    """The lowest of them."""
    scores: dict[str, float | None]
    """By capability; nothing where it is not applicable."""
    present: int
    """Practices that are present."""
    moved: tuple[tuple[str, float, float], ...] = ()
    """Capability, score before and after."""
    gained: tuple[str, ...] = ()
    """Practices that became present."""
    lost: tuple[str, ...] = ()
    """Practices that are no longer present."""
    files: tuple[str, ...] = ()
    """What it did to which of the files that hold the evidence, where something moved."""


class History(Value, frozen=True):
    """The scores of a row of commits, the oldest first, all under one configuration."""

    schema_version: int
    """Rises when a key goes or changes its meaning."""
    tool: Tool
    """Who wrote it."""
    root_name: str
    """The name of the repository's folder."""
    config_hash: str
    """SHA-256 over the configuration that all commits were audited with."""
    catalogue_hash: str
    """SHA-256 over the definitions of the practices."""
    points: tuple[Point, ...]
    """One for each commit, the oldest first."""


def history(
    request: Request, span: Span, store: Store | NoStore, progress: Callable[[str], object] = str
) -> History:
    """Return the scores along the first parents of a request's revision.

    Raises:
        SourceError: there are no commits, or no such revision.
    """
    revisions = Revisions(request, store, progress)
    commits = _commits(revisions, request.source.revision, span)
    matrices = revisions.matrices(commits)
    pairs = zip(commits, matrices, commits[1:], matrices[1:], strict=False)
    with ThreadPoolExecutor(_READERS) as readers:
        later = readers.map(lambda pair: _moved(revisions, *pair), pairs)
        points = (_point(commits[0], matrices[0]), *later)
    return History(
        SCHEMA_VERSION,
        TOOL,
        request.name,
        request.config.digest(),
        request.catalogue.digest(),
        points,
    )


def _commits(revisions: Revisions, head: str, span: Span) -> Sequence[Commit]:
    root = revisions.root
    if not span.since:
        return git.log(root, "--first-parent", "-n", str(span.last), head)[::-1]
    since, _ = git.commit(root, span.since)
    if git.merge_base(root, since, head) != since:
        raise SourceError(f"--since {span.since}: not among the commits before {head[:12]}")
    start = git.log(root, "-1", since)
    return (*start, *git.log(root, "--first-parent", "--reverse", f"{since}..{head}"))


def _point(commit: Commit, matrix: Matrix) -> Point:
    return Point(
        commit.id,
        datetime.fromtimestamp(commit.time, UTC).isoformat().replace("+00:00", "Z"),
        commit.subject,
        matrix.mean,
        matrix.minimum,
        {
            one.id: None if one.status == "not_applicable" else one.score
            for one in matrix.capabilities
        },
        sum(row.status == "present" for one in matrix.capabilities for row in one.practices),
    )


def _moved(
    revisions: Revisions, before: Commit, was: Matrix, commit: Commit, matrix: Matrix
) -> Point:
    point = _point(commit, matrix)
    if _same(was, matrix):
        return point
    found = compare(was, matrix)
    return msgspec.structs.replace(
        point,
        moved=tuple((one.capability, one.before, one.after) for one in found.moves),
        gained=tuple(_turned(found, present=True)),
        lost=tuple(_turned(found, present=False)),
        files=attribution.files(revisions.root, before, commit, found),
    )


def _same(was: Matrix, matrix: Matrix) -> bool:
    """Tell whether no score and no status differs."""
    return _decided(was) == _decided(matrix)


def _decided(matrix: Matrix) -> list[object]:
    return [(one.score, *(row.status for row in one.practices)) for one in matrix.capabilities]


def _turned(found: Comparison, *, present: bool) -> Iterator[str]:
    for one in found.changes:
        end = one.after if present else one.before
        if one.before != one.after and end == "present":
            yield one.practice
