"""Configuration files of launchers: what `accelerate launch --config_file` is told."""

import re
from collections.abc import Iterator

from audit.facts.model import DataFacts
from audit.practices.registry import Place, of_key
from audit.repository import Repository


def told(repo: Repository, name: str, value: str, says: str) -> Iterator[Place]:
    """Yield where a file for the launcher of Accelerate sets a key to a value that a pattern
    matches."""
    for file in repo.find("*.yaml", "*.yml"):
        if isinstance(file.facts, DataFacts) and file.role in ("product", "config", "data"):
            keys = {one.path: one for one in file.facts.keys}
            key = keys.get(name)
            ours = keys.keys() >= {"distributed_type", "num_processes"}
            if ours and key and re.fullmatch(value, key.value):
                yield of_key(file, key, says)
