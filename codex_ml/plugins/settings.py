"""What the user disables and overrides, from the configuration and the environment.

``pyproject.toml`` of the working directory::

    [tool.codex-ml.plugins]
    disable = ["metrics.slow-one", "trackers.*"]

    [tool.codex-ml.plugins.override]
    "metrics.rouge" = "my_package.metrics:Rouge"

``CODEX_ML_PLUGINS_DISABLE`` (``metrics.slow-one,trackers.*``) adds to `disable`;
``CODEX_ML_PLUGINS_OVERRIDE`` (``metrics.rouge=my_package.metrics:Rouge``) adds to
`override` and wins over the file.
"""
# Importing pathlib takes as long as reading 100 distributions.
# ruff: noqa: PTH123

from __future__ import annotations

import os
import re
from collections import namedtuple

from codex_ml.plugins.errors import PluginError
from codex_ml.plugins.groups import DISABLE, OVERRIDE, check_group, normalise
from codex_ml.plugins.metadata import Entry, is_target

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

FILE = "pyproject.toml"


class Settings(namedtuple("_Settings", "disabled overrides", defaults=((), ()))):
    """What is disabled, as (group, name or ``*``, who says so), and what is overridden."""

    __slots__ = ()
    disabled: tuple[tuple[str, str, str], ...]
    overrides: tuple[Entry, ...]

    def disabled_by(self, group: str, name: str) -> str | None:
        """Return who disables this plugin, or None."""
        for where, pattern, owner in self.disabled:
            if where == group and pattern in (name, "*"):
                return owner
        return None


def read(environ: Mapping[str, str] | None = None, file: str = FILE) -> Settings:
    """Return the settings in force.

    Raises:
        PluginError: the file or a variable says something that cannot be meant.

    """
    environ = os.environ if environ is None else environ
    table = _table(file)
    disabled = [(item, file) for item in _strings(table, "disable", file)]
    disabled += [(item, DISABLE) for item in _split(environ.get(DISABLE, ""))]
    overrides = [(*item, file) for item in _pairs(table, file)]
    overrides += [(*_assignment(item), OVERRIDE) for item in _split(environ.get(OVERRIDE, ""))]
    winners = {row[:2]: row for row in (_override(*item) for item in overrides)}
    return Settings(tuple(_disable(*item) for item in disabled), tuple(winners.values()))


def _table(file: str) -> dict[str, object]:
    try:
        with open(file, "rb") as stream:
            data = stream.read()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise PluginError(f"{file}: cannot be read: {error.strerror}") from None
    # Parsing costs as much as the whole listing: only where the table can be.
    if not re.search(rb"""tool[\s\]."']*codex-ml""", data):
        return {}
    import tomllib

    try:
        tool = tomllib.loads(data.decode()).get("tool", {})
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise PluginError(f"{file}: {error}") from None
    match tool:
        case {"codex-ml": {"plugins": dict(table)}}:
            if unknown := table.keys() - {"disable", "override"}:
                raise PluginError(
                    f"{file}: [tool.codex-ml.plugins] has no key {min(unknown)!r}: "
                    "write `disable` or `override`"
                )
            return table
        case {"codex-ml": {"plugins": _}}:
            raise PluginError(f"{file}: [tool.codex-ml.plugins] is no table")
    return {}


def _strings(table: dict[str, object], key: str, file: str) -> list[str]:
    match table.get(key, []):
        case list(items) if all(isinstance(item, str) for item in items):
            return items
    raise PluginError(f'{file}: `{key}` in [tool.codex-ml.plugins] is a list of "group.name"')


def _pairs(table: dict[str, object], file: str) -> list[tuple[str, str]]:
    match table.get("override", {}):
        case dict(items) if all(isinstance(item, str) for item in items.values()):
            return list(items.items())
    raise PluginError(
        f"{file}: [tool.codex-ml.plugins.override] holds "
        '"group.name" = "package.module:attribute" lines'
    )


def _split(value: str) -> list[str]:
    return [item.strip() for item in value.split(",") if item.strip()]


def _assignment(item: str) -> tuple[str, str]:
    key, _, target = item.partition("=")
    return key.strip(), target.strip()


def _disable(item: str, owner: str) -> tuple[str, str, str]:
    group, name = _key(item, owner)
    return group, "*" if name == "*" else normalise(name), owner


def _override(item: str, target: str, owner: str) -> Entry:
    group, name = _key(item, owner)
    if not is_target(target):
        raise PluginError(f"{owner}: {item!r} overridden by {target!r}: write package.module:attr")
    return Entry(group, normalise(name), target, owner, None)


def _key(item: str, owner: str) -> tuple[str, str]:
    group, dot, name = item.partition(".")
    if not dot or not name:
        raise PluginError(f"{owner}: {item!r} names no plugin: write group.name")
    try:
        return check_group(group), name
    except PluginError as error:
        raise PluginError(f"{owner}: {item!r}: {error}") from None
