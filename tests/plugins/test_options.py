"""From a table of a configuration to a factory with its options."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from codex_ml import plugins
from codex_ml.plugins.errors import PluginOptionError, UnknownPluginError
from codex_ml.plugins.options import prepare
from tests.conftest import TORCH

if TYPE_CHECKING:
    from decimal import Decimal


def scale(size: int, *, by: float = 1.0, exact: Decimal | None = None) -> tuple[Any, ...]:
    return size, by, exact


class Scale:
    def __init__(self, size: int, **options: Any) -> None:
        self.made = size, options


plugins.register("models", "options-scale", scale)
plugins.register("models", "options-class", Scale)
plugins.register("models", "options-partial", partial(scale, by=3.0))


@pytest.mark.parametrize(
    ("group", "table", "says"),
    [
        ("datasets", {}, "data.name is not given: there are jsonl, text, tokens"),
        ("models", {}, "model.name is not given: there are .*huggingface, .*transformer"),
        ("models", {"name": "transformer", "layer": 2}, "no option 'layer': did you mean 'layers'"),
        ("models", {"name": "transformer", "layers": "2"}, "layers: Expected `int`, got `str`"),
        pytest.param(
            "datasets", {"name": "text"}, "datasets 'text': option 'path' is missing", marks=TORCH
        ),
        pytest.param("datasets", {"name": "text", "path": 1}, "path: Expected", marks=TORCH),
    ],
)
def test_what_does_not_fit_is_named(group: str, table: dict[str, Any], says: str) -> None:
    with pytest.raises(PluginOptionError, match=says):
        prepare(group, table, 2 if group == "models" else 1)


def test_an_unknown_plugin_is_named() -> None:
    with pytest.raises(UnknownPluginError, match="did you mean 'transformer'"):
        prepare("models", {"name": "transform"}, 2)


def test_what_fits_is_passed_on() -> None:
    assert prepare("models", {"name": "options-scale", "by": 2}, 1)(5) == (5, 2.0, None)
    assert prepare("models", {"name": "options-class", "any": [1]}, 1)(5).made == (5, {"any": [1]})
    assert prepare("models", {"name": "options-partial"}, 1)(5) == (5, 3.0, None)


def test_a_type_that_only_type_checkers_import_is_not_checked() -> None:
    assert prepare("models", {"name": "options-scale", "exact": "x"}, 1)(5) == (5, 1.0, "x")
    with pytest.raises(PluginOptionError, match="by: Expected `float`"):
        prepare("models", {"name": "options-scale", "exact": "x", "by": "x"}, 1)
