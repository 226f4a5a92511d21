"""Options that product code hands to the engine that trains: keywords, entries of a dictionary
that becomes keywords, fields and attributes of a class of training arguments."""

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

import msgspec

from audit.code.modules import Module
from audit.facts.model import Key
from audit.practices.option_files import canonical, deepspeed_files, training_settings
from audit.practices.registry import Place, in_code, of_key
from audit.repository import Repository, once
from audit.sites import File, Site

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
    """Yield mappings with one of the keys, where DeepSpeed takes its configuration from such, and
    the files that configure it with one of them."""
    for file, known in deepspeed_files(repo):
        for name in keys:
            told = known.get(f"{name}.enabled") or known.get(name)
            once_each = name.endswith("_steps") and told and told.value == "1"
            if told and canonical(told.value) not in _OFF - {"None"} and not once_each:
                yield of_key(file, told, "configures the DeepSpeed engine")
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
    for told in training_settings(repo):
        found[told.name].append(Option(told.name, told.value, told.file, 0, told.line))
    return found


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
