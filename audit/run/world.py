"""From a source to a world: index it, and its last release where one is asked for."""

import re
from pathlib import Path
from typing import Final

from packaging.version import InvalidVersion, Version

from audit.docs_truth.world import Release, World
from audit.errors import SourceError
from audit.model import Role
from audit.repository import Repository
from audit.source import git
from audit.source.trees import Revision, Source, texts
from audit.stages.index import index
from audit.store import NoStore, Store

_CHANGELOG: Final = re.compile(
    r"(^|/)(change[-_ ]?log|changes|history|news|release[-_ ]?notes)\b[^/]*$", re.IGNORECASE
)
_WORD: Final = re.compile(r"\w+")


def open_world(
    source: Source, store: Store | NoStore, root: Path, roles: dict[str, Role], processes: int = 2
) -> World:
    """Return the world of a source; its last release is read when a check asks for it."""

    def indexed(one: Source) -> Repository:
        return Repository(index(one, store, processes=processes, overrides=roles))

    repo = indexed(source)

    def released() -> Release | None:
        tag = last_tag(root, source.revision)
        if not tag:
            return None
        before = Revision(root, tag)
        then = "\n".join(texts(before, _changelogs(before)))
        now = "\n".join(texts(source, _changelogs(source)))
        gained = frozenset(_WORD.findall("\n".join(set(now.splitlines()) - set(then.splitlines()))))
        return Release(tag, indexed(before), gained)

    return World(repo, lambda paths: texts(source, paths), released, str(root))


def _changelogs(source: Source) -> frozenset[str]:
    return frozenset(one.path for one in source.entries if _CHANGELOG.search(one.path))


def last_tag(root: Path, revision: str) -> str:
    """Return the tag of the highest version before a revision, empty for none.

    Where a higher one was released from another branch, the last release is not before it.
    """
    if not revision or git.find(root) is None:
        return ""
    try:
        every = git.run(root, "tag").decode("utf-8", "replace").split()
        before = set(git.run(root, "tag", "--merged", revision).decode("utf-8", "replace").split())
    except SourceError:
        return ""
    versions = [(version, name) for name in every if (version := _version(name)) is not None]
    last = max((one for one in versions if not one[0].is_prerelease), default=(None, ""))[1]
    return last if last in before else ""


def _version(tag: str) -> Version | None:
    """Read a tag such as ``v1.2.0``."""
    found = re.search(r"(?:^|[-_/])v?(\d+(?:\.\d+)+(?:[-_.]?[A-Za-z]+[-_.]?\d*)*)$", tag)
    try:
        return Version(found[1]) if found else None
    except InvalidVersion:
        return None
