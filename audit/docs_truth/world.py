"""What claims are held against: the repository's facts, its words, its last release."""

import re
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Final

from audit.docs_truth.cli.model import Program
from audit.docs_truth.cli.programs import programs
from audit.docs_truth.distribution import Distribution, distribution
from audit.docs_truth.namespace import Namespace
from audit.docs_truth.pages import Page, pages
from audit.repository import Repository

_WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


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

    def exists(self, path: str) -> bool:
        """Tell whether a path is a file or a folder of the tree."""
        return path in self.repo.files or path in self.folders

    @cached_property
    def namespace(self) -> Namespace:
        """What dotted names of the project stand for."""
        return Namespace(self.repo)

    @cached_property
    def programs(self) -> tuple[Program, ...]:
        """The command lines that the project offers."""
        return programs(self.repo, self.distribution)

    @cached_property
    def distribution(self) -> Distribution:
        """What the project's metadata declare."""
        return distribution(self.repo)

    @cached_property
    def words(self) -> frozenset[str]:
        """Every identifier in a file that is no documentation: what is in none of them, no
        code reads, writes or accepts."""
        names = [one.path for one in self.repo.files.values() if one.role != "docs"]
        return frozenset(word for text in self._read(names) for word in _WORD.findall(text))

    @cached_property
    def prose(self) -> str:
        """The text of all pages, for asking whether a name is documented anywhere."""
        return "\n".join(self._read([one.path for one in self.pages if not one.history]))

    @cached_property
    def released(self) -> "Release | None":
        """The last release, where there is one before this revision."""
        return self._released()


class Release:
    """The last tagged release of the repository."""

    def __init__(self, tag: str, repo: Repository, changed: frozenset[str]) -> None:
        self.tag = tag
        self.repo = repo
        self.changed = changed
        """Words that the changelog has gained since."""
