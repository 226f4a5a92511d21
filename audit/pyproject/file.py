"""Read and write a ``pyproject.toml`` without losing a byte."""

from dataclasses import dataclass
from pathlib import Path

from audit.errors import ConfigError
from audit.files import read_bytes, refuse_escape, replace
from audit.pyproject.guard import problems
from audit.pyproject.problem import Problem

_MARK = "\ufeff"


@dataclass(frozen=True, slots=True)
class Document:
    """A valid project file: its text without the byte order mark."""

    path: Path
    text: str
    mark: str = ""


def find(path: Path) -> Path:
    """Return the file itself, or the ``pyproject.toml`` of a folder."""
    return path / "pyproject.toml" if path.is_dir() else path


def read(path: Path, folder: Path | None = None) -> Document:
    """Read a file and let the guard judge it; with a `folder`, the files that it names too.

    Raises:
        ConfigError: the file cannot be read, is not UTF-8, not TOML or no valid
            project file: one line per problem, ``path:line:column: problem: cure``.
    """
    try:
        content = read_bytes(path)
    except OSError as error:
        raise ConfigError(
            f"{path}: {error.strerror}: name a pyproject.toml or its folder"
        ) from None
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - (content.rfind(b"\n", 0, error.start) + 1) + 1
        raise _refusal(
            path, (Problem(line, column, "not UTF-8: save the file as UTF-8"),)
        ) from None
    document = Document(path, text.removeprefix(_MARK), _MARK if text.startswith(_MARK) else "")
    if found := problems(document.text, folder):
        raise _refusal(path, found)
    return document


def _refusal(path: Path, found: tuple[Problem, ...]) -> ConfigError:
    return ConfigError("\n".join(f"{path}:{one.line}:{one.column}: {one.says}" for one in found))


def write(document: Document, text: str) -> None:
    """Replace a file's text in one step; mode, owner, link and byte order mark stay.

    The old file or the new one is there at any moment, also after a power cut.

    Raises:
        ConfigError: the folder cannot be written, or a link leads out of the file's repository;
            the file is as it was.
    """
    target = document.path.resolve()
    try:
        refuse_escape(document.path)
    except OSError as error:
        reason = (error.strerror or "").lower()
        raise ConfigError(f"{error.filename}: {reason}: name the file behind it") from None
    try:
        replace(target, (document.mark + text).encode(), durable=True)
    except OSError as error:
        raise ConfigError(
            f"{target}: cannot be written ({error.strerror}); it is as it was"
        ) from None
