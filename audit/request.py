"""From a path and options to a request: source, configuration, catalogue, templates."""

import tomllib
from pathlib import Path
from typing import Any

import msgspec

from audit import config, templates
from audit.errors import ConfigError
from audit.facts import prose
from audit.pipeline import Request
from audit.practices import registry
from audit.source import Source, open_source

_SETTINGS = frozenset({config.FILE, "pyproject.toml"})


class Options(msgspec.Struct, frozen=True):
    """What the command line asks for."""

    path: Path
    revision: str | None = None
    config: Path | None = None
    trust: bool = False
    """Use templates and rules that the audited repository brings."""
    fast: bool = False
    processes: int = 2


def build(options: Options) -> Request:
    """Return the request that options ask for.

    Raises:
        SourceError: the path or the revision cannot be read.
        ConfigError: the configuration is wrong.
    """
    source = open_source(options.path, options.revision)
    catalogue = registry.Catalogue(registry.built_in())
    ids, capabilities = catalogue.ids, catalogue.capabilities
    files = _contents(source, _SETTINGS)
    if options.config is not None:
        settings = config.read(options.config, ids, capabilities)
    else:
        settings = config.load(files, ids, capabilities)
    return Request(
        name=_name(source, files.get("pyproject.toml", b"")),
        source=source,
        config=settings,
        catalogue=catalogue,
        templates=templates.load(_override(options, settings)),
        fast=options.fast,
        processes=options.processes,
    )


def _contents(source: Source, names: frozenset[str]) -> dict[str, bytes]:
    wanted = [one for one in source.entries if one.path in names and one.kind == "file"]
    return {e.path: found for e, found in source.read(wanted) if isinstance(found, bytes)}


def _override(options: Options, settings: config.Config) -> Path | None:
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
    for path, found in sorted(_contents(source, frozenset({"README.md", "readme.md"})).items()):
        try:
            headings = prose.markdown(found).headings if path else ()
        except ValueError:
            continue
        title = next((one.text.strip() for one in headings if one.level == 1), "")
        if title and len(title) <= 60:
            return title
    return "repository"
