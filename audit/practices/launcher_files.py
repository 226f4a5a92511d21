"""Configuration files of launchers: what `accelerate launch --config_file` is told."""

import re
from collections.abc import Iterator
from typing import Final

from audit.facts.model import Key
from audit.practices import settings
from audit.practices.registry import Place, of_key
from audit.repository import Repository, once
from audit.sites import File

_TELLS: Final = frozenset({"distributed_type", "num_processes"})


@once
def _files(repo: Repository) -> tuple[tuple[File, dict[str, Key]], ...]:
    found = (
        (file, {one.path: one for one in facts.keys})
        for file, facts in settings.started_with(repo, "*.yaml", "*.yml")
    )
    return tuple((file, keys) for file, keys in found if keys.keys() >= _TELLS)


def told(repo: Repository, name: str, value: str, says: str) -> Iterator[Place]:
    """Yield where a file for the launcher of Accelerate sets a key to a value that a pattern
    matches."""
    for file, keys in _files(repo):
        if (key := keys.get(name)) and re.fullmatch(value, key.value):
            yield of_key(file, key, says)
