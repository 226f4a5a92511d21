"""Measured coverage in place of reachability: which lines of evidence the tests ran.

Reads what coverage.py writes: ``coverage.xml``, ``coverage.json`` and the data file
``.coverage``. A measurement that is older than the audited revision is not used at all; one
of a file whose statements are elsewhere by now, not for that file. Both are named.
"""

import ast
import json
import re
import sqlite3
import warnings
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as ET

import msgspec

from audit.errors import ConfigError
from audit.facts.python import parse
from audit.files import read_bytes
from audit.source.trees import Source

MAX_BYTES: Final = 256 << 20
NAMED: Final = 5
"""Changed files that a warning names; it counts the others."""


class Lines(msgspec.Struct, frozen=True):
    """What was measured about a file, lines from 1."""

    executed: frozenset[int]
    statements: frozenset[int] = frozenset()
    """First lines of all statements, run or not; empty where only executed lines are known."""


class Measured(msgspec.Struct, frozen=True):
    """A coverage file."""

    name: str
    digest: str
    time: float
    """When it was written, in seconds since 1970; 0 where it does not say."""
    files: dict[str, Lines]
    """By the path that the measurement used: absolute, or relative to some folder."""


# --------------------------------------------------------------------------- reading
def read(path: Path) -> Measured:
    """Read a coverage file of any of the three kinds, told apart by content.

    Raises:
        ConfigError: unreadable, too large, or none of the three.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConfigError(f"{path}: larger than {MAX_BYTES >> 20} MiB: not read")
        content = read_bytes(path)
    except OSError as error:
        raise ConfigError(f"{path}: {(error.strerror or 'unreadable').lower()}") from None
    try:
        time, files = _parse(path, content)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError,
            ET.ParseError, sqlite3.DatabaseError):  # fmt: skip
        raise ConfigError(
            f"{path}: not a coverage.xml, coverage.json or .coverage file of coverage.py"
        ) from None
    return Measured(path.name, sha256(content).hexdigest(), time, files)


def _parse(path: Path, content: bytes) -> tuple[float, dict[str, Lines]]:
    if content.startswith(b"SQLite format 3\0"):
        return _data_file(path)
    if content.lstrip()[:1] == b"{":
        return _json(json.loads(content))
    return _xml(content)


def _json(document: Mapping[str, Any]) -> tuple[float, dict[str, Lines]]:
    files = {}
    for name, one in document["files"].items():
        executed = frozenset(map(int, one["executed_lines"]))
        files[str(name)] = Lines(executed, executed | set(map(int, one["missing_lines"])))
    return _seconds(str(document.get("meta", {}).get("timestamp", ""))), files


def _xml(content: bytes) -> tuple[float, dict[str, Lines]]:
    if b"<!ENTITY" in content:
        raise ValueError("declares entities")
    root = ET.fromstring(content)  # noqa: S314 - entities are refused above
    if root.tag != "coverage":
        raise ValueError("no coverage element")
    sources = [one.text or "" for one in root.iterfind("sources/source")]
    base = f"{sources[0].rstrip('/')}/" if len(sources) == 1 and sources[0] else ""
    files = {}
    for one in root.iterfind(".//class"):
        hits = {int(line.attrib["number"]): int(line.attrib["hits"]) for line in one.iter("line")}
        name = one.attrib["filename"]
        executed = frozenset(line for line, count in hits.items() if count)
        files[name if name.startswith("/") else base + name] = Lines(executed, frozenset(hits))
    return float(root.get("timestamp", "0")) / 1000, files


def _data_file(path: Path) -> tuple[float, dict[str, Lines]]:
    data = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        names = dict(data.execute("SELECT id, path FROM file"))
        lines: dict[int, set[int]] = {one: set() for one in names}
        for file, bits in data.execute("SELECT file_id, numbits FROM line_bits"):
            lines[file].update(_numbers(bits))
        for file, start, end in data.execute("SELECT file_id, fromno, tono FROM arc"):
            lines[file].update(one for one in (start, end) if one > 0)
        when = data.execute("SELECT value FROM meta WHERE key = 'when'").fetchone()
    finally:
        data.close()
    files = {str(names[one]): Lines(frozenset(lines[one])) for one in names}
    # Newer versions of coverage.py leave the time out: then it is that of the file.
    return _seconds(when[0]) if when else path.stat().st_mtime, files


def _numbers(bits: bytes) -> Iterator[int]:
    """Yield the numbers of a bit set: bit i of byte j is line 8j + i."""
    return (8 * j + i for j, byte in enumerate(bits) for i in range(8) if byte >> i & 1)


def _seconds(stamp: str) -> float:
    """Return a time without a zone, which coverage.py writes as local time; 0 for none."""
    return datetime.fromisoformat(stamp).timestamp() if stamp else 0.0


# --------------------------------------------------------------------------- using
class Covered:
    """What a measurement says about the lines of a source."""

    def __init__(self, measured: Measured, source: Source) -> None:
        self.measured = measured
        self.source = source
        self.outdated = bool(measured.time) and source.time > measured.time
        self._entries = {one.path: one for one in source.entries}
        self._names = _by_end(measured.files)
        self._changed: list[str] = []
        self.tested = cache(self._tested)
        self._file = cache(self._read)

    def _tested(self, path: str, line: int) -> bool | None:
        """Tell whether the tests ran what stands at a line; None where that is not known."""
        if self.outdated or path not in self._entries:
            return None
        found = self._file(path)
        return found.ran(line) if found is not None else None

    def _read(self, path: str) -> "_Ran | None":
        """Return what ran of a file, None where it changed since."""
        ((_, content),) = self.source.read([self._entries[path]])
        if isinstance(content, str):  # the reason why it cannot be read
            return None
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # invalid escapes in the audited code
                tree = parse(content)
        except (SyntaxError, ValueError, RecursionError):
            return None
        lines = self._lines(path)
        ran = _Ran(tree, lines.executed)
        if not ran.fits(lines) or self._is_newer(path):
            self._changed.append(path)
            return None
        return ran

    def _lines(self, path: str) -> Lines:
        """Return what was measured about a file; what was never loaded ran nowhere."""
        parts = path.split("/")
        for name in self._names.get(parts[-1], ()):
            if name == path or name.endswith(f"/{path}") or path.endswith(f"/{name}"):
                return self.measured.files[name]
        return Lines(frozenset())

    def _is_newer(self, path: str) -> bool:
        """Tell whether a file with changes that no commit has was written after the measurement."""
        root = getattr(self.source, "root", None)
        if root is None or not self.measured.time or not self.source.dirty:
            return False
        return bool((Path(root) / path).stat().st_mtime > self.measured.time)

    def warnings(self) -> Iterator[str]:
        """Yield what of the measurement was not used and why."""
        name = self.measured.name
        if self.outdated:
            yield (
                f"{name}: older than revision {self.source.revision[:12]}: not used; "
                "measure coverage again"
            )
        if changed := sorted(self._changed):
            more = f" and {len(changed) - NAMED} more" if len(changed) > NAMED else ""
            yield (
                f"{name}: changed since it was measured, so not used for "
                f"{', '.join(changed[:NAMED])}{more}"
            )


def _by_end(names: Mapping[str, object]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in sorted(names, key=lambda one: (len(one), one)):
        found.setdefault(re.split(r"[/\\]", name)[-1], []).append(name)
    return found


class _Ran:
    """Which statements of a module ran."""

    def __init__(self, tree: ast.Module, executed: frozenset[int]) -> None:
        self.executed = executed
        self.starts: dict[int, int] = {}
        """Every line of a statement → the statement's first line, the innermost one's."""
        self.bodies: dict[int, tuple[int, int]] = {}
        """The line of a function or class → first and last line of its body."""
        self.heads: set[int] = set()
        for node in ast.walk(tree):  # outer statements come before inner ones
            if isinstance(node, ast.stmt):
                self._note(node)
            elif isinstance(node, ast.excepthandler):
                self.heads.add(node.lineno)
            elif isinstance(node, ast.match_case):
                self.heads.add(node.pattern.lineno)

    def _note(self, node: ast.stmt) -> None:
        self.heads.add(node.lineno)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1):
            self.starts[line] = node.lineno
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            first = next((one for one in node.body if not _is_docstring(one)), node.body[0])
            self.bodies[node.lineno] = (first.lineno, node.end_lineno or first.lineno)
            for one in node.decorator_list:
                self.heads.add(one.lineno)
                self.starts.update(dict.fromkeys(range(one.lineno, node.lineno), node.lineno))

    def fits(self, lines: Lines) -> bool:
        """Tell whether the measured lines are lines of this module's statements."""
        if lines.statements:
            return lines.statements <= self.heads
        return lines.executed <= self.starts.keys() | self.heads

    def ran(self, line: int) -> bool:
        """Tell whether the statement at a line ran; of a function or class, its body: that
        its ``def`` ran only says that the module was imported."""
        start = self.starts.get(line, line)
        if start in self.bodies:
            first, last = self.bodies[start]
            inside = (one for one in self.executed if first <= one <= last)
            return any(self.starts.get(one, one) not in self.bodies for one in inside)
        return start in self.executed or line in self.executed


def _is_docstring(one: ast.stmt) -> bool:
    return isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant)
