"""What the settings of a Sphinx site say about its pages."""

import re
from typing import Final

import msgspec

from audit.docs_truth.cli.words import strings
from audit.docs_truth.world import World
from audit.facts.model import PythonFacts

_MAKES: Final = re.compile(
    r"(shutil\.(copy|move)|subprocess\.|os\.system|.*apidoc\.(main|cmdline)|.*\.exec_module$)"
)
_MAKING: Final = re.compile(r"gallery|apidoc|autoapi")


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
    made = called or _MAKING.search(values.get(":extensions", "")) is not None
    return Site(made, tuple(strings(values.get(":exclude_patterns", ""))))


_KNOWN: Final = re.compile(
    r"(sphinx\.ext\.(?!intersphinx|autosectionlabel)|myst_parser|numpydoc|notfound\.|recommonmark"
    r"|sphinx_(copybutton|design|tabs|inline_tabs|rtd_theme|autodoc_typehints|togglebutton))"
)


def knows_more(world: World) -> bool:
    """Tell whether a site may know labels and pages from elsewhere: an inventory of another
    project, or an extension that may bring one."""
    for file in world.repo.named("conf.py"):
        for one in file.facts.assigns if isinstance(file.facts, PythonFacts) else ():
            if one.target == ":intersphinx_mapping":
                return True
            if one.target == ":extensions":
                whole = one.value.endswith(("]", ")"))
                if not whole or not all(map(_KNOWN.match, strings(one.value))):
                    return True
    return False
