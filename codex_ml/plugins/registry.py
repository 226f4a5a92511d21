"""Register, look up and describe plugins."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any, TypeVar, overload

from codex_ml.plugins import metadata, resolve, settings
from codex_ml.plugins.builtin import BUILTIN
from codex_ml.plugins.errors import DisabledPluginError, DuplicatePluginError, UnknownPluginError
from codex_ml.plugins.groups import LISTED_ONLY, OVERRIDE, check_group, normalise
from codex_ml.plugins.load import load
from codex_ml.plugins.metadata import Entry, installed
from codex_ml.spelling import nearest

if TYPE_CHECKING:
    from collections.abc import Callable

    from codex_ml.plugins.settings import Settings

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Description:
    """What a loaded plugin says of itself."""

    entry: Entry
    signature: str
    """How it is called, ``(a: int = 1) -> str``; empty if it is not callable."""
    doc: str


class Registry:
    """The plugins of one process: built in, installed, and registered by code.

    Nothing of a plugin is imported before `get` or `describe` asks for it.
    """

    def __init__(
        self,
        declared: Callable[[], list[Entry]] = lambda: [*BUILTIN, *installed()[0]],
        read_settings: Callable[[], Settings] = settings.read,
    ) -> None:
        """Take where declarations and settings come from; both are asked once, when needed."""
        self._declared = cache(declared)
        self._settings = cache(read_settings)
        self._registered: dict[tuple[str, str], tuple[Entry, object, bool]] = {}

    @overload
    def register(
        self, group: str, name: str, plugin: None = None, *, override: bool = False
    ) -> Callable[[T], T]: ...

    @overload
    def register(self, group: str, name: str, plugin: T, *, override: bool = False) -> T: ...

    def register(
        self, group: str, name: str, plugin: T | None = None, *, override: bool = False
    ) -> T | Callable[[T], T]:
        """Register `plugin` under a name; without it, return a decorator that does.

        Raises:
            DuplicatePluginError: code registered another plugin under this name.
                That an installed distribution declares the name too is found
                when the name is looked up.
            UnknownPluginError: there is no such group.

        """
        if plugin is None:
            return partial(self._register, group, name, override)
        return self._register(group, name, override, plugin)

    def _register(self, group: str, name: str, override: bool, plugin: T) -> T:
        key = check_group(group), normalise(name)
        module = getattr(plugin, "__module__", type(plugin).__module__)
        attribute = getattr(plugin, "__qualname__", f"<{type(plugin).__qualname__} object>")
        claim = Entry(*key, f"{module}:{attribute}", module, None)
        if key in self._registered and not override:
            other, known, _ = self._registered[key]
            # A reloaded module or notebook cell defines its plugin again.
            if known is not plugin and (other.target != claim.target or "<" in claim.target):
                raise DuplicatePluginError(
                    f"plugin {'.'.join(key)} of {claim.target} is registered by {other.target} "
                    "already: choose another name or pass override=True"
                )
        self._registered[key] = claim, plugin, override
        return plugin

    def entries(self, group: str | None = None) -> tuple[Entry, ...]:
        """Return every claim and its state, of one group or of all; imports nothing."""
        declared = self._declared()
        targets = {(row.group, row.name, row.target) for row in declared}
        # A plugin's module may both declare an entry point and register: one claim.
        code = [row for row, _, override in self._registered.values() if not override]
        claims = [*declared, *(row for row in code if row[:3] not in targets)]
        winners = [row for row, _, override in self._registered.values() if override]
        found = resolve.resolve(claims, winners, self._settings())
        if group is None:
            return found
        wanted = check_group(group)
        return tuple(entry for entry in found if entry.group == wanted)

    def names(self, group: str) -> tuple[str, ...]:
        """Return the names in a group that `get` would try to load."""
        return tuple(e.name for e in self.entries(group) if e.state == metadata.AVAILABLE)

    def get(self, group: str, name: str) -> Any:
        """Import and return a plugin.

        Raises:
            UnknownPluginError: nobody declares this name (the nearest is named).
            DuplicatePluginError: two owners claim it.
            DisabledPluginError: the user disabled it.
            PluginLoadError: importing it failed.
            IncompatiblePluginError: it is written for another API version.

        """
        return self._load(self.find(group, name))

    def describe(self, group: str, name: str) -> Description:
        """Import a plugin and return its signature and documentation; raises as `get` does."""
        entry = self.find(group, name)
        plugin = self._load(entry)
        try:
            signature = str(inspect.signature(plugin)) if callable(plugin) else ""
        except ValueError:  # some built-in callables have none
            signature = "(...)"
        return Description(entry, signature, inspect.getdoc(plugin) or "")

    def _load(self, entry: Entry) -> Any:
        claim, plugin, _ = self._registered.get((entry.group, entry.name), (None, None, False))
        return plugin if claim and claim.target == entry.target else load(entry)

    def find(self, group: str, name: str) -> Entry:
        """Return what `get` would load, without importing it; raises as `get` does before that."""
        group, name = check_group(group), normalise(name)
        if group == LISTED_ONLY:
            raise UnknownPluginError(
                f"{LISTED_ONLY} belongs to codex-audit: it is only listed here"
            )
        found = [entry for entry in self.entries(group) if entry.name == name]
        if not found:
            raise UnknownPluginError(_unknown(group, name, self.names(group)))
        entry = next((e for e in found if e.state == metadata.AVAILABLE), found[0])
        match entry.state:
            case metadata.DISABLED:
                raise DisabledPluginError(f"plugin {group}.{name} is disabled {entry.detail}")
            case metadata.CONFLICT:
                raise DuplicatePluginError(
                    f"plugin {group}.{name} is {entry.detail}: uninstall one or choose with "
                    f"{OVERRIDE}={group}.{name}=package.module:attribute"
                )
        return entry


def _unknown(group: str, name: str, names: tuple[str, ...]) -> str:
    return f"no plugin {name!r} in group {group}: {nearest(name, names)}"


REGISTRY = Registry()
"""This process's plugins; the functions of `codex_ml.plugins` are its methods."""
