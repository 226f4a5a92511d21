"""What can be set: configuration files, environment variables, plugin groups; exit codes."""

from collections.abc import Iterator
from typing import Any, get_args, get_type_hints

import msgspec

from audit import config, errors, model
from codex_ml.errors import ExitCode
from codex_ml.plugins import builtin, groups
from codex_ml.training import config as training
from pages.environment import VARIABLES
from pages.markup import code, documented, line, page, table


def pages() -> Iterator[tuple[str, str]]:
    """Yield the pages."""
    yield "reference/configuration.md", configuration()
    yield "reference/training-configuration.md", training_configuration()
    yield "reference/environment.md", environment()
    yield "reference/exit-codes.md", exit_codes()
    yield "reference/plugin-groups.md", plugin_groups()


def configuration() -> str:
    """Return the reference of ``[tool.codex-audit]``."""
    waivers = table(
        ("key", "meaning"), [(code(name), words) for name, _, words in documented(model.Waiver)]
    )
    return page(
        "Configuration of the audit",
        f"`[{config.TABLE}]` in `pyproject.toml`, or the same keys in `{config.FILE}`. An unknown key "
        "is an error that names the nearest key and the line.",
        _keys(config.Config),
        f"## Waivers\n\nEach `[[{config.TABLE}.waivers]]` has all of these:\n\n{waivers}",
    )


def training_configuration() -> str:
    """Return the reference of the configuration of ``codex-ml train``."""
    parts = [
        "The TOML file that `codex-ml train` reads. Each key can be changed on the command line, such as "
        "`optimizer.lr=3e-4`; `--dry-run` prints the result with every default. An unknown key is an "
        "error that names the nearest one.",
        _keys(training.Config),
    ]
    for name, kind in get_type_hints(training.Config).items():
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            parts.append(f"## {name}\n\n{line(kind.__doc__ or '')}\n\n{_keys(kind)}")
    return page("Configuration of training", *parts)


def _keys(kind: type[msgspec.Struct]) -> str:
    fields = {one.name: one for one in msgspec.structs.fields(kind)}
    rows = [
        (code(name), code(_limits(written)), code(_default(fields[name])), words)
        for name, written, words in documented(kind)
    ]
    return table(("key", "type", "default", "meaning"), rows)


def _limits(written: str) -> str:
    """Spell out the numbers' types that the training configuration names."""
    match get_args(vars(training).get(written)):
        case kind, msgspec.Meta() as limits:
            most = f", at most {limits.le}" if limits.le is not None else ""
            return f"{kind.__name__}, at least {limits.ge}{most}"
    return written


def _default(field: Any) -> str:
    if field.default is not msgspec.NODEFAULT:
        value = field.default
    elif field.default_factory is not msgspec.NODEFAULT:
        value = field.default_factory()
    else:
        return "required"
    return "its own defaults" if isinstance(value, msgspec.Struct) else repr(value)


def environment() -> str:
    """Return the reference of the environment variables."""
    return page(
        "Environment variables",
        "Every variable that the code of this project reads. Libraries that it uses have their own.",
        table(
            ("variable", "read by", "meaning"), [(code(n), by, words) for n, by, words in VARIABLES]
        ),
    )


def exit_codes() -> str:
    """Return the reference of the exit codes."""
    parts = []
    for name, kind in (("codex-audit", errors.ExitCode), ("codex-ml", ExitCode)):
        rows = [(str(kind[one].value), code(one), words) for one, _, words in documented(kind)]
        parts.append(f"## {name}\n\n{table(('code', 'name', 'meaning'), rows)}")
    return page("Exit codes", "The same five for both commands and all that they can do.", *parts)


def plugin_groups() -> str:
    """Return the reference of the entry-point groups with what codex-ml brings."""
    parts = [
        "Entry-point groups that a distribution can declare plugins in, and what is built in. How to write "
        "one: [Write a plugin](../how-to/write-a-plugin.md); the rules: "
        "[Plugin registry](../plugins/Plugin_Registry.md).",
    ]
    for group in groups.GROUPS:
        rows = [(code(one.name), code(one.target)) for one in builtin.BUILTIN if one.group == group]
        found = table(("built in", "object"), rows) if rows else "Nothing is built in."
        parts.append(f"## {groups.PREFIX}{group}\n\n{found}")
    parts.append(
        f"## {groups.LISTED_ONLY}\n\nThe audit's group: `codex-ml plugins list` shows what is declared in it, "
        "and does not load it."
    )
    return page("Plugin groups", *parts)
