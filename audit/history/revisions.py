"""The matrices of many commits: from Git objects, every blob read once, every tree decided once.

One configuration, that of the request, judges all of them: what moves is the repository.
"""

import gc
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from audit import parallel
from audit.errors import SourceError
from audit.facts import extraction
from audit.facts.kinds import kind_of
from audit.facts.model import Facts, FileKind
from audit.model import Matrix
from audit.repository import Repository, python
from audit.run import pipeline
from audit.run.request import Request
from audit.source import git
from audit.source.git import Commit
from audit.source.trees import MAX_READ, Entry, Revision, WorkingTree
from audit.stages import index
from audit.store import Memory, NoStore, Store

if TYPE_CHECKING:
    from audit.code.graph import Graph

BATCH: Final = 64
"""Commits that are decided before their results are kept."""
_COLLECT: Final = 8
"""Commits between two garbage collections of a worker."""
_READERS: Final = 4


class Union:
    """The blobs of many trees, each once."""

    name, revision, time, dirty = "", "", 0, False

    def __init__(self, root: Path, trees: Iterable[Revision]) -> None:
        self.root = root
        unique = {(one.blob, kind_of(one.path)): one for tree in trees for one in tree.entries}
        self.entries = tuple(unique.values())

    def read(self, entries: Iterable[Entry]) -> Iterator[tuple[Entry, bytes | str]]:
        """Yield each entry with its bytes, or with the reason why it cannot be read."""
        wanted = list(entries)
        ids = [entry.blob for entry in wanted]
        yield from zip(wanted, git.blobs(self.root, ids, MAX_READ), strict=True)


class Read:
    """A revision whose blobs are read from Git only where the one before did not have them."""

    def __init__(self, tree: Revision, before: "Read | None") -> None:
        self.name, self.revision, self.time = tree.name, tree.revision, tree.time
        self.dirty, self.entries, self._tree = tree.dirty, tree.entries, tree
        known: dict[str, bytes | str] = before.contents if before is not None else {}
        self.contents: dict[str, bytes | str] = {
            one.blob: known[one.blob] for one in tree.entries if one.blob in known
        }

    def read(self, entries: Iterable[Entry]) -> Iterator[tuple[Entry, bytes | str]]:
        """Yield each entry with its bytes, or with the reason why it cannot be read."""
        wanted = list(entries)
        missing = [one for one in wanted if one.blob not in self.contents]
        self.contents |= {one.blob: content for one, content in self._tree.read(missing)}
        yield from ((one, self.contents[one.blob]) for one in wanted)


class Revisions:
    """Audits commits of one repository and remembers what it has decided."""

    def __init__(
        self, request: Request, store: Store | NoStore, progress: Callable[[str], object] = str
    ) -> None:
        """Audit with a request's configuration, whatever tree it is for.

        Raises:
            SourceError: its source is no Git repository.
        """
        source = request.source
        if not isinstance(source, WorkingTree | Revision) or not source.revision:
            raise SourceError(f"{source.name}: no commits here: give a Git repository")
        self.root = source.root
        self._request = request
        self._store = store
        self._progress = progress
        self._known: dict[str, Matrix] = {}
        self._facts: dict[str, Facts | str] = {}
        self._graph: Graph | None = None
        """Of the tree before."""
        prefix = git.run(self.root, "rev-parse", "--show-prefix")
        self._judgement = request.judgement() + b"\0" + prefix

    def matrices(self, commits: Sequence[Commit]) -> list[Matrix]:
        """Return the matrix of every commit.

        Raises:
            SourceError: Git failed.
        """
        self._recall(one for one in commits if one.tree not in self._known)
        missing = list({one.tree: one for one in commits if one.tree not in self._known}.values())
        for start in range(0, len(missing), BATCH):
            self._progress(f"auditing commits: {start} of {len(missing)}")
            self._decide(missing[start : start + BATCH])
        return [_of(one, self._known[one.tree]) for one in commits]

    def _key(self, one: Commit) -> str:
        return "tree:" + sha256(self._judgement + one.tree.encode()).hexdigest()

    def _recall(self, commits: Iterable[Commit]) -> None:
        keys = {self._key(one): one.tree for one in commits}
        for key, payload in self._store.get(keys).items():
            self._known[keys[key]] = msgspec.msgpack.decode(payload, type=Matrix)

    def _decide(self, commits: Sequence[Commit]) -> None:
        with ThreadPoolExecutor(_READERS) as readers:
            trees = list(readers.map(lambda one: Revision(self.root, one.id, one.time), commits))
        count = min(self._request.processes, len(trees))
        self._learn(Union(self.root, trees))
        cuts = [len(trees) * k // count for k in range(count + 1)]
        shares = [trees[a:b] for a, b in pairwise(cuts)]
        found: list[bytes] = []
        for answer in parallel.spread(self._audit, shares, count):
            found += msgspec.msgpack.decode(answer, type=list[bytes])
        rows = dict(zip(commits, found, strict=True))
        self._store.put({self._key(one): payload for one, payload in rows.items()})
        for one, payload in rows.items():
            self._known[one.tree] = msgspec.msgpack.decode(payload, type=Matrix)

    def _learn(self, union: Union) -> None:
        """Read the facts of every blob that is new."""
        payloads = index.payloads(union, self._store, self._request.processes, str)
        for entry in union.entries:
            kind = kind_of(entry.path)
            key = extraction.key(entry.blob, kind) if kind is not None else ""
            if kind is not None and key in payloads and key not in self._facts:
                self._facts[key] = extraction.decode(kind, payloads[key])

    def _audit(self, trees: Sequence[Revision]) -> bytes:
        """Return the encoded matrices of some trees; runs in a process of its own.

        The facts are shared by all trees, so the garbage collector need not walk them.
        """
        gc.collect()
        gc.freeze()
        gc.disable()
        try:
            with closing(self._store.again()) as own:
                return msgspec.msgpack.encode(list(self._encoded(trees, Memory(own))))
        finally:
            gc.enable()
            gc.unfreeze()

    def _encoded(self, trees: Sequence[Revision], store: Memory) -> Iterator[bytes]:
        before: Read | None = None
        for number, tree in enumerate(trees):
            before = Read(tree, before)
            yield msgspec.msgpack.encode(self._matrix(before, store))
            if number % _COLLECT == _COLLECT - 1:
                gc.collect()

    def _matrix(self, tree: Read, store: Memory) -> Matrix:
        request = msgspec.structs.replace(self._request, source=tree, fast=True, processes=1)
        files = index.assemble(tree.entries, self._look, request.config.roles())
        self._graph = self._graph.later(python(files)) if self._graph else None
        repository = Repository(files, self._graph)
        self._graph = repository.graph
        decisions = pipeline.decide(request, request.info(), repository, store)
        return pipeline.scored(request, decisions, pipeline.problems(files))

    def _look(self, key: str, _: FileKind) -> Facts | str:
        return self._facts[key]


def _of(commit: Commit, matrix: Matrix) -> Matrix:
    """Return a tree's matrix as that of one of the commits that have the tree."""
    source = msgspec.structs.replace(matrix.source, revision=commit.id)
    return msgspec.structs.replace(matrix, source=source)
