"""What is wrong with a project file, and where."""

from dataclasses import dataclass

from audit.pyproject.scan import Path


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """What is wrong at a place, lines and columns counted from 1, and its cure."""

    line: int
    column: int
    says: str


def name(path: Path) -> str:
    """Return a path as messages write it: ``project.authors[0].name``."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return "".join(parts).removeprefix(".")
