"""From a name and options in a configuration to a factory that can be called."""

import inspect
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from types import SimpleNamespace
from typing import Any, get_type_hints

import msgspec

from codex_ml.plugins import get, names
from codex_ml.plugins.errors import PluginOptionError
from codex_ml.spelling import nearest

KEYS = {"models": "model", "datasets": "data"}
"""The configuration's table for a group."""


def prepare(group: str, table: Mapping[str, Any], given: int) -> Callable[..., Any]:
    """Return the plugin ``table["name"]``, ready to be called with `given` positional arguments.

    Raises:
        PluginOptionError: there is no name, or an option is unknown, missing or of another type.
        PluginError: there is no such plugin, or it cannot be loaded.

    """
    options = dict(table)
    name = options.pop("name", None)
    if not isinstance(name, str):
        known = ", ".join(names(group))
        raise PluginOptionError(f"{KEYS.get(group, group)}.name is not given: there are {known}")
    factory: Callable[..., Any] = get(group, name)
    where = f"{group} {name!r}"
    _check_names(factory, options, given, where)
    return partial(factory, **_converted(factory, options, where))


def _check_names(
    factory: Callable[..., Any], options: Mapping[str, Any], given: int, where: str
) -> None:
    parameters = list(inspect.signature(factory).parameters.values())[given:]
    known = {each.name: each for each in parameters if each.kind is not each.VAR_KEYWORD}
    open_ended = len(known) < len(parameters)
    for key in options:
        if key not in known and not open_ended:
            raise PluginOptionError(f"{where}: no option {key!r}: {nearest(key, known)}")
    for key, each in known.items():
        if each.default is each.empty and key not in options:
            raise PluginOptionError(f"{where}: option {key!r} is missing")


def _converted(
    factory: Callable[..., Any], options: Mapping[str, Any], where: str
) -> dict[str, Any]:
    """Convert options to the annotations of their parameters."""
    converted = {}
    for key, value in options.items():
        try:
            converted[key] = msgspec.convert(value, _annotation(factory, key))
        except msgspec.ValidationError as error:
            raise PluginOptionError(f"{where}: {key}: {error}") from None
    return converted


def _annotation(factory: Callable[..., Any], key: str) -> Any:
    """`Any` where there is none, or where it names what is imported for type checkers only."""
    function: Any = getattr(factory, "__init__", None) if isinstance(factory, type) else factory
    found = getattr(function, "__annotations__", {})
    if key in found:
        one = SimpleNamespace(
            __annotations__={key: found[key]}, __globals__=getattr(function, "__globals__", {})
        )
        with suppress(NameError):
            return get_type_hints(one)[key]
    return Any
