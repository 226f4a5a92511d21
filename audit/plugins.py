"""Practices of other distributions: found through entry points, loaded with care.

An installed distribution is trusted as any import is; that it is broken must not be our
failure. What cannot be used becomes a warning that names the plugin and the reason.
"""

import contextlib
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from audit.errors import ConfigError
from audit.practices.catalogue import ID, Catalogue, Definition, built_in

if TYPE_CHECKING:
    from importlib.metadata import Distribution, EntryPoint

    from audit.model import Rule
    from audit.practices.registry import Practice

GROUP: Final = "codex_audit.practices"


class Plugin(msgspec.Struct, frozen=True):
    """What one entry point gives: practices, or the reason why there are none."""

    name: str
    """``distribution version: entry point``."""
    practices: "tuple[Practice, ...]"
    problem: str = ""
    state: str = ""
    """Size and time of its files: an edited plugin is another plugin."""


_named: list[str] = []


def use(references: Iterable[str]) -> None:
    """Count the practices of importable modules, each ``module`` or ``module:PRACTICES``, as
    if installed distributions brought them; those named before no longer."""
    if _named != [*references]:
        _named[:] = references
        catalogue.cache_clear()


@cache
def catalogue() -> Catalogue:
    """Return the built-in practices and those of the plugins that can be used.

    Raises:
        ConfigError: a plugin that was asked for by name cannot be used.
    """
    found = tuple(installed())
    if broken := [one for one in found if one.problem and one.name in _named]:
        raise ConfigError(f"--plugin {broken[0].name}: {broken[0].problem}")
    extra = tuple(one for plugin in found for one in plugin.practices)
    definitions = tuple(
        Definition(one.id, one.capability, one.role, one.present_if, one.not_if) for one in extra
    )
    problems = tuple(f"plugin {one.name}: {one.problem}" for one in found if one.problem)
    state = "\n".join(f"{one.name} {one.state}" for one in found)
    return Catalogue((*built_in(), *definitions), extra, problems, state)


def with_rules(known: Catalogue, rules: "tuple[Rule, ...]") -> Catalogue:
    """Return a catalogue with the practices that a configuration declares."""
    if not rules:
        return known
    from audit.practices import declarative  # detectors: only where a rule is declared

    return declarative.extended(known, rules, "the configuration")


def installed() -> Iterator[Plugin]:
    """Yield the plugins of this environment, by name; an id that is taken is a problem."""
    taken = {one.id: "the built-in catalogue" for one in built_in()}
    for name, point in (*sorted(_points()), *_asked_for()):
        plugin = _load(name, point)
        twice = [one.id for one in plugin.practices if one.id in taken]
        if twice:
            problem = f"practice {twice[0]!r} is already in {taken[twice[0]]}"
            plugin = Plugin(plugin.name, (), problem, plugin.state)
        taken |= {one.id: plugin.name for one in plugin.practices}
        yield plugin


def _label(distribution: "Distribution") -> str:
    name = distribution.metadata["Name"] or "unnamed"
    return f"{name} {distribution.metadata['Version'] or 'unknown'}"


def _asked_for() -> "Iterator[tuple[str, EntryPoint]]":
    if _named:
        from importlib.metadata import EntryPoint

        for one in dict.fromkeys(_named):
            value = one if ":" in one else f"{one}:PRACTICES"
            yield one, EntryPoint(one, value, GROUP)


def _points() -> "Iterator[tuple[str, EntryPoint]]":
    """Yield the entry points of the group, each with its distribution and name.

    Reading every ``entry_points.txt`` for the group's name takes 19 ms for 137 distributions,
    parsing them all 50; most environments have no plugin. The first of a name wins.
    """
    seen: set[str] = set()
    for folder in map(Path, dict.fromkeys(sys.path)):
        for path in sorted(folder.glob("*.dist-info/entry_points.txt")):
            with contextlib.suppress(OSError, UnicodeDecodeError):
                if f"[{GROUP}]" not in path.read_text(encoding="utf-8"):
                    continue
                from importlib.metadata import PathDistribution  # 38 ms, where there is a plugin

                distribution = PathDistribution(path.parent)
                if path.parent.name not in seen:
                    yield from (
                        (f"{_label(distribution)}: {one.name}", one)
                        for one in distribution.entry_points.select(group=GROUP)
                    )
                seen.add(path.parent.name)


def _load(name: str, point: "EntryPoint") -> Plugin:
    try:
        with contextlib.redirect_stdout(sys.stderr):  # stdout is the report's
            practices = tuple(_checked(point.load(), name))
        return Plugin(name, practices, "", _state(point))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a stranger's import raises
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        return Plugin(name, (), reason, _state(point))


def _checked(found: object, plugin: str) -> "Iterator[Practice]":
    """Yield the practices that an entry point names.

    Raises:
        TypeError: it is no iterable of practices.
        ValueError: an id, a role or a page is not as the catalogue has them.
    """
    from audit.practices.registry import Practice  # heavy: only where there is a plugin

    if not isinstance(found, Iterable):
        raise TypeError(f"{GROUP} must name practices, not a {type(found).__name__}")
    for one in found:
        if not isinstance(one, Practice):
            raise TypeError(f"{one!r} is no audit.practices.registry.Practice")
        for word in (one.id, one.capability):
            if not isinstance(word, str) or not ID.fullmatch(word):
                raise ValueError(f"{word!r} is no id: lower-case words joined by '-'")
        if one.role not in ("functionality", "safeguard"):
            raise ValueError(f"{one.id}: role {one.role!r} is neither functionality nor safeguard")
        one.prose  # noqa: B018 - a page that lacks a section raises
        yield msgspec.structs.replace(one, plugin=plugin)


def _state(point: "EntryPoint") -> str:
    """Return a digest over the files of a plugin's package; empty if it was not imported."""
    module = sys.modules.get(point.module.partition(".")[0])
    file = getattr(module, "__file__", None)
    if not file:
        return ""
    root = Path(file)
    files = sorted(root.parent.rglob("*.py")) if root.name == "__init__.py" else [root]
    rows = [f"{one.name} {at.st_size} {at.st_mtime_ns}" for one in files for at in [one.stat()]]
    return sha256("\n".join(rows).encode()).hexdigest()
