"""Options that product code hands to the engine that trains: keywords, entries of a dictionary
that becomes keywords, fields and attributes of a class of training arguments."""

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

import msgspec

from audit.code.modules import Module
from audit.facts.model import DataFacts, Key
from audit.practices import settings
from audit.practices.registry import Place, in_code, of_key
from audit.repository import File, Repository, Site, once

_ENTRY: Final = re.compile(r"\['(\w+)'\]$")
_ATTRIBUTE: Final = re.compile(r"^[@%]?(\w+\.)*\w*(?:args|arguments|opts?)\.(\w+)$")
"""An attribute of an object that holds the arguments of an engine."""
_ARGUMENTS: Final = re.compile(r"(^|[.:])\w*Training(Arguments|Args)$")
_DEEPSPEED: Final = (
    "deepspeed.initialize", "transformers.integrations.HfDeepSpeedConfig",
    "transformers.deepspeed.HfDeepSpeedConfig", "accelerate.DeepSpeedPlugin",
    "accelerate.utils.DeepSpeedPlugin",
)  # fmt: skip
_OFF: Final = frozenset(
    {"None", "False", "-1", "0", "0.0", "'none'", "'no'", "''", "[]", "()", "{}"}
)


_PARSERS: Final = ("trl.TrlParser", "transformers.HfArgumentParser", "trl.H4ArgumentParser")
"""Parsers that read the arguments of training from a file, too."""
_RECIPE: Final = frozenset(
    {"output_dir", "learning_rate", "per_device_train_batch_size", "num_train_epochs"}
)
"""Settings that tell a file of training arguments from others."""


class Option(msgspec.Struct, frozen=True):
    """An option with the canonical text of its value and where it is handed on."""

    name: str
    value: str
    home: Module | File
    """A module, or the file of settings that a command is started with."""
    scope: int
    line: int

    @property
    def fixed(self) -> bool:
        """Whether the value is a constant that a user of the product cannot choose; the default
        of a field is not, nor is a setting in a file."""
        if not isinstance(self.home, Module):
            return False
        if self.home.facts.definitions[self.scope].kind == "class":
            return False
        return self.value[:1] in "'[(" or self.value in ("True", "1")

    def place(self, says: str) -> Place:
        """Return where the option is handed on; `says` may take its name."""
        words = says.format(self.name)
        if isinstance(self.home, Module):
            return in_code(self.home, self.scope, self.line, words)
        return of_key(self.home, Key(self.name, self.line), words)


def handed(repo: Repository, *names: str, off: bool = False) -> Iterator[Option]:
    """Yield the options of these names; those whose value switches them off only with `off`."""
    for name in names:
        given = (
            Option(name, value, site.module, site.call.scope, site.line)
            for site, value in repo.given(name)
        )
        for one in (*given, *_assigned(repo).get(name, ())):
            if off or one.value not in _OFF:
                yield one


def options(repo: Repository, says: str, *names: str) -> Iterator[Place]:
    """Yield the places where an option of these names is given a value that switches it on."""
    return (one.place(says) for one in handed(repo, *names))


def configured(repo: Repository, pattern: str) -> Iterator[Site]:
    """Yield what configuration files in Python choose by name: ``dict(type="AmpOptimWrapper")``."""
    for site, value in repo.given("type"):
        if site.names[0] == "builtins.dict" and re.search(pattern, value):
            yield site


def recorded(repo: Repository, *keys: str) -> Iterator[Place]:
    """Yield mappings with one of the keys, where DeepSpeed takes its configuration from such."""
    if any(repo.calls(*_DEEPSPEED)):
        wanted = {*keys}
        for module in repo.product:
            for one in module.facts.records:
                if not wanted.isdisjoint(one.keys):
                    yield in_code(module, 0, one.line, "configures the DeepSpeed engine")


@once
def _assigned(repo: Repository) -> dict[str, list[Option]]:
    """Return the options that are assigned, by name."""
    found: dict[str, list[Option]] = defaultdict(list)
    arguments: dict[int, bool] = {}
    for module in repo.product:
        for one in module.facts.assigns:
            name = one.target.removeprefix("self.")
            if entry := _ENTRY.search(name) or _ATTRIBUTE.search(name):
                name = entry[entry.re.groups]
            elif not name.isidentifier() or not _in_arguments(repo, module, one.scope, arguments):
                continue
            if one.value:
                found[name].append(Option(name, one.value, module, one.scope, one.line))
    for setting in _settings(repo):
        found[setting.name].append(setting)
    return found


def _settings(repo: Repository) -> Iterator[Option]:
    """Yield what the YAML files say that hold the training arguments of a command."""
    if not any(repo.calls(*_PARSERS)):
        return
    for file, facts in settings.started_with(repo, "*.yaml", "*.yml"):
        keys = {one.path: one for one in facts.keys if one.path.isidentifier()}
        if len(_RECIPE & keys.keys()) >= 2:
            for name, key in keys.items():
                rows = [_canonical(one.value) for one in _items(facts, name)]
                value = f"[{', '.join(rows)}]" if rows else _canonical(key.value)
                yield Option(name, value, file, 0, key.line)


def _items(facts: DataFacts, name: str) -> Iterator[Key]:
    """Yield the entries of a list of scalars."""
    return (one for one in facts.keys if re.fullmatch(rf"{name}\[\d+\]", one.path))


def _canonical(value: str) -> str:
    """Write a scalar of a file as the text of a Python constant."""
    plain = {"true": "True", "false": "False", "null": "None", "": "None"}
    if (known := plain.get(value.lower())) is not None:
        return known
    return value if re.fullmatch(r"-?[\d.]+(e-?\d+)?", value) else repr(value)


def _in_arguments(repo: Repository, module: Module, scope: int, known: dict[int, bool]) -> bool:
    """Tell whether a scope is a class of training arguments or a method of one."""
    definitions = module.facts.definitions
    owner = scope if definitions[scope].kind == "class" else definitions[scope].parent
    if owner <= 0 or definitions[owner].kind != "class":
        return False
    node = module.first + owner
    if node not in known:
        names = (definitions[owner].name, *repo.program.ancestry(node))
        known[node] = any(map(_ARGUMENTS.search, names))
    return known[node]
