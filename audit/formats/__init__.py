"""The matrix in each output format: one module a format, one registry."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Final

from audit.model import Outcome

FORMATS: Final = {"text": "txt", "json": "json", "md": "md", "html": "html"}
"""Format → the suffix of its report file."""

WRITTEN: Final = ("json", "md", "html")
"""What `run --out` always writes."""


def render(name: str, report: Outcome, templates: Mapping[str, bytes]) -> str:
    """Return a report in a format."""
    module = {"md": "templated", "html": "templated"}.get(name, name)
    function: Callable[..., str] = import_module(f"audit.formats.{module}").render
    return function(report, templates, name) if module == "templated" else function(report)
