"""Argparse parsers, read from the calls that the entry point reaches.

A parser that is handed around keeps no name of its own in the facts, so all options of a
program, and of the package around it, are taken together: what none accepts is surely dead.
"""

import re
from functools import lru_cache
from typing import Final

import msgspec

from audit.code.modules import Module
from audit.docs_truth.cli.model import Command, Option
from audit.docs_truth.cli.words import constant
from audit.facts.model import Call
from audit.repository import Repository

_ADDS: Final = (".add_argument", ".add_parser", "._add_action")
_READ: Final = frozenset({
    "ArgumentParser", "_add_action", "parse_known_args", "parse_known_intermixed_args",
    "add_argument", "add_parser",
})  # fmt: skip
_PARSER: Final = re.compile(
    r"(^|\| )argparse\.(ArgumentParser|_SubParsersAction)\(\)"
    r"(\.(add_subparsers|add_parser|add_argument_group|add_mutually_exclusive_group)\(\))*( \||$)"
)
"""An argument that is a parser, a group of its options, or its subparsers."""
_HARMLESS: Final = re.compile(
    r"^(builtins|typing)\.\w+$|^(argparse|argcomplete|shtab)\.|\.(append|extend)$"
)
_FLAGS: Final = ("store_true", "store_false", "store_const", "append_const", "count", "help",
                 "version", "BooleanOptionalAction")  # fmt: skip


class _Parser:
    """What the calls of a program add to its parsers."""

    def __init__(self) -> None:
        self.options: list[Option] = []
        self.commands: dict[str, tuple[str, int]] = {}
        self.parses = self.rest = False
        self.gap = self.more = ""

    def call(self, call: Call, path: str, found: Option | None, *, reached: bool) -> None:
        """Note what one call adds, and the option that it declares; what is not reached may
        belong to another program."""
        match call.names[0].rpartition(".")[2]:
            case "ArgumentParser":
                self.parses = self.parses or "argparse" in call.names[0]
            case "_add_action":
                self.gap = "options are copied from another parser"
            case "parse_known_args" | "parse_known_intermixed_args":
                self.rest = True
            case "add_argument" if "Options()" not in call.names[0]:  # of a browser, for one
                nargs = call.keyword("nargs") or ""
                self.rest = self.rest or "REMAINDER" in nargs or nargs == "'...'"
                if found is None:
                    self.gap = "an option's name is computed"
                elif found.names:
                    self.options.append(found if reached else _hidden(found))
            case "add_parser" if call.args:
                word = constant(call.args[0])
                if word is None:
                    self.more = "a subcommand's name is computed"
                else:
                    self.commands[word] = (path, call.line)


class ArgparseTrees:
    """The argparse command lines of a repository, by the node of their function."""

    def __init__(self, repo: Repository) -> None:
        self.repo = repo
        self.calls = [
            (module, call, _option(call, module.path))
            for module in repo.program.modules
            for call in module.facts.calls
            if call.names[0].rpartition(".")[2] in _READ
        ]
        self.handed = [
            (module, call)
            for module in repo.program.modules
            if any(one.startswith("argparse") for one in module.imports.values())
            for call in module.facts.calls
            if any(map(_PARSER.search, call.args)) and self._is_elsewhere(module, call)
        ]

    def _is_elsewhere(self, module: Module, call: Call) -> bool:
        """Tell whether a call leads to code that is not followed."""
        names = [one for one in call.names if not _HARMLESS.search(one)]
        return bool(names) and all(self.repo.program.resolve(module, one)[1] < 0 for one in names)

    def command(self, name: str, node: int) -> Command | None:
        """Return the command line that a function parses with argparse, None for none."""
        home = self.repo.program.owner[node]
        if node == home.first and not home.path.endswith("__main__.py") and not _is_parser(home):
            return None  # importing leads everywhere: a script parses what it says itself
        parser = _Parser()
        reached = self.repo.graph.reach({node})
        top = home.dotted.partition(".")[0]
        for module, call, option in self.calls:
            inside = "." in module.dotted and module.dotted.partition(".")[0] == top
            is_reached = module.first + call.scope in reached
            if is_reached or (inside and call.names[0].endswith(_ADDS)):
                parser.call(call, module.path, option, reached=is_reached)
        if any(module.first + call.scope in reached for module, call in self.handed):
            parser.gap = parser.more = "the parser is handed to code that is not followed"
        return _command(parser, name, home, self.repo.program.definition(node).line)


def _command(parser: _Parser, name: str, home: Module, line: int) -> Command | None:
    if not parser.parses:
        return None
    helping = Option(("-h", "--help"), home.path, 1, 0, hidden=True)
    options = (*parser.options, helping)
    inner = tuple(
        Command(word, path, line, options, gap=parser.gap, rest=parser.rest, loose=True)
        for word, (path, line) in parser.commands.items()
    )
    return Command(
        name, home.path, line, options, inner, bool(inner), parser.gap, parser.more,
        rest=parser.rest, loose=True,
    )  # fmt: skip


def _is_parser(module: Module) -> bool:
    return any(name.startswith("argparse.") for one in module.facts.calls for name in one.names)


@lru_cache(4096)
def _hidden(option: Option) -> Option:
    return msgspec.structs.replace(option, hidden=True)


def _option(call: Call, path: str) -> Option | None:
    """Read ``add_argument("-n", "--name", default=1)``; a positional has no names."""
    if any(constant(one) is None for one in call.args) or not call.args:
        return None
    names = tuple(one for one in map(constant, call.args) if one and one.startswith("-"))
    action = call.keyword("action") or ""
    flag = any(one in action for one in _FLAGS)
    if "BooleanOptionalAction" in action:
        names += tuple(f"--no-{one[2:]}" for one in names if one.startswith("--"))
    count = call.keyword("nargs") or "1"
    values = 0 if flag else int(count) if count.isdigit() else -1
    hidden = "SUPPRESS" in (call.keyword("help") or "")
    return Option(names, path, call.line, values, call.keyword("default"), hidden)
