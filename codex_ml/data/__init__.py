"""Training data: token files, samples, and streams whose position can be saved.

    from codex_ml.data import BatchStream, Windows, open_tokens

    stream = BatchStream(Windows(open_tokens("tokens.npy").ids, 64), batch_size=12, seed=1)
    for inputs, targets in stream:
        ...
        state = stream.state_dict()  # resume here, at any batch

Importing this package imports neither torch nor anything else that is heavy.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from codex_ml.data.errors import DataError
    from codex_ml.data.order import Order
    from codex_ml.data.sources import Context, Splits
    from codex_ml.data.stream import BatchStream, Samples
    from codex_ml.data.tokens import Tokens, open_tokens, write_tokens
    from codex_ml.data.windows import Windows

_HOME = {
    "BatchStream": "stream",
    "Context": "sources",
    "DataError": "errors",
    "Order": "order",
    "Samples": "stream",
    "Splits": "sources",
    "Tokens": "tokens",
    "Windows": "windows",
    "open_tokens": "tokens",
    "write_tokens": "tokens",
}
__all__ = [
    "BatchStream",
    "Context",
    "DataError",
    "Order",
    "Samples",
    "Splits",
    "Tokens",
    "Windows",
    "open_tokens",
    "write_tokens",
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
