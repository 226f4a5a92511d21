"""Whole audits in this process: repositories as texts by path, one fact cache for all of them."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from textwrap import indent

from audit import templates
from audit.config import Config
from audit.model import RUNGS, CapabilityResult, Matrix, PracticeResult
from audit.practices import registry
from audit.practices.catalogue import Catalogue, built_in
from audit.repository import Repository
from audit.run import pipeline
from audit.run.request import Request
from audit.source.trees import Entry, blob_id
from audit.stages.index import index
from audit.store import NoStore, Rows
from tests.audit.build import parts

Files = Mapping[str, str]
ROOT = Path(__file__).parents[3]
PRACTICES = tuple(registry.declared())
CODE = tuple(one for one in PRACTICES if one.code)


class _Rows(NoStore):
    """A cache in memory."""

    def __init__(self) -> None:
        self.rows: dict[str, bytes] = {}

    def get(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Return the values of the keys that are known."""
        return {key: self.rows[key] for key in keys if key in self.rows}

    def put(self, rows: Rows) -> None:
        """Keep values."""
        self.rows.update(rows)


STORE = _Rows()


class Texts:
    """A source whose files are texts in memory."""

    name, revision, time, dirty = "texts", "", 0, False

    def __init__(self, files: Files) -> None:
        self.contents = {path: files[path].encode() for path in sorted(files)}
        self.entries = tuple(Entry(path, blob_id(text)) for path, text in self.contents.items())

    def read(self, entries: Iterable[Entry]) -> Iterator[tuple[Entry, bytes | str]]:
        """Yield each entry with its bytes."""
        return ((one, self.contents[one.path]) for one in entries)


def audited(files: Files) -> Matrix:
    """Return the capability matrix of a repository."""
    request = Request(
        "texts", Texts(files), Config(), Catalogue(built_in()), templates.load(), True, 1
    )
    return pipeline.run(request, STORE).matrix


def repository(files: Files) -> Repository:
    """Return the indexed repository, for questions to single practices."""
    return Repository(index(Texts(files), STORE, processes=1))


def practices(matrix: Matrix) -> dict[str, PracticeResult]:
    """Return every decision by practice."""
    return {row.id: row for one in matrix.capabilities for row in one.practices}


def scores(matrix: Matrix) -> dict[str, float]:
    """Return every capability's score."""
    return {one.id: one.score for one in matrix.capabilities}


def capability(matrix: Matrix, name: str) -> CapabilityResult:
    """Return one capability."""
    return next(one for one in matrix.capabilities if one.id == name)


def raised(before: Matrix, after: Matrix) -> dict[str, tuple[str, str]]:
    """Return the practices that were below `present` and are not any more, with their rungs."""
    old, new = practices(before), practices(after)
    least = RUNGS.index("present")
    return {
        name: (old[name].rung, new[name].rung)
        for name in new
        if RUNGS.index(old[name].rung) < least <= RUNGS.index(new[name].rung)
    }


def moved(before: Matrix, after: Matrix, by: float) -> dict[str, tuple[float, float]]:
    """Return the capabilities whose score moved by more than an amount, with both scores."""
    old, new = scores(before), scores(after)
    return {one: (old[one], new[one]) for one in new if abs(old[one] - new[one]) > by}


# ---------------------------------------------------------------------- repositories
BARE: Files = {
    "README.md": "# Sums\n\nAdds numbers.\n",
    "sums/__init__.py": "from sums.add import add as add\n",
    "sums/add.py": "def add(left: int, right: int) -> int:\n    return left + right\n",
}
"""A package without a practice."""


@cache
def own() -> Files:
    """Return this project's own runtime with its tests, pages and settings: the real code."""
    wanted = [
        *sorted((ROOT / "codex_ml").rglob("*.py")),
        *sorted(one for one in (ROOT / "tests").rglob("*.py") if "audit" not in one.parts),
        *sorted(one for one in (ROOT / "docs").rglob("*.md") if one.parent.name != "practices"),
        *(ROOT / name for name in ("README.md", "pyproject.toml", "Makefile", "LICENSE")),
    ]
    return {str(one.relative_to(ROOT)): one.read_text() for one in wanted}


@cache
def own_matrix() -> Matrix:
    """Return the capability matrix of the real code."""
    return audited(own())


def example(practice: registry.Practice) -> dict[str, str]:
    """Return the good example of a practice's page, as files."""
    return parts(practice.prose.good)


def sources(practice: registry.Practice) -> str:
    """Return the Python code of a practice's good example."""
    files = example(practice)
    return "\n".join(text for path, text in files.items() if path.endswith(".py"))


def as_dead_function(name: str, code: str) -> str:
    """Return a private function that nothing calls and that holds some code."""
    return f"\n\ndef _unused_{name.replace('-', '_')}():\n{indent(code or 'pass', '    ')}\n    return\n"
