"""Files read without waiting for anybody, and written whole or not at all."""

import errno
import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path


def read_bytes(path: Path) -> bytes:
    """Return a regular file's bytes; opening a named pipe would wait for whoever writes into it.

    Raises:
        OSError: it cannot be read, or is a folder, a pipe, a socket or a device.
    """
    with open(path, "rb", opener=_at_once) as file:  # Path.open takes no opener
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "Not a regular file", str(path))
        return file.read()


def _at_once(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)


def refuse_escape(path: Path, root: Path | None = None) -> None:
    """Refuse a path on which a link leads out of the repository that holds the link.

    An audited repository may bring a folder that is a link: what is written into it would land
    wherever its author chose.

    Args:
        path: what would be written.
        root: a folder that is a repository without Git; a working tree of Git is found by itself.

    Raises:
        OSError: there is such a link; the path is it.
    """
    here = path.absolute()
    plain = root and root.resolve()
    for one in (here, *here.parents):
        if one.is_symlink():
            folder = one.parent.resolve()
            above = (folder, *folder.parents)
            top = next((up for up in above if (up / ".git").exists()), None)
            top = top or next((up for up in above if up == plain), None)
            if top is not None and not one.resolve().is_relative_to(top):
                raise OSError(
                    errno.ELOOP, "A symbolic link that leads out of the repository", str(one)
                )


def replace(path: Path, content: bytes, *, durable: bool = False) -> None:
    """Write a file in one step: the old one or the new one is there at any moment.

    Mode and owner of the old one stay. A link is replaced, never followed: whoever means the
    file behind it names that file.

    Args:
        path: the file; folders above it are made.
        content: all of it.
        durable: hold also after a power cut, for the time of two syncs.

    Raises:
        OSError: the folder cannot be written, or a link takes it out of its repository; the
            file is as it was.
    """
    refuse_escape(path.parent)
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    new = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            _as_before(file.fileno(), path)
            if durable:
                os.fsync(file.fileno())
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
    if durable:
        _sync(path.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _as_before(descriptor: int, path: Path) -> None:
    """Give an open file the mode and owner of the one that it will replace, if there is one."""
    if path.is_symlink() or not path.exists():
        os.fchmod(descriptor, 0o644)
        return
    before = path.stat()
    with suppress(PermissionError):  # another's file in a folder of ours becomes ours
        os.fchown(descriptor, before.st_uid, before.st_gid)
    os.fchmod(descriptor, before.st_mode & 0o7777)
