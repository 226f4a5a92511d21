"""Click commands, read from decorators: nothing is imported."""

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Final

import msgspec

from audit.code.modules import Module
from audit.docs_truth.cli.model import Command, Option
from audit.docs_truth.cli.words import constant, decorations, strings
from audit.facts.model import Call, Definition
from audit.repository import Repository

_LIBRARY: Final = r"(?:rich_)?click(?:\.\w+)*\.|cloup\.|asyncclick\."
_MAKES: Final = re.compile(rf"^(?:{_LIBRARY})(command|group)(?:\(\))?$")
_MEMBER: Final = re.compile(r"^(.+)\.(command|group)(?:\(\))?$")
_OPTION: Final = re.compile(
    rf"^(?:{_LIBRARY})(option|version_option|help_option|password_option|confirmation_option)"
    r"(?:\(\))?$"
)
_HARMLESS: Final = re.compile(
    rf"^(?:(?:{_LIBRARY})(argument|pass_\w+|make_pass_decorator(\(\))*)|functools\.\w+|contextlib"
    r"\.\w+|typing\.\w+|builtins\.\w+)(\(\))*$"
)
_PLAIN_GROUP: Final = re.compile(
    rf"^(?:{_LIBRARY})(Group|Command|RichGroup|RichCommand|MultiCommand|AliasedGroup)$"
)
_SUFFIX: Final = re.compile(r"_(command|cmd|group|grp)$")
_IMPORTED: Final = re.compile(rf"^(?:{_LIBRARY}|(rich_|async)?click$|cloup$)")
_LAST: Final = re.compile(r"[.:]")
_LAZY: Final = re.compile(r"'([\w-]+)': '([\w.:]+)'")


class ClickTrees:
    """The click commands of a repository, by the node of their function."""

    def __init__(self, repo: Repository) -> None:
        self.repo = repo
        self.program = repo.program
        self._members: dict[str, list[tuple[str, Module, Call]]] = {}
        self._known: dict[int, Command | None] = {}
        self.used = any(
            _IMPORTED.match(one.target)
            for module in repo.program.modules
            for one in module.facts.imports
        )
        """Whether any module imports click: without it there is nothing to look for."""
        for module in repo.product if self.used else ():
            for call in module.facts.calls:
                last = call.names[0].rpartition(".")[2]
                if last in ("command", "group", "add_command"):
                    text = self.program.resolve(module, call.names[0])[0]
                    owner = text.rpartition(".")[0]
                    self._members.setdefault(owner, []).append((last, module, call))

    def at(self, node: int) -> Command | None:
        """Return the command that a function is, None for what is none."""
        if node not in self._known:
            self._known[node] = None
            self._known[node] = self._read(node)
        return self._known[node]

    def _read(self, node: int) -> Command | None:
        module = self.program.owner[node]
        one = self.program.definition(node)
        if one.kind != "function":
            return None
        maker: Call | None = None
        kind = ""
        options: list[Option] = []
        gap = ""
        for text, call in decorations(module, node):
            absolute, target = self.program.resolve(module, text)
            if (made := _made(absolute)) and target < 0:
                kind, maker = made, call
            elif call is not None and (found := _OPTION.match(absolute)):
                option = self._option(found[1], call, module)
                gap = gap if option is not None else "an option's name is computed"
                options += option or []
            elif target >= 0:
                inner, why = self._inside(target)
                options += inner
                gap = gap or why
            elif (assigned := self._assigned(module, text)) is not None:
                options += assigned
            elif not _HARMLESS.match(absolute):
                gap = gap or "a decorator may add options"
        if not kind:
            return None
        return self._command(node, module, one, kind, maker, tuple(options), gap)

    def _command(
        self, node: int, module: Module, one: Definition, kind: str, maker: Call | None,
        options: tuple[Option, ...], gap: str,
    ) -> Command:  # fmt: skip
        group = kind == "group"
        keywords = dict(maker.kwargs) if maker is not None else {}
        name = constant(maker.args[0]) if maker is not None and maker.args else None
        name = name or constant(keywords.get("name", "")) or default_name(one.name)
        commands, more, fallback = self._commands(node, module, keywords) if group else ((), "", "")
        settings = keywords.get("context_settings", "")
        rest = "ignore_unknown_options" in settings or "allow_extra_args" in settings
        helps = tuple(one for one in strings(settings) if one.startswith("-")) or ("--help",)
        helping = Option(helps, module.path, one.line, 0, hidden=True)
        return Command(
            name, module.path, one.line, (*options, helping), commands, group, gap, more,
            fallback, rest,
        )  # fmt: skip

    # ----------------------------------------------------------------- options
    def _option(self, kind: str, call: Call, module: Module) -> list[Option] | None:
        if kind != "option":
            return _special(kind, call, module)
        if any(not one.startswith("'") for one in call.args) or not call.args:
            return None
        return [_declared(call, module)]

    def _inside(self, node: int) -> tuple[list[Option], str]:
        """Return the options that a decorator of the project adds, those of its module too."""
        module = self.program.owner[node]
        options = self._named(module)
        gap = "" if options is not None else "an option's name is computed"
        options = options or []
        for site in self.repo.calls_in(module, node - module.first):
            found = _OPTION.match(site.names[0])
            if found and not site.names[0].endswith("()"):  # not what the option is applied to
                made = self._option(found[1], site.call, module)
                gap = gap if made is not None else "an option's name is computed"
                options += made or []
        return options, gap if options else "a decorator may add options"

    def _assigned(self, module: Module, text: str) -> list[Option] | None:
        """Return the option that a module-level name stands for: ``quiet = click.option(...)``."""
        absolute = self.program.resolve(module, text)[0]
        if not (found := _OPTION.match(absolute)):
            return None
        if _OPTION.match(text):  # facts name the call, not the variable: any of the module's
            return self._named(module)
        for home in self.repo.product:
            for one in home.facts.assigns:
                if one.scope == 0 and one.target.lstrip(":") == text.rpartition(".")[2].lstrip(":"):
                    for call in home.facts.calls:
                        if call.line == one.line and _OPTION.match(call.names[0]):
                            return self._option(found[1], call, home)
        return None

    def _named(self, module: Module) -> list[Option] | None:
        """Return the options that a module keeps under names, None where one is computed."""
        made = [
            self._option(kind[1], call, module)
            for call in module.facts.calls
            if call.scope == 0
            and call.decorates < 0
            and (kind := _OPTION.match(call.names[0])) is not None
        ]
        return [option for options in made for option in options or []] if all(made) else None

    # ------------------------------------------------------------- subcommands
    def _commands(
        self, node: int, module: Module, keywords: dict[str, str]
    ) -> tuple[tuple[Command, ...], str, str]:
        found: dict[str, Command] = {}
        more = ""
        for last, home, call in self._members.get(self.program.symbol(node), ()):
            target = -1
            if last in ("command", "group") and call.decorates >= 0:
                target = home.first + call.decorates
            elif last == "add_command" and call.args:
                target = self.program.resolve(home, call.args[0].partition(" | ")[0])[1]
            inner = self.at(target) if target >= 0 else None
            if inner is None:
                more = "a subcommand is made at run time"
                continue
            name = self._added(call) if last == "add_command" else inner.name
            found[name or inner.name] = renamed(inner, name or inner.name)
        fallback = constant(keywords.get("default", "")) or ""
        lazy, why = self._lazy(module, keywords)
        for one in lazy:
            found.setdefault(one.name, one)
        more = more or why or ("a function adds subcommands" if self._handed(node) else "")
        return tuple(found.values()), more, fallback

    @staticmethod
    def _added(call: Call) -> str:
        given = call.args[1] if len(call.args) > 1 else call.keyword("name") or ""
        return constant(given) or ""

    def _lazy(self, module: Module, keywords: dict[str, str]) -> tuple[list[Command], str]:
        """Return the subcommands that a group imports when they are asked for."""
        kind = keywords.get("cls", "")
        found: list[Command] = []
        for table in (value for key, value in keywords.items() if "lazy" in key):
            for name, place in _LAZY.findall(table):
                inner = self._object(module, place.replace(":", "."))
                if inner is not None:
                    found.append(renamed(inner, name))
        absolute, node = self.program.resolve(module, kind) if kind else ("", -1)
        if not kind or _PLAIN_GROUP.match(absolute):
            return found, ""
        if node < 0:
            named = "click_default_group" in absolute
            return found, "" if named else "a class from elsewhere may add subcommands"
        lookup = self.program.method(node, "get_command")
        if lookup < 0:
            return found, ""
        imported = list(self._imported(lookup))
        return found + imported, "" if found or imported else "subcommands are looked up by code"

    def _imported(self, lookup: int) -> Iterator[Command]:
        """Yield what ``import_module(f"pkg.cli.{name}").command`` finds."""
        module = self.program.owner[lookup]
        returned = self.program.definition(lookup).returns
        for site in self.repo.calls_in(module, lookup - module.first):
            if site.names[0] == "importlib.import_module" and site.call.args:
                lead = re.match(r"f'([\w.]+)\.\{", site.call.args[0])
                wanted = [one.rpartition("().")[2] for one in returned if "import_module()." in one]
                for home in self.repo.product if lead else ():
                    if lead and home.package == lead[1] and home.dotted != lead[1]:
                        for attribute in wanted:
                            inner = self._object(home, f":{attribute}")
                            if inner is not None:
                                yield renamed(inner, home.dotted.rpartition(".")[2])

    def _object(self, module: Module, text: str) -> Command | None:
        node = self.program.resolve(module, text)[1]
        return self.at(node) if node >= 0 else None

    def _handed(self, node: int) -> bool:
        """Tell whether a group is handed to a function, which may add to it."""
        symbol = self.program.symbol(node)
        handed = self._arguments.get(self.program.definition(node).name, ())
        return any(self.program.resolve(module, text)[0] == symbol for module, text in handed)

    @cached_property
    def _arguments(self) -> dict[str, list[tuple[Module, str]]]:
        """Names that calls are given, by their last part."""
        found: dict[str, list[tuple[Module, str]]] = {}
        for module in self.repo.product:
            for call in module.facts.calls:
                if call.names[0].rpartition(".")[2] not in _READS:
                    for text in (*call.args, *(value for _, value in call.kwargs)):
                        bare = text.partition(" | ")[0]
                        found.setdefault(_LAST.split(bare)[-1], []).append((module, bare))
        return found


_READS: Final = frozenset("add_command invoke main run Context get_command isinstance".split())


def _made(absolute: str) -> str:
    """Return ``command`` or ``group`` for a decorator that makes one, empty for others."""
    if found := _MAKES.match(absolute):
        return found[1]
    member = _MEMBER.match(absolute)
    return member[2] if member and not absolute.startswith("typer.") else ""


def default_name(function: str) -> str:
    """Return the name that click gives the command of a function."""
    last = function.rpartition(".")[2]
    return _SUFFIX.sub("", last).replace("_", "-") or last


def renamed(command: Command, name: str) -> Command:
    """Return a command under another name."""
    return command if command.name == name else msgspec.structs.replace(command, name=name)


def _special(kind: str, call: Call, module: Module) -> list[Option]:
    """Return what ``version_option`` and its like declare."""
    given = [constant(one) or "" for one in call.args]
    names = tuple(one for one in given if one.startswith("-"))
    usual = {
        "version_option": "--version", "help_option": "--help", "password_option": "--password",
        "confirmation_option": "--yes",
    }  # fmt: skip
    takes = 1 if kind == "password_option" else 0
    hidden = kind in ("version_option", "help_option")
    return [Option(names or (usual[kind],), module.path, call.line, takes, hidden=hidden)]


def _declared(call: Call, module: Module) -> Option:
    """Read ``click.option("--shout/--quiet", "-s", default=True)``."""
    names: list[str] = []
    flag = call.keyword("is_flag") == "True" or call.keyword("count") == "True"
    flag = flag or call.keyword("flag_value") is not None or "bool" in (call.keyword("type") or "")
    for one in call.args:
        parts = [part.strip() for part in (constant(one) or "").split("/")]
        if len(parts) > 1 and all(part.startswith("-") for part in parts if part):
            flag = True
        names += [part for part in parts if part.startswith("-")]
    default = call.keyword("default")
    count = call.keyword("nargs") or "1"
    kind = call.keyword("type") or ""
    if kind.startswith("("):
        count = str(kind.count(",") + 1)
    return Option(
        tuple(names), module.path, call.line, 0 if flag else int(count) if count.isdigit() else 1,
        default, call.keyword("hidden") == "True", constant(call.keyword("envvar") or "") or "",
    )  # fmt: skip
