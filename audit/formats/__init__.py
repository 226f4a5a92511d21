"""The matrix in each output format: one module a format, one registry.

A format is a pure function of a `Report`: what a run found and, under a gate, what it
decided. Everything in it is escaped for its format: paths and contents are untrusted.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

import msgspec

from audit.model import Decision, Outcome
from audit.practices.catalogue import Catalogue

if TYPE_CHECKING:
    from collections.abc import Callable

FORMATS: Final = {
    "text": "txt",
    "json": "json",
    "md": "md",
    "html": "html",
    "sarif": "sarif",
    "junit": "junit.xml",
    "github": "github.txt",
    "gitlab": "gitlab.json",
    "badge": "svg",
}
"""Format → the suffix of its report file."""

WRITTEN: Final = ("json", "md", "html")
"""What `run --out` always writes."""


class Report(msgspec.Struct, frozen=True):
    """What a format renders."""

    outcome: Outcome
    catalogue: Catalogue
    templates: dict[str, bytes]
    decision: Decision | None = None
    """The gate's, where there is one."""


def render(name: str, report: Report) -> str:
    """Return a report in a format.

    Raises:
        ConfigError: a template is broken.
    """
    function: Callable[[Report], str] = import_module(f"audit.formats.{name}").render
    return function(report)
