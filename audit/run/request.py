"""What a run is asked for, and everything that its outcome depends on."""

import re
import sys
import tomllib
from collections.abc import Mapping, Set
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from audit import __version__, config, plugins, templates
from audit.config import Config
from audit.errors import ConfigError
from audit.files import read_bytes
from audit.model import SourceInfo
from audit.practices.catalogue import Catalogue
from audit.source.trees import Source, open_source, tree_id
from audit.store import NoStore, Store

if TYPE_CHECKING:
    from audit.coverage import Measured

_TITLE = re.compile(r"^# +(\S.{0,59}?) *#*$", re.MULTILINE)
_NAMED_IN = {
    "setup.cfg": re.compile(r"^name *= *([\w.-]+) *$", re.MULTILINE),
    "setup.py": re.compile(r"""^ {1,8}name *= *["']([\w.-]+)["'],? *(?:#.*)?$""", re.MULTILINE),
    "README.md": _TITLE,
    "readme.md": _TITLE,
}
"""Where the name stands in a repository without a project table, the surest first."""
_SETTINGS = frozenset({config.FILE, "pyproject.toml"})


class Request(msgspec.Struct, frozen=True):
    """What a run is asked for."""

    name: str
    """What reports call the repository; from its content, never from where it lies."""
    source: Source
    config: Config
    catalogue: Catalogue
    templates: dict[str, bytes]
    fast: bool = False
    """Leave out S2 and S5; the scores are the same."""
    processes: int = 2
    coverage: "Measured | None" = None
    """Measured coverage that replaces reach by tests."""

    def info(self) -> SourceInfo:
        """Return what is audited."""
        one = self.source
        return SourceInfo(self.name, one.revision, tree_id(one.entries), one.dirty)

    def key(self) -> str:
        """Return a digest of everything that the outcome depends on."""
        info = msgspec.json.encode(self.info())
        extent = b"fast" if self.fast else b"full"
        extent += self.coverage.digest.encode() if self.coverage else b""
        return "run:" + sha256(b"\0".join((info, self.judgement(), extent))).hexdigest()

    def judgement(self) -> bytes:
        """Return a digest of everything but the files that the outcome depends on."""
        digests = (
            self.config.digest(), self.catalogue.digest(), templates.digest(self.templates),
            engine_digest(), self.catalogue.state, *self.catalogue.problems,
        )  # fmt: skip
        return "\0".join((self.name, *digests)).encode()


@cache
def engine_digest() -> str:
    """Return a digest of the engine's own files, so that no other version's result is used."""
    root = Path(__file__).parents[1]
    states = ((one, one.stat()) for one in sorted(root.rglob("*.py")))
    rows = [f"{one.relative_to(root)} {at.st_size} {at.st_mtime_ns}" for one, at in states]
    return sha256("\n".join([__version__, sys.version, *rows]).encode()).hexdigest()


class Options(msgspec.Struct, frozen=True):
    """What the command line asks for."""

    path: Path
    revision: str | None = None
    config: Path | None = None
    trust: bool = False
    """Use templates that the audited repository brings."""
    fast: bool = False
    processes: int = 2
    coverage: Path | None = None
    """A coverage.xml, coverage.json or .coverage file."""


def build(options: Options, store: Store | NoStore) -> Request:
    """Return the request that options ask for; the store knows files hashed before.

    Raises:
        SourceError: the path or the revision cannot be read.
        ConfigError: the configuration is wrong, or the coverage file is none.
    """
    source = open_source(options.path, options.revision, store)
    files = _contents(source, _SETTINGS if options.config is None else {"pyproject.toml"})
    catalogue, settings = _judgement(files, options.config)
    return Request(
        name=_name(source, files.get("pyproject.toml", b"")),
        source=source,
        config=settings,
        catalogue=catalogue,
        templates=templates.load(_override(options, settings)),
        fast=options.fast,
        processes=options.processes,
        coverage=_measured(options.coverage),
    )


def judged(folder: Path, file: Path | None = None) -> tuple[Catalogue, Config]:
    """Return the practices and the configuration by which a folder would be audited.

    Raises:
        ConfigError: the configuration is wrong.
    """
    found = {} if file else {name: _content(folder / name) for name in _SETTINGS}
    return _judgement(_readable(found), file)


def _content(path: Path) -> bytes | str:
    """Return a file's content, empty where there is none, or why it cannot be read."""
    try:
        return read_bytes(path)
    except FileNotFoundError:
        return b""
    except OSError as error:
        return (error.strerror or "unreadable").lower()


def _judgement(files: dict[str, bytes], file: Path | None) -> tuple[Catalogue, Config]:
    catalogue = plugins.catalogue()
    ids, capabilities = catalogue.ids, catalogue.capabilities
    try:
        if file is not None:
            settings = config.read(file, ids, capabilities)
        else:
            settings = config.load(files, ids, capabilities)
    except ConfigError as error:  # the practice it does not know may be a broken plugin's
        raise ConfigError("; ".join((str(error), *catalogue.problems))) from None
    return plugins.with_rules(catalogue, settings.rules), settings


def _measured(path: Path | None) -> "Measured | None":
    if path is None:
        return None
    from audit import coverage  # XML, AST and SQLite: only where there is such a file

    return coverage.read(path)


def _contents(source: Source, names: Set[str]) -> dict[str, bytes]:
    """Return the files of some names that can be read.

    Raises:
        ConfigError: the configuration is there and cannot: a gate without it would hold nothing.
    """
    wanted = [one for one in source.entries if one.path in names and one.kind == "file"]
    found = {entry.path: entry.problem or content for entry, content in source.read(wanted)}
    return _readable(found)


def _readable(found: Mapping[str, bytes | str]) -> dict[str, bytes]:
    if isinstance(reason := found.get(config.FILE), str):
        raise ConfigError(f"{config.FILE}: {reason}: make it readable, or add --config FILE")
    return {name: content for name, content in found.items() if isinstance(content, bytes)}


def _override(options: Options, settings: Config) -> Path | None:
    """Return the folder of custom templates.

    Raises:
        ConfigError: they lie in the audited repository and it is not trusted.
    """
    if not settings.templates:
        return None
    if not options.trust and options.config is None:
        raise ConfigError(
            f"templates = {settings.templates!r} comes from the audited repository: "
            "add --trust to use it"
        )
    base = options.config.parent if options.config is not None else options.path
    return base / settings.templates


def _name(source: Source, pyproject: bytes) -> str:
    """Name the repository after its content: its distribution, else its README's title.

    The folder's name would make the same tree give other reports elsewhere.
    """
    try:
        document: dict[str, Any] = tomllib.loads(pyproject.decode())
    except ValueError:
        document = {}
    project = document.get("project")
    if isinstance(project, dict) and isinstance(project.get("name"), str):
        return str(project["name"])
    texts = {
        path: content.decode("utf-8", "replace")
        for path, content in _contents(source, frozenset(_NAMED_IN)).items()
    }
    for path, pattern in _NAMED_IN.items():
        if found := pattern.search(texts.get(path, "")):
            return found[1].strip()
    return "repository"
