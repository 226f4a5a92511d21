"""Git, asked as a program: no library, no network, nothing written.

Git runs with the file-system monitor and hooks off, without optional locks and
without lazy fetching, because the audited repository is untrusted.
"""

import contextlib
import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Thread
from typing import IO, Literal, TypeAlias

import msgspec

from audit.errors import SourceError

_GIT = (
    "git", "--no-optional-locks", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null",
    "-c", "core.quotePath=false", "-c", "protocol.allow=never",
)  # fmt: skip
_PATIENCE = 2.0
"""Seconds after which somebody looks what Git may be waiting for."""
UNSHALLOW = "git fetch --unshallow (actions/checkout: fetch-depth: 0)"
_ENVIRONMENT = {"LC_ALL": "C", "GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0"}


def environment() -> dict[str, str]:
    """Return the environment for Git: the user's, less what redirects Git itself."""
    keep = {
        k: v for k, v in os.environ.items() if not k.startswith("GIT_") or k == "GIT_CONFIG_GLOBAL"
    }
    return keep | _ENVIRONMENT


def start(root: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """Start Git in a folder.

    Raises:
        SourceError: Git is not installed.
    """
    try:
        return subprocess.Popen(
            [*_GIT, "-C", str(root), *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=environment(),
        )  # fmt: skip
    except FileNotFoundError:
        raise SourceError("git: not found: install Git, or audit an exported folder") from None


def finish(process: subprocess.Popen[bytes], root: Path) -> bytes:
    """Return what Git printed of a folder.

    Raises:
        SourceError: Git failed, the message is its first line; or it waits for a named pipe.
    """
    try:
        output, problem = process.communicate(timeout=_PATIENCE)
    except subprocess.TimeoutExpired:
        if found := _pipe(root):
            process.kill()
            raise SourceError(f"{found}: a named pipe, Git would wait for it: remove it") from None
        output, problem = process.communicate()
    if process.returncode:
        first = problem.decode("utf-8", "replace").strip().partition("\n")[0]
        raise SourceError(first.removeprefix("fatal: ") or f"git exited with {process.returncode}")
    return output


def _pipe(root: Path) -> Path | None:
    """Return a named pipe among what Git opens unseen: ``.git`` and files named like it."""
    for folder, _, names in os.walk(_top(root) or root):
        for path in (Path(folder, name) for name in names):
            if any(part.startswith(".git") for part in path.parts) and path.is_fifo():
                return path
    return None


def run(root: Path, *arguments: str) -> bytes:
    """Run Git in a folder and return what it printed.

    Raises:
        SourceError: Git is missing or failed.
    """
    with start(root, *arguments) as process:
        return finish(process, root)


def find(path: Path) -> Literal["tree", "bare"] | None:
    """Tell whether a folder lies in a Git working tree, is a bare repository, or neither."""
    here = path.resolve()
    if (here / "HEAD").is_file() and (here / "objects").is_dir() and (here / "refs").is_dir():
        return "bare"
    return "tree" if _top(path) else None


def _top(path: Path) -> Path | None:
    """Return the folder of the working tree around a path, if there is one."""
    here = path.resolve()
    return next((one for one in (here, *here.parents) if (one / ".git").exists()), None)


def top_name(root: Path) -> str:
    """Return the name of the folder that holds the repository."""
    name = root.resolve().name
    return name.removesuffix(".git") or name


class State(msgspec.Struct, frozen=True):
    """What Git knows of a working tree; names are bytes, relative to the folder asked."""

    revision: str
    time: int
    tracked: tuple[tuple[bytes, bytes, bytes], ...]
    changed: tuple[bytes, ...]
    untracked: tuple[bytes, ...]
    staged: bool
    """Whether the index differs from the commit."""

    def odd_names(self) -> Iterator[bytes]:
        """Yield the names that are not UTF-8."""
        for name in (*(row[0] for row in self.tracked), *self.changed, *self.untracked):
            try:
                name.decode()
            except UnicodeDecodeError:
                yield name


def working_tree(root: Path) -> State:
    """Ask Git for the state of a working tree; the questions run side by side.

    Raises:
        SourceError: Git refuses (damaged repository, foreign owner ...).
    """
    asked = (
        start(root, "ls-files", "-s", "-z"),
        start(root, "diff-files", "-z", "--name-only", "--relative", "--ignore-submodules=all"),
        start(root, "ls-files", "-o", "--exclude-standard", "-z"),
        start(root, "diff-index", "--cached", "--quiet", "HEAD", "--", "."),
        start(root, "log", "-1", "--format=%H %ct"),
    )
    try:
        return _state(root, *asked)
    finally:
        for one in asked:
            with one:
                one.kill()


def _state(
    root: Path,
    listing: subprocess.Popen[bytes],
    changed: subprocess.Popen[bytes],
    untracked: subprocess.Popen[bytes],
    staged: subprocess.Popen[bytes],
    head: subprocess.Popen[bytes],
) -> State:
    tracked = tuple(
        (name, *meta.split()[:2])
        for meta, name in (row.split(b"\t", 1) for row in finish(listing, root).split(b"\0") if row)
    )
    modified = tuple(one for one in finish(changed, root).split(b"\0") if one)
    others = tuple(one for one in finish(untracked, root).split(b"\0") if one)
    line, _ = head.communicate()
    revision, _, time = line.decode().strip().partition(" ")
    staged.communicate()
    return State(
        revision, int(time or 0), tracked, modified, others,  # type: ignore[arg-type]
        staged=staged.returncode == 1,
    )  # fmt: skip


def commit(root: Path, revision: str) -> tuple[str, int]:
    """Return the id and time of the commit that a revision names.

    Raises:
        SourceError: there is no such commit here.
    """
    if not revision or revision.startswith("-"):
        raise SourceError(f"revision {revision!r}: not a revision: give a commit, tag or branch")
    try:
        line = run(root, "log", "-1", "--format=%H %ct", revision, "--")
    except SourceError as error:
        if "dubious ownership" in str(error):
            raise
        cure = (
            f"this clone is shallow: {UNSHALLOW}"
            if shallow(root)
            else "see git log for what is there"
        )
        raise SourceError(
            f"revision {revision!r}: not a commit of this repository: {cure}"
        ) from None
    name, _, time = line.decode().strip().partition(" ")
    return name, int(time or 0)


class Commit(msgspec.Struct, frozen=True):
    """A commit of the history."""

    id: str
    tree: str
    time: int
    """Seconds since 1970."""
    parents: tuple[str, ...]
    subject: str


def log(root: Path, *arguments: str) -> tuple[Commit, ...]:
    """Return the commits that ``git log`` selects.

    Raises:
        SourceError: Git failed.
    """
    text = run(root, "log", "-z", "--format=%H%x1f%T%x1f%ct%x1f%P%x1f%s", *arguments, "--")
    rows = (row.split("\x1f", 4) for row in text.decode("utf-8", "replace").split("\0") if row)
    return tuple(Commit(a, b, int(c), tuple(d.split()), e) for a, b, c, d, e in rows)


def shallow(root: Path) -> bool:
    """Tell whether the clone lacks a part of its history."""
    return run(root, "rev-parse", "--is-shallow-repository").strip() == b"true"


def merge_base(root: Path, one: str, other: str) -> str:
    """Return the nearest commit that two commits descend from.

    Raises:
        SourceError: they have none.
    """
    process = start(root, "merge-base", one, other)
    found = process.communicate()[0].decode().split()
    if process.returncode or not found:
        cure = (
            f"this clone is shallow: {UNSHALLOW}"
            if shallow(root)
            else "is it a revision of another repository?"
        )
        raise SourceError(f"{one[:12]} and {other[:12]} share no history: {cure}")
    return found[0]


Row: TypeAlias = tuple[str, str, str]
"""Status letter of `git diff-tree`, old and new path of a file."""


def changed(root: Path, old: str, new: str) -> tuple[Row, ...]:
    """Return status letter, old and new path of every file that differs between two commits.

    Raises:
        SourceError: Git failed.
    """
    arguments = ("-r", "-z", "-M", "--relative", "--name-status", "--no-commit-id", old, new)
    parts = iter(run(root, "diff-tree", *arguments).decode("utf-8", "backslashreplace").split("\0"))
    rows: list[Row] = []
    for status in parts:
        if status:
            path = next(parts)
            rows.append((status[0], path, next(parts) if status[0] in "RC" else path))
    return tuple(rows)


def tree(root: Path, revision: str) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Yield name, mode and blob id of every file of a revision below a folder.

    Raises:
        SourceError: Git failed.
    """
    for row in run(root, "ls-tree", "-r", "-z", revision).split(b"\0"):
        if row:
            meta, _, name = row.partition(b"\t")
            mode, _, blob = meta.split()
            yield name, mode, blob


def blobs(root: Path, ids: Sequence[str], limit: int) -> Iterator[bytes | str]:
    """Yield the contents of blobs in the order asked, or the reason why one cannot be had.

    A blob larger than `limit` bytes is passed over without being held in memory.

    Raises:
        SourceError: Git failed.
    """
    process = start(root, "cat-file", "--batch", "--buffer")
    stdin, stream = process.stdin, process.stdout
    assert stdin is not None
    assert stream is not None
    request = "".join(f"{one}\n" for one in ids).encode()
    # Git answers while it is asked: a second thread keeps both pipes moving.
    writer = Thread(target=_write, args=(stdin, request), daemon=True)
    writer.start()
    with process:
        for _ in ids:
            head = stream.readline().split()
            if not head:
                raise SourceError("git cat-file ended early: damaged object store: run git fsck")
            if head[-1] == b"missing":
                yield "not in the object store"
                continue
            size = int(head[2])
            if size <= limit:
                yield stream.read(size)
                stream.read(1)
            else:
                yield f"larger than {limit >> 20} MiB"
                _skip(stream, size + 1)
        writer.join()


def _write(pipe: IO[bytes], request: bytes) -> None:
    with contextlib.suppress(BrokenPipeError), pipe:
        pipe.write(request)


def _skip(stream: IO[bytes], size: int) -> None:
    while size > 0 and (piece := stream.read(min(size, 1 << 20))):
        size -= len(piece)
