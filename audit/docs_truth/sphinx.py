"""What the settings of a Sphinx site say about its pages."""

import re
from typing import Final

import msgspec

from audit.docs_truth.cli.words import strings
from audit.docs_truth.world import World
from audit.facts.model import PythonFacts

_MAKES: Final = re.compile(r"(shutil\.(copy|move)|subprocess\.|os\.system)")


class Site(msgspec.Struct, frozen=True):
    """A site as its ``conf.py`` sets it up."""

    made: bool = False
    """Pages are made when it is built: by an extension, or by ``conf.py`` itself."""
    apart: tuple[str, ...] = ()
    """Globs of the pages that are left out."""


def site(world: World, root: str) -> Site:
    """Read the ``conf.py`` of a folder of sources."""
    file = world.repo.files.get(f"{root}/conf.py".lstrip("/"))
    facts = file.facts if file is not None else None
    if not isinstance(facts, PythonFacts):
        return Site()
    called = any(_MAKES.match(name) for one in facts.calls for name in one.names)
    values = {one.target: one.value for one in facts.assigns}
    made = called or "gallery" in values.get(":extensions", "")
    return Site(made, tuple(strings(values.get(":exclude_patterns", ""))))
