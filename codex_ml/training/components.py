"""From names and options in a configuration to objects, through the plugin registry."""

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, get_type_hints

import msgspec

from codex_ml import plugins
from codex_ml.data.sources import Context, Splits
from codex_ml.tokenization import ByteTokenizer, Tokenizer, load
from codex_ml.training.config_file import nearest
from codex_ml.training.errors import ConfigError


def build(group: str, table: Mapping[str, Any], *given: object) -> Any:
    """Call the plugin ``table["name"]`` of a group with what is given and the table's options.

    Raises:
        ConfigError: there is no name, or an option is unknown, missing or of another type.
        PluginError: there is no such plugin, or it cannot be loaded.

    """
    options = dict(table)
    name = options.pop("name", None)
    if not isinstance(name, str):
        known = ", ".join(plugins.names(group))
        key = {"models": "model", "datasets": "data"}.get(group, group)
        raise ConfigError(f"{key}.name is not given: there are {known}")
    factory: Callable[..., Any] = plugins.get(group, name)
    return factory(*given, **_typed(factory, options, len(given), f"{group} {name!r}"))


def tokenizer(named: str) -> Tokenizer:
    """Return the tokenizer of a file, of a plugin, or the byte tokenizer."""
    if named == "byte":
        return ByteTokenizer()
    if named in plugins.names("tokenizers"):
        found: Tokenizer = plugins.get("tokenizers", named)()
        return found
    return load(named)


def datasets(table: Mapping[str, Any], context: Context) -> Splits:
    """Return the samples that the `data` table describes."""
    return Splits(*build("datasets", table, context))


def context(tokens: Tokenizer, block_size: int, seed: int, run: Path) -> Context:
    """Return what dataset plugins are given; what they derive goes below the run's directory."""
    return Context(tokenizer=tokens, block_size=block_size, seed=seed, cache=run / "tokens")


def _typed(
    factory: Callable[..., Any], options: dict[str, Any], given: int, where: str
) -> dict[str, Any]:
    """Check options against a factory's signature, and convert them to its annotations."""
    parameters = list(inspect.signature(factory).parameters.values())[given:]
    names = {each.name: each for each in parameters if each.kind is not each.VAR_KEYWORD}
    open_ended = len(names) < len(parameters)
    for key in options:
        if key not in names and not open_ended:
            raise ConfigError(f"{where}: no option {key!r}: {nearest(key, names)}")
    missing = [key for key, each in names.items() if each.default is each.empty]
    if missing := [key for key in missing if key not in options]:
        raise ConfigError(f"{where}: option {missing[0]!r} is missing")
    hints = get_type_hints(getattr(factory, "__init__") if isinstance(factory, type) else factory)  # noqa: B009  # mypy
    try:
        return {
            key: msgspec.convert(value, hints[key]) if key in hints else value
            for key, value in options.items()
        }
    except msgspec.ValidationError as error:
        raise ConfigError(f"{where}: {_key(options, hints)}: {error}") from None


def _key(options: dict[str, Any], hints: dict[str, Any]) -> str:
    for key in options:
        try:
            msgspec.convert(options[key], hints.get(key, Any))
        except msgspec.ValidationError:
            return key
    return ""
