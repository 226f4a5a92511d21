"""What claims are held against: the repository's facts, its words, its last release."""

import re
from collections.abc import Callable, Iterable, Sequence
from fnmatch import fnmatchcase
from functools import cached_property, lru_cache
from typing import Final

from audit.docs_truth.cli.model import Command, Program
from audit.docs_truth.cli.programs import programs
from audit.docs_truth.distribution import Distribution, distribution
from audit.docs_truth.forms import Form, forms
from audit.docs_truth.namespace import Namespace
from audit.docs_truth.pages import Page, pages
from audit.facts.model import ProseFacts
from audit.practices.entries import OPTIONS
from audit.repository import Repository
from audit.sites import File

_INCLUDES: Final = ("snippet", "include")
_WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SPLITS: Final = re.compile(r"""split\(\s*["']\s?--["']""")
_COMPARED: Final = re.compile(r"""==\s*["']([\w-]+)["']|["']([\w-]+) """)


class World:
    """One repository as documentation is held against it."""

    def __init__(
        self,
        repo: Repository,
        read: Callable[[Iterable[str]], Iterable[str]],
        released: Callable[[], "Release | None"] = lambda: None,
        root: str = "",
    ) -> None:
        self.repo = repo
        self._read = read
        self._released = released
        self.root = root
        """Where the working tree lies, for executed examples; empty without one."""

    @cached_property
    def pages(self) -> tuple[Page, ...]:
        """The pages of documentation."""
        return pages(self.repo)

    @cached_property
    def _by_path(self) -> dict[str, Page]:
        return {one.path: one for one in self.pages}

    def page(self, path: str) -> Page | None:
        """Return the page of a path."""
        return self._by_path.get(path)

    @cached_property
    def present(self) -> tuple[Page, ...]:
        """The pages that tell what is so now."""
        return tuple(one for one in self.pages if not one.history)

    @cached_property
    def folders(self) -> frozenset[str]:
        """Every folder of the tree."""
        found: set[str] = {""}
        for path in self.repo.files:
            while "/" in path:
                path = path.rpartition("/")[0]
                found.add(path)
        return frozenset(found)

    def named(self, name: str) -> Sequence[str]:
        """Return the files and folders whose last part is a name."""
        return self._named.get(name, ())

    @cached_property
    def _named(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for path in (*self.repo.files, *self.folders):
            found.setdefault(path.rpartition("/")[2], []).append(path)
        return found

    def includers(self, page: Page) -> tuple[str, ...]:
        """Return the folders of the pages that include a page: its links may be theirs."""
        return self._includers.get(page.path.rpartition("/")[2], ())

    @cached_property
    def _includers(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for page in self.pages:
            names = [one.argument for one in page.facts.directives if one.name in _INCLUDES]
            names += [one.info for one in page.facts.fences if one.info.startswith("{include}")]
            for name in names:
                last = name.rpartition("/")[2]
                found[last] = (*found.get(last, ()), page.folder)
        return found

    def exists(self, path: str) -> bool:
        """Tell whether a path is a file or a folder of the tree."""
        return path in self.repo.files or path in self.folders

    def linked(self, path: str) -> bool:
        """Tell whether a path leads through a link or a submodule: what is no folder here."""
        return any(one in self.repo.files for one in _above(path))

    def ignored(self, path: str) -> bool:
        """Tell whether a ``.gitignore`` names a path: a file that is made."""
        return any(
            fnmatchcase(place, pattern)
            for pattern in self._ignores
            for place in (path, path.rpartition("/")[2], f"{path}/x", *_above(path))
        ) or any(pattern.startswith(f"{path}/") for pattern in self._ignores)

    @cached_property
    def _ignores(self) -> tuple[str, ...]:
        found = []
        for file in self.repo.named(".gitignore"):
            folder = file.path.rpartition("/")[0]
            for row in "".join(self._read([file.path])).splitlines():
                name = row.strip().strip("/")
                if name and not row.startswith(("#", "!")):
                    found += [f"{folder}/{name}", f"{folder}/*/{name}"] if folder else [name]
        return tuple(found)

    @cached_property
    def namespace(self) -> Namespace:
        """What dotted names of the project stand for."""
        return Namespace(self.repo)

    @cached_property
    def programs(self) -> tuple[Program, ...]:
        """The command lines that the project offers."""
        return programs(self.repo, self.distribution)

    @cached_property
    def options(self) -> dict[str, Command]:
        """The options of all programs by each of their names, with a command that has it."""
        return {
            name: command
            for program in self.programs
            for _, command in program.every
            for one in command.options
            for name in one.names
        }

    @cached_property
    def programs_by_name(self) -> dict[str, list[Program]]:
        """The programs by each of their names."""
        found: dict[str, list[Program]] = {}
        for program in self.programs:
            for name in dict.fromkeys(program.names):
                found.setdefault(name, []).append(program)
        return found

    def offers(self, flag: str) -> bool:
        """Tell whether any command has an option, shortened or written otherwise, too."""
        if flag not in self._offered:
            self._offered[flag] = any(one.option(flag) is not None for one in self._distinct)
        return self._offered[flag]

    @cached_property
    def _offered(self) -> dict[str, bool]:
        return {}

    @cached_property
    def _distinct(self) -> tuple[Command, ...]:
        """One of the commands that share their options: subcommands of argparse all do."""
        commands = [command for program in self.programs for _, command in program.every]
        return tuple({(id(one.options), one.loose): one for one in commands}.values())

    @cached_property
    def reads_options_otherwise(self) -> bool:
        """Whether code uses a command-line library whose options are not read here."""
        others = frozenset(OPTIONS) - {"argparse.ArgumentParser", "click.command", "click.group"}
        return any(
            not (others - {"typer.Typer"}).isdisjoint(call.names)
            for module in self.repo.program.modules
            for call in module.facts.calls
        )

    @cached_property
    def distribution(self) -> Distribution:
        """What the project's metadata declare."""
        return distribution(self.repo)

    def texts(self, files: Iterable[File]) -> Iterable[str]:
        """Return the texts of some files, in order."""
        return self._read([one.path for one in files])

    @cached_property
    def code(self) -> str:
        """The text of all files that are no documentation."""
        return "\n".join(self._code)

    @cached_property
    def _code(self) -> tuple[str, ...]:
        names = [
            one.path
            for one in self.repo.files.values()
            if one.role != "docs" and not isinstance(one.facts, ProseFacts)
        ]
        return tuple(self._read(names))

    @cached_property
    def words(self) -> frozenset[str]:
        """Every identifier in a file that is no documentation: what is in none of them, no
        code reads, writes or accepts."""
        return frozenset[str]().union(*map(_words, self._code))

    @cached_property
    def split_words(self) -> frozenset[str]:
        """The words that modules compare with which split a text at ``--`` themselves: prompts."""
        splitting = filter(_SPLITS.search, self._code)
        return frozenset(one or two for text in splitting for one, two in _COMPARED.findall(text))

    @cached_property
    def own_names(self) -> frozenset[str]:
        """What the project is called: its packages, distributions and console commands."""
        known = self.distribution
        names = {*self.namespace.tops, *known.names, *(name for name, _ in known.scripts)}
        return frozenset(one for one in names if one)

    @cached_property
    def forms(self) -> tuple[Form, ...]:
        """The classes and dict displays of the product that give names to values."""
        return forms(self.repo)

    @cached_property
    def prose(self) -> str:
        """The text of all pages, for asking whether a name is documented anywhere."""
        return "\n".join(self.text_of.values())

    @cached_property
    def text_of(self) -> dict[str, str]:
        """The text of each page by its path."""
        paths = [one.path for one in self.pages]
        return dict(zip(paths, self._read(paths), strict=True))

    @cached_property
    def prose_words(self) -> frozenset[str]:
        """Every identifier in the text of the pages."""
        return frozenset(_WORD.findall(self.prose))

    @cached_property
    def released(self) -> "Release | None":
        """The last release, where there is one before this revision."""
        return self._released()


@lru_cache(4096)
def _words(text: str) -> frozenset[str]:
    """Return the identifiers of a text; a history asks for most of them at every commit."""
    return frozenset(_WORD.findall(text))


def _above(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]


class Release:
    """The last tagged release of the repository."""

    def __init__(self, tag: str, repo: Repository, changed: frozenset[str]) -> None:
        self.tag = tag
        self.repo = repo
        self.changed = changed
        """Words that the changelog has gained since."""
