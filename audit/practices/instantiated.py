"""Objects that a configuration file names for the code that makes them: Hydra's ``_target_``,
the ``class_path`` of a command line that is made from classes."""

from collections.abc import Iterator
from typing import Final

from audit.facts.model import DataFacts, Key
from audit.practices.libraries import library
from audit.repository import Repository, once
from audit.sites import File

_MAKERS: Final = ("hydra.*", "lightning.pytorch.cli.*", "pytorch_lightning.cli.*", "jsonargparse.*")
_NAMES: Final = ("_target_", "class_path")


@once
def _targets(repo: Repository) -> tuple[tuple[File, Key], ...]:
    if not any(repo.calls(*_MAKERS)):
        return ()
    return tuple(
        (file, key)
        for file in repo.by_role("config", "data", "product")
        for key in (file.facts.keys if isinstance(file.facts, DataFacts) else ())
        if key.path.endswith(_NAMES) and key.value
    )


def instantiated(repo: Repository, topic: str) -> Iterator[tuple[File, Key, str]]:
    """Yield the keys that name an object of a topic, with what the topic calls it."""
    for file, key in _targets(repo):
        if name := library(topic, (key.value,)):
            yield file, key, name
