"""A command line: programs, commands, options."""

from collections.abc import Iterator
from functools import cached_property
from typing import Literal

import msgspec


class Option(msgspec.Struct, frozen=True):
    """An option with all its names."""

    names: tuple[str, ...]
    path: str
    line: int
    values: int = 1
    """How many words follow it; 0 for a flag."""
    default: str | None = None
    """The literal that the code gives; None where it gives none or computes it."""
    hidden: bool = False
    variable: str = ""
    """The environment variable that sets it."""


class Command(msgspec.Struct, frozen=True, dict=True):
    """A command or a group of commands."""

    name: str
    path: str
    line: int
    options: tuple[Option, ...] = ()
    commands: tuple["Command", ...] = ()
    group: bool = False
    gap: str = ""
    """Why not every option is to be seen; empty where they are."""
    more: str = ""
    """Why not every subcommand is to be seen; empty where they are."""
    fallback: str = ""
    """The subcommand that runs where none is named."""
    rest: bool = False
    """Words after the first that is no option belong to another program."""
    loose: bool = False
    """Options may be shortened, and written with ``_`` for ``-`` (argparse)."""

    @cached_property
    def by_name(self) -> dict[str, Option]:
        """The options by each of their names."""
        return {name: one for one in self.options for name in one.names}

    @cached_property
    def _by_dashed(self) -> dict[str, Option]:
        found: dict[str, Option] = {}
        for name, one in self.by_name.items():
            found.setdefault(_dashed(name), one)
        return found

    def option(self, name: str) -> Option | None:
        """Return the option of a name."""
        if (found := self.by_name.get(name)) is not None or not self.loose:
            return found
        plain = _dashed(name)
        for other, one in self._by_dashed.items():
            if plain == other or (len(plain) > 3 and other.startswith(plain)):
                return one
        return None

    def command(self, name: str) -> "Command | None":
        """Return a subcommand."""
        return next((one for one in self.commands if name in (one.name, _dashed(one.name))), None)

    def walk(self, lead: str = "") -> Iterator[tuple[str, "Command"]]:
        """Yield this command and all below it, with what one types to get there."""
        title = f"{lead} {self.name}".strip()
        yield title, self
        for one in self.commands:
            yield from one.walk(title)


def _dashed(name: str) -> str:
    return name.replace("_", "-")


class Program(msgspec.Struct, frozen=True, dict=True):
    """A command line that the project offers."""

    names: tuple[str, ...]
    """Console command, module or script file."""
    style: Literal["click", "argparse", "typer", "unknown"]
    command: Command
    path: str = ""
    """The file that is run, for a script."""

    @cached_property
    def every(self) -> tuple[tuple[str, Command], ...]:
        """Every command, with what one types."""
        return tuple(self.command.walk())

    @cached_property
    def closed(self) -> bool:
        """Whether all options of all commands are to be seen."""
        return not any(one.gap or one.more for _, one in self.every)
