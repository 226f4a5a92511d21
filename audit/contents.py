"""The files of a repository: found by glob, name, key or role, with what stands in them."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from fnmatch import translate
from functools import cache, cached_property

from audit.facts.model import Command, DataFacts, Key, ProseFacts, PythonFacts, ScriptFacts
from audit.facts.script import shell_lines
from audit.model import Role
from audit.sites import File

_STEM = re.compile(r"[.\-_ ]")
_RUNS = frozenset(
    {"run", "script", "before_script", "command", "commands", "after_script", "install"}
)
_SCRIPT = re.compile(r"(script|commands|command|run)\[\d+\]$")


@cache
def _globs(patterns: tuple[str, ...]) -> Callable[[str], object]:
    """Return what tells whether one of some globs matches a path in lower case."""
    return re.compile("|".join(translate(one.lower()) for one in patterns) or r"(?!)").match


class Contents:
    """The files of one repository and their facts, by path."""

    def __init__(self, files: Iterable[File]) -> None:
        self.files: Mapping[str, File] = {one.path: one for one in files}

    def find(self, *patterns: str) -> Iterator[File]:
        """Yield files whose path matches a glob (``*`` also matches ``/``; case is ignored)."""
        matches = _globs(patterns)
        for path, lowered in self._lowered:
            if matches(lowered):
                yield self.files[path]

    @cached_property
    def _lowered(self) -> tuple[tuple[str, str], ...]:
        return tuple((path, path.lower()) for path in self.files)

    @cached_property
    def _files_by_name(self) -> dict[str, list[File]]:
        found: dict[str, list[File]] = {}
        for path in sorted(self.files, key=lambda one: (one.count("/"), one)):
            found.setdefault(self.files[path].name.lower(), []).append(self.files[path])
        return found

    def named(self, *names: str) -> Iterator[File]:
        """Yield files by their own name (case is ignored), those nearest to the root first."""
        for name in names:
            yield from self._files_by_name.get(name.lower(), ())

    @cached_property
    def _files_by_stem(self) -> dict[str, list[File]]:
        found: dict[str, list[File]] = {}
        for name, files in self._files_by_name.items():
            found.setdefault(_STEM.split(name)[0], []).extend(files)
        return found

    def by_stem(self, *stems: str) -> Iterator[File]:
        """Yield files by the first word of their name: ``license`` finds ``LICENSE-MIT.txt``."""
        for stem in stems:
            yield from self._files_by_stem.get(stem, ())

    def keys(self, *patterns: str) -> Iterator[tuple[File, Key]]:
        """Yield the keys of the configuration files that match the globs."""
        for one in self.find(*patterns):
            if isinstance(one.facts, DataFacts):
                for key in one.facts.keys:
                    yield one, key

    def keys_of(self, *names: str) -> Iterator[tuple[File, Key]]:
        """Yield the keys of the configuration files with these names, of any folder."""
        for one in self.named(*names):
            if isinstance(one.facts, DataFacts):
                for key in one.facts.keys:
                    yield one, key

    def key(self, path: str, name: str) -> Key | None:
        """Return a key of a configuration file by its dotted path."""
        one = self.files.get(path)
        if one is not None and isinstance(one.facts, DataFacts):
            for key in one.facts.keys:
                if key.path == name:
                    return key
        return None

    def by_role(self, *roles: Role) -> Iterator[File]:
        """Yield the files of some roles."""
        return (one for one in self.files.values() if one.role in roles)

    def prose(self) -> Iterator[tuple[File, ProseFacts]]:
        """Yield the Markdown and reStructuredText pages that are docs, the README first."""
        pages = [
            (one, one.facts) for one in self.by_role("docs") if isinstance(one.facts, ProseFacts)
        ]
        readme = re.compile(r"^readme\b", re.IGNORECASE)
        yield from sorted(pages, key=lambda row: not readme.match(row[0].path))

    @cached_property
    def commands(self) -> tuple[tuple[File, Command], ...]:
        """Every shell command that the repository shows or runs: scripts, recipes, CI steps
        (``run:``), fences of its docs, launch lines in docstrings."""
        found: list[tuple[File, Command]] = []
        for one in self.files.values():
            match one.facts:
                case ScriptFacts(commands=commands):
                    found += [(one, command) for command in commands]
                case PythonFacts(commands=commands):
                    found += [(one, command) for command in commands]
                case ProseFacts(fences=fences):
                    for fence in fences:
                        found += [(one, line) for line in shell_lines(fence.text, fence.line + 1)]
                case DataFacts(keys=keys) if one.role == "ci":
                    for key in keys:
                        if key.path.rpartition(".")[2] in _RUNS or _SCRIPT.search(key.path):
                            found += [(one, line) for line in shell_lines(key.value, key.line)]
        return tuple(found)

    @property
    def ci(self) -> tuple[File, ...]:
        """The CI definitions."""
        return tuple(self.by_role("ci"))

    @cached_property
    def unread_code(self) -> tuple[File, ...]:
        """Product Python files whose content is unknown, and folders that could hold some."""
        return tuple(
            one
            for one in self.files.values()
            if one.problem
            and ((one.role == "product" and one.path.endswith(".py")) or one.path.endswith("/"))
            and not one.problem.startswith(("sub", "sym"))
        )
