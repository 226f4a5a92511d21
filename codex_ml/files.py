"""Files that are whole or absent: written beside their place, then moved there."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from codex_ml.errors import CodexError


@contextmanager
def replacing(path: Path, *, overwrite: bool = True) -> Iterator[BinaryIO]:
    """Yield a file that becomes `path`, durably, when the body ends without an exception.

    Raises:
        CodexError: `path` exists and `overwrite` is false, or cannot be written.

    """
    try:
        if not overwrite and path.exists():
            raise FileExistsError
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.") as stream:
            yield stream.file  # type: ignore[misc]  # typeshed: IO[bytes], not BinaryIO
            stream.flush()
            os.fchmod(stream.fileno(), 0o666 & ~_umask())
            os.fsync(stream.fileno())
            _publish(Path(stream.name), path, overwrite)
    except FileExistsError:
        raise CodexError(f"{path} exists: remove it or choose another name") from None
    except OSError as error:
        raise CodexError(f"{path}: cannot be written: {error.strerror}") from None


def write(path: Path, data: bytes, *, overwrite: bool = True) -> None:
    """Make `data` the content of `path`: all of it or none; raises as `replacing` does."""
    with replacing(path, overwrite=overwrite) as stream:
        stream.write(data)


def _publish(source: Path, path: Path, overwrite: bool) -> None:
    if overwrite:
        spare = source.with_name(source.name + "~")
        spare.hardlink_to(source)  # the temporary file removes itself under its own name
        spare.replace(path)
    else:
        path.hardlink_to(source)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
