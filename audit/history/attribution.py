"""Which commit made a change: a search between two revisions, in Git objects alone.

The way from one revision to another is a row of states; between neighbours lies one
commit. A change is found as `git bisect` finds a defect, all changes side by side, so
that a commit is audited once. Inside a merge the search goes on among the merged commits.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final, TypeAlias

import msgspec

from audit.compare import Change, Comparison, Move, change, compare
from audit.history.revisions import Revisions
from audit.model import Blame, Matrix, PracticeResult
from audit.source import git
from audit.source.git import Commit
from audit.source.trees import Entry, Revision

UNCOMMITTED: Final = Commit("", "", 0, (), "uncommitted changes")
FILES: Final = 5
"""Files of a commit that are named where none of them held the evidence."""
_DEPTH: Final = 3  # merges inside merges that are searched
_WORDS: Final = {"D": "deleted", "A": "added", "M": "changed", "T": "changed"}

Goes: TypeAlias = Callable[[Matrix], bool]
"""Tells of a state whether the change has been made; false for the first, true for the last."""


class State(msgspec.Struct, frozen=True):
    """A stop on the way, and the commit that leads to it from the one before."""

    commit: Commit
    by: Commit
    undone: bool = False
    """The way goes back here: the commit is left behind."""


def way(revisions: Revisions, old: Commit, new: Commit) -> tuple[State, ...]:
    """Return the states from one commit to another, both included.

    Raises:
        SourceError: they share no history.
    """
    root = revisions.root
    base = git.merge_base(root, old.id, new.id)
    back = git.log(root, "--first-parent", f"{base}..{old.id}")
    forth = git.log(root, "--first-parent", "--reverse", f"{base}..{new.id}")
    stops = [*back[1:], *(git.log(root, "-1", base) if back else ())]
    left = list(back)
    if forth and forth[0].parents[:1] != (base,):  # a branch that merged the base's commits
        stops += git.log(root, "-1", forth[0].parents[0])
        left += git.log(root, "-1", base)
    states = [State(stop, by, undone=True) for by, stop in zip(left, stops, strict=True)]
    return (State(old, old), *states, *(State(one, one) for one in forth))


class Attribution:
    """Finds commits on the way between two revisions."""

    def __init__(
        self,
        revisions: Revisions,
        states: Sequence[State],
        tree: tuple[Matrix, Sequence[Entry]] | None = None,
    ) -> None:
        """`tree` is the matrix and the files of a working tree with uncommitted changes."""
        self._revisions = revisions
        self._states = (*states, State(UNCOMMITTED, UNCOMMITTED)) if tree else tuple(states)
        self._tree = tree

    def explain(self, moved: Comparison) -> Comparison:
        """Return a comparison of the ends of the way, each change with its commit."""
        first = self._matrices([self._states[0].commit])[self._states[0].commit.id]
        questions = [
            *map(_of_move, moved.moves),
            *(_of_change(first, one) for one in moved.changes),
        ]
        names = [*(one.capability for one in moved.moves), *(one.practice for one in moved.changes)]
        ends = self._matrices(one.commit for one in (self._states[0], self._states[-1]))
        last = ends[self._states[-1].commit.id]
        # A written matrix may say other things than an audit of its commit by this version.
        sound = [not goes(first) and goes(last) for goes in questions]
        asked = [goes for goes, one in zip(questions, sound, strict=True) if one]
        pairs = iter(self._search(self._states, asked))
        found = [
            self._blame(next(pairs), name) if one else None
            for name, one in zip(names, sound, strict=True)
        ]
        replace, count = msgspec.structs.replace, len(moved.moves)
        return replace(
            moved,
            moves=tuple(replace(o, blame=b) for o, b in zip(moved.moves, found, strict=False)),
            changes=tuple(
                replace(o, blame=b) for o, b in zip(moved.changes, found[count:], strict=True)
            ),
        )

    def _matrices(self, commits: Iterable[Commit]) -> dict[str, Matrix]:
        wanted = {one.id: one for one in commits if one.id}
        found = self._revisions.matrices(list(wanted.values()))
        known = dict(zip(wanted, found, strict=True))
        return known | ({"": self._tree[0]} if self._tree else {})

    def _search(
        self, states: Sequence[State], questions: Sequence[Goes], depth: int = _DEPTH
    ) -> list[tuple[State, State]]:
        """Return, for every question, the neighbours between which the answer turns true."""
        last = len(states) - 1
        low, high, step = [-1] * len(questions), [last] * len(questions), 1
        # From the end in growing steps: what was made twice, was made the last time.
        while open_ := [k for k, place in enumerate(low) if place < 0]:
            place = max(last - step, 0)
            found = self._matrices([states[place].commit])
            for k in open_:
                true = place > 0 and questions[k](found[states[place].commit.id])
                (high if true else low)[k] = place
            step *= 2
        while open_ := [k for k in range(len(questions)) if high[k] - low[k] > 1]:
            middle = {k: (low[k] + high[k]) // 2 for k in open_}
            found = self._matrices(states[place].commit for place in middle.values())
            for k, place in middle.items():
                (high if questions[k](found[states[place].commit.id]) else low)[k] = place
        pairs = [(states[a], states[b]) for a, b in zip(low, high, strict=True)]
        return [
            self._inside(*pair, goes, depth) for pair, goes in zip(pairs, questions, strict=True)
        ]

    def _inside(self, before: State, after: State, goes: Goes, depth: int) -> tuple[State, State]:
        """Go on among the commits that a merge brought, if the change came with them."""
        if depth == 0 or after.undone or len(after.by.parents) < 2:
            return before, after
        (side,) = git.log(self._revisions.root, "-1", after.by.parents[1])
        states = way(self._revisions, before.commit, side)
        start = max(place for place, one in enumerate(states) if one.undone or place == 0)
        ends = self._matrices((states[start].commit, side))
        if (
            start == len(states) - 1
            or goes(ends[states[start].commit.id])
            or not goes(ends[side.id])
        ):
            return before, after
        return self._search(states[start:], [goes], depth - 1)[0]

    def _blame(self, pair: tuple[State, State], name: str) -> Blame:
        """Name the commit between two states, and its files that held what was lost or won."""
        before, after = pair
        found = self._matrices((before.commit, after.commit))
        step = compare(found[before.commit.id], found[after.commit.id])
        rows = self._files(before.commit, after.commit)
        return Blame(after.by.id, after.by.subject, _named(rows, step, name), after.undone)

    def _files(self, old: Commit, new: Commit) -> Sequence[git.Row]:
        root = self._revisions.root
        if new.id:
            return git.changed(root, old.id, new.id)
        assert self._tree is not None
        before = {one.path: one.blob for one in Revision(root, old.id, old.time).entries}
        after = {one.path: one.blob for one in self._tree[1]}
        differ = sorted(path for path in before | after if before.get(path) != after.get(path))
        return [
            ("D" if path not in after else "M" if path in before else "A", path, path)
            for path in differ
        ]


def files(root: Path, old: Commit, new: Commit, step: Comparison) -> tuple[str, ...]:
    """Return what a commit did to the files that hold the evidence that it changed."""
    return _named(git.changed(root, old.id, new.id), step)


def _named(rows: Sequence[git.Row], step: Comparison, name: str = "") -> tuple[str, ...]:
    """Choose the files that held what was lost or won, by a practice or capability if one is
    given; the first of all where none did."""
    evidence = {
        one.path
        for row in step.changes
        if name in ("", row.practice, row.capability)
        for one in (*(loss.evidence for loss in row.losses), *row.gained)
    }
    held = [row for row in rows if evidence & {row[1], row[2]}]
    return tuple(map(_words, held or rows[:FILES]))


def _words(row: git.Row) -> str:
    status, old, new = row
    return f"{old} → {new}" if old != new else f"{_WORDS.get(status, 'changed')} {new}"


def _row(matrix: Matrix, practice: str) -> PracticeResult:
    return next(r for c in matrix.capabilities for r in c.practices if r.id == practice)


def _of_change(first: Matrix, last: Change) -> Goes:
    """Ask whether a practice has the status that it has in the end, or else whether half
    of what its evidence lost and gained has been lost and gained."""
    was = _row(first, last.practice)
    size = len(last.losses) + len(last.gained)

    def goes(matrix: Matrix) -> bool:
        row = _row(matrix, last.practice)
        if last.before != last.after:
            return row.status == last.after
        here = change(last.capability, was, row)
        return 2 * (len(here.losses) + len(here.gained)) >= size

    return goes


def _of_move(move: Move) -> Goes:
    """Ask whether a score is nearer to its end than to its start."""

    def goes(matrix: Matrix) -> bool:
        score = next(one.score for one in matrix.capabilities if one.id == move.capability)
        return abs(score - move.after) < abs(score - move.before)

    return goes
