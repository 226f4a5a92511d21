"""What to audit: a Git working tree, a revision in a Git object store, or a plain folder.

All three give the same thing: paths with their Git blob ids, and the bytes of
a blob when somebody asks. Nothing of the repository is executed, links are not
followed and nothing is fetched.
"""

import os
import re
import stat
from collections.abc import Iterable, Iterator
from functools import cached_property
from hashlib import sha1, sha256
from pathlib import Path
from typing import Literal, Protocol

import msgspec

from audit.errors import SourceError
from audit.source import git
from audit.source.stamps import Stamps
from audit.store import NoStore, Store

JUNK = frozenset(
    {
        ".git", ".hg", ".svn", ".venv", "venv", "env", "__pycache__", "node_modules", ".tox",
        ".nox", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".hypothesis", ".ipynb_checkpoints",
        ".eggs", "site-packages", ".idea", ".vscode",
    }
)  # fmt: skip
_OWN = re.compile(rb"(audit_artifacts/|reports/capability_matrix\.)")
"""What ``run --out`` wrote into the tree is no part of what is audited."""

MAX_READ = 1 << 20
"""Larger files are hashed but not parsed: a 5 MB literal costs seconds and a gigabyte."""


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One file of the source."""

    path: str
    """Relative, with ``/``; bytes that are not UTF-8 are escaped as ``\\xff``."""
    blob: str
    """Git blob id; empty where the content could not be read."""
    kind: Literal["file", "link", "submodule"] = "file"
    problem: str = ""
    """Why the content is not audited; empty when it is."""


class Source(Protocol):
    """A set of files at one moment."""

    name: str
    revision: str
    """Commit id; empty for a plain folder or a repository without commits."""
    time: int
    """Commit time in seconds since 1970, 0 without a revision."""
    dirty: bool
    """Whether files differ from the revision."""
    entries: tuple[Entry, ...]

    def read(self, entries: Iterable[Entry]) -> Iterator[tuple[Entry, bytes | str]]:
        """Yield each entry with its bytes, or with the reason why it cannot be read."""


def display(name: bytes) -> str:
    """Return a file name as text; bytes that are not UTF-8 are escaped."""
    return name.decode("utf-8", "backslashreplace")


def blob_id(content: bytes, algorithm: str = "sha1") -> str:
    """Return the Git blob id of a content (Git's object format, 'blob <size>\\0')."""
    new = sha256 if algorithm == "sha256" else sha1
    return new(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def open_source(
    path: Path, revision: str | None = None, store: Store | NoStore | None = None
) -> Source:
    """Return the source at a path, or at a revision of the repository around it.

    The store remembers what files hashed to that Git's index does not know.

    Raises:
        SourceError: no such folder, one that may not be read, not a repository, unknown
            revision, bare repository without a revision.
    """
    try:
        return _open(path, revision, store or NoStore())
    except PermissionError:
        raise SourceError(f"{path}: permission denied: give a folder that you may read") from None


def _open(path: Path, revision: str | None, store: Store | NoStore) -> Source:
    if not path.exists():
        raise SourceError(f"{path}: no such folder: give the root of a repository")
    if not path.is_dir():
        raise SourceError(f"{path}: not a folder: give the root of a repository")
    layout = git.find(path)
    if revision is not None:
        if layout is None:
            raise SourceError(f"{path}: not a Git repository, so --rev {revision} names nothing")
        return Revision(path, revision)
    if layout == "bare":
        raise SourceError(f"{path}: a bare repository has no working tree: add --rev HEAD")
    stamps = Stamps(path, store)
    tree = WorkingTree(path, stamps) if layout else Folder(path, stamps)
    if not tree.entries and any(path.iterdir()):
        tree = Folder(path, stamps)  # one that the repository around it ignores
    stamps.save()
    return tree


class _OnDisk:
    """Reading of files below a root, links refused."""

    root: Path
    algorithm = "sha1"
    names: dict[str, bytes]
    stamps: Stamps

    @cached_property
    def _base(self) -> bytes:
        return os.fsencode(self.root)

    def read(self, entries: Iterable[Entry]) -> Iterator[tuple[Entry, bytes | str]]:
        """Yield each entry with its bytes, or with the reason why it cannot be read."""
        for entry in entries:
            name = self.names.get(entry.path) or entry.path.encode()
            try:
                yield entry, _read(os.path.join(self._base, name))
            except OSError as error:
                yield entry, (error.strerror or "unreadable").lower()

    def entry(self, name: bytes, state: os.stat_result | None = None) -> Entry:
        """Hash one file of the tree; `state` is what `lstat` says of it, where that is known."""
        path = display(name)
        full = os.path.join(self._base, name)
        try:
            state = state or os.lstat(full)
            if stat.S_ISLNK(state.st_mode):
                target = os.readlink(full)
                return Entry(path, blob_id(target, self.algorithm), "link", self.link_problem(full))
            if not stat.S_ISREG(state.st_mode):
                return Entry(path, "", "file", "not a regular file")
            blob = self.stamps.blob(name, state)
            if not blob:
                blob = _hash(full, self.algorithm)
                self.stamps.note(name, state, blob)
            return Entry(path, blob)
        except OSError as error:
            return Entry(path, "", "file", (error.strerror or "unreadable").lower())

    def link_problem(self, full: bytes) -> str:
        """Say what is wrong with a link, nothing for one inside the tree."""
        try:
            target = os.path.realpath(full, strict=True)
        except OSError as error:
            return "symbolic link in a loop" if error.errno == 40 else "broken symbolic link"
        root = os.path.realpath(os.fsencode(self.root))
        inside = target == root or target.startswith(root + b"/")
        return "" if inside else "symbolic link out of the tree"


def own_output(name: bytes, beside: Iterable[bytes] = ()) -> bool:
    """Tell whether a file is a report of this tool, the manifests only beside artefacts."""
    if name in (b"manifest.json", b"manifest.intoto.json"):
        return any(_OWN.match(one) for one in beside)
    return _OWN.match(name) is not None


def _read(full: bytes) -> bytes | str:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    handle = os.open(full, flags)
    try:
        size = os.fstat(handle).st_size
        return (
            os.read(handle, size + 1) if size <= MAX_READ else f"larger than {MAX_READ >> 20} MiB"
        )
    finally:
        os.close(handle)


def _lstat(full: bytes) -> os.stat_result | None:
    """Return what is known of a file, nothing where there is none."""
    try:
        return os.lstat(full)
    except OSError:
        return None


def _hash(full: bytes, algorithm: str) -> str:
    new = sha256 if algorithm == "sha256" else sha1
    with open(full, "rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        digest = new(b"blob %d\0" % size, usedforsecurity=False)
        while piece := stream.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


class Folder(_OnDisk):
    """A folder that is no Git repository: everything except well-known junk."""

    def __init__(self, root: Path, stamps: Stamps) -> None:
        self.root, self.stamps = root, stamps
        self.name = root.resolve().name
        self.revision, self.time, self.dirty = "", 0, False
        self.names = {}
        self._closed: list[Entry] = []
        found = list(self._walk())
        kept = (self.entry(name) for name in found if not own_output(name, found))
        self.entries = tuple(sorted((*kept, *self._closed), key=_by_path))

    def _walk(self) -> Iterator[bytes]:
        base = os.fsencode(self.root)

        def closed(error: OSError) -> None:
            name = display(os.path.relpath(error.filename, base))
            self._closed.append(Entry(f"{name}/", "", "file", (error.strerror or "").lower()))

        for folder, folders, files in os.walk(base, onerror=closed):
            folders[:] = [one for one in folders if os.fsdecode(one) not in JUNK]
            links = [one for one in folders if os.path.islink(os.path.join(folder, one))]
            for one in [*files, *links]:
                name = os.path.relpath(os.path.join(folder, one), base)
                self.names[display(name)] = name
                yield name


class WorkingTree(_OnDisk):
    """A Git working tree: what Git tracks, and what is untracked but not ignored."""

    def __init__(self, root: Path, stamps: Stamps) -> None:
        self.root, self.stamps = root, stamps
        state = git.working_tree(root)
        self.name = root.resolve().name
        self.revision, self.time = state.revision, state.time
        self.algorithm = "sha256" if len(state.revision) == 64 else "sha1"
        self.names = {display(name): name for name in state.odd_names()}
        found = {one.path: one for one in (_tracked(*row) for row in state.tracked)}
        indexed = {path: found.pop(path, None) for path in map(display, state.changed)}
        untracked = [name for name in state.untracked if not own_output(name, state.untracked)]
        for name in (*state.changed, *untracked):
            if (now := _lstat(os.path.join(self._base, name))) is not None:
                entry = self.entry(name, now)
                if entry.problem != "not a regular file" or name in untracked:
                    found[entry.path] = entry
        for path, entry in found.items():
            if entry.kind == "link" and not entry.problem:
                full = os.path.join(self._base, self.names.get(path) or path.encode())
                found[path] = msgspec.structs.replace(entry, problem=self.link_problem(full))
        # A copy's files are changed to Git, by their times alone: what counts is the content.
        edited = any(_content(found.get(path)) != _content(one) for path, one in indexed.items())
        self.dirty = bool(state.staged or edited or untracked)
        self.entries = tuple(sorted(found.values(), key=_by_path))


class Revision:
    """A revision, read from Git's object store; there need be no working tree."""

    def __init__(self, root: Path, revision: str, time: int | None = None) -> None:
        """Read a revision; whoever gives the commit's time gives its full id, too."""
        self.root = root
        self.name = git.top_name(root)
        self.revision, self.time = git.commit(root, revision) if time is None else (revision, time)
        self.dirty = False
        rows = git.tree(root, self.revision)
        self.entries = tuple(
            sorted((_tracked(name, mode, blob) for name, mode, blob in rows), key=_by_path)
        )

    def read(self, entries: Iterable[Entry]) -> Iterator[tuple[Entry, bytes | str]]:
        """Yield each entry with its bytes, or with the reason why it cannot be read."""
        wanted = list(entries)
        ids = [entry.blob for entry in wanted]
        yield from zip(wanted, git.blobs(self.root, ids, MAX_READ), strict=True)


def _tracked(name: bytes, mode: bytes, blob: bytes) -> Entry:
    path = display(name)
    if mode == b"160000":
        return Entry(path, blob.decode(), "submodule", "submodule: audit it by itself")
    return Entry(path, blob.decode(), "link" if mode == b"120000" else "file")


def _content(entry: Entry | None) -> tuple[str, str] | None:
    return (entry.kind, entry.blob) if entry is not None else None


def _by_path(entry: Entry) -> str:
    return entry.path


def texts(source: Source, paths: Iterable[str]) -> Iterator[str]:
    """Yield the texts of some files of a source in the order asked, empty where there is none."""
    wanted = list(paths)
    known = {one.path: one for one in source.entries if one.kind == "file" and not one.problem}
    contents = source.read([known[one] for one in wanted if one in known])
    for path in wanted:
        content = next(contents)[1] if path in known else ""
        yield content.decode("utf-8", "replace") if isinstance(content, bytes) else ""


def tree_id(entries: Iterable[Entry]) -> str:
    """Return the SHA-256 over kind, blob id and path of every entry, in path order."""
    digest = sha256()
    for entry in entries:
        digest.update(f"{entry.kind} {entry.blob} {entry.path}\n".encode())
    return digest.hexdigest()
