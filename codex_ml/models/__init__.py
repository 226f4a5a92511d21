"""Language models: a small transformer, an adapter for Hugging Face's, and sampling."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from codex_ml.models.errors import ModelError
    from codex_ml.models.language import NextToken, logits_of, sample
    from codex_ml.models.transformer import Transformer

_HOME = {
    "ModelError": "errors",
    "NextToken": "language",
    "Transformer": "transformer",
    "logits_of": "language",
    "sample": "language",
}
__all__ = ["ModelError", "NextToken", "Transformer", "logits_of", "sample"]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
