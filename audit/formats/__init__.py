"""The matrix in each output format: one module a format, one registry.

A format is a pure function of a `Report`: what a run found and, under a gate, what it
decided. Everything in it is escaped for its format: paths and contents are untrusted.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

from audit.model import Report

if TYPE_CHECKING:
    from collections.abc import Callable

FORMATS: Final = {"text": "txt", "json": "json", "md": "md", "html": "html"}
"""Format → the suffix of its report file."""

WRITTEN: Final = ("json", "md", "html")
"""What `run --out` always writes."""


def render(name: str, report: Report) -> str:
    """Return a report in a format."""
    function: Callable[[Report], str] = import_module(f"audit.formats.{name}").render
    return function(report)
