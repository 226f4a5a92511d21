"""Configuration files: TOML in, `Config` out, or an error that names the key."""

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec
import tomlkit

from codex_ml.spelling import nearest
from codex_ml.training.config import Config
from codex_ml.training.errors import ConfigError


def read(path: str | Path, overrides: Iterable[str] = ()) -> Config:
    """Return the configuration in a TOML file, changed by ``key=value`` words.

    Raises:
        ConfigError: the file is missing or no TOML, or a key or value is wrong.

    """
    try:
        with Path(path).open("rb") as stream:
            table = tomllib.load(stream)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not TOML: {error}") from None
    return parse(table, overrides, str(path))


def parse(table: Mapping[str, Any], overrides: Iterable[str] = (), where: str = "config") -> Config:
    """Return the configuration of a parsed file; raises as `read` does."""
    plain = msgspec.to_builtins(table)
    for word in overrides:
        _override(plain, word)
    _check_keys(plain, Config, where, "")
    try:
        return msgspec.convert(plain, Config)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{where}: {_readable(str(error))}") from None


def change(config: Config, overrides: Iterable[str]) -> Config:
    """Return the configuration changed by ``key=value`` words; raises as `read` does."""
    return parse(msgspec.to_builtins(config), overrides)


def dump(config: Config) -> str:
    """Return the configuration as TOML, every default spelled out."""
    return tomlkit.dumps(msgspec.to_builtins(config))


def _override(table: dict[str, Any], word: str) -> None:
    key, equals, value = word.partition("=")
    if not equals or not key:
        raise ConfigError(f"{word!r} is no override: write key=value, such as optimizer.lr=3e-4")
    *parents, last = key.split(".")
    for parent in parents:
        table = table.setdefault(parent, {})
        if not isinstance(table, dict):
            raise ConfigError(f"{word!r}: {parent} is no table")
    table[last] = _value(value)


def _value(text: str) -> Any:
    """A TOML value; what is none is a text."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _check_keys(table: Mapping[str, Any], struct: type[Any], where: str, prefix: str) -> None:
    kinds = get_type_hints(struct)
    for key, value in table.items():
        if key not in kinds:
            raise ConfigError(f"{where}: no key {prefix + key!r}: {nearest(key, kinds)}")
        if isinstance(value, dict) and _is_table(kinds[key]):
            _check_keys(value, kinds[key], where, f"{prefix}{key}.")


def _is_table(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _readable(message: str) -> str:
    """`Expected `int`, got `str` - at `$.training.steps`` with the key in front."""
    what, _, place = message.replace("`object`", "table").partition(" - at `$.")
    key = place.rstrip("`")
    if what.startswith("Invalid enum value"):
        what += f": {nearest('', _choices(key))}"
    return f"{key}: {what}" if key else what


def _choices(key: str) -> tuple[str, ...]:
    """Return the values that the `Literal` of a dotted key admits."""
    kind: Any = Config
    for part in key.split("."):
        kind = get_type_hints(kind)[part]
    return get_args(kind)
