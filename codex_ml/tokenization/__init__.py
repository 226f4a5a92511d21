"""Text to token ids and back: one interface over four kinds of tokenizers.

    from codex_ml import tokenization

    tokenizer = tokenization.train(["corpus.txt"], "bpe", vocab_size=4096)
    tokenizer.save("tokenizer.json")
    ids = tokenization.load("tokenizer.json").encode("any text")

Each name is imported when it is used: a library that a tokenizer needs is
needed by that tokenizer only (``pip install 'codex-ml[tokenization]'``).
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from codex_ml.tokenization.base import Tokenizer
    from codex_ml.tokenization.byte import ByteTokenizer
    from codex_ml.tokenization.errors import TokenizationError
    from codex_ml.tokenization.huggingface import HuggingFaceTokenizer
    from codex_ml.tokenization.loading import load
    from codex_ml.tokenization.padding import Padded, pad, truncate
    from codex_ml.tokenization.sentencepiece_model import SentencePieceTokenizer
    from codex_ml.tokenization.tiktoken_encoding import TiktokenTokenizer
    from codex_ml.tokenization.training import train

__all__ = [
    "ByteTokenizer",
    "HuggingFaceTokenizer",
    "Padded",
    "SentencePieceTokenizer",
    "TiktokenTokenizer",
    "TokenizationError",
    "Tokenizer",
    "load",
    "pad",
    "train",
    "truncate",
]

_MODULES = {
    "ByteTokenizer": "byte",
    "HuggingFaceTokenizer": "huggingface",
    "Padded": "padding",
    "SentencePieceTokenizer": "sentencepiece_model",
    "TiktokenTokenizer": "tiktoken_encoding",
    "TokenizationError": "errors",
    "Tokenizer": "base",
    "load": "loading",
    "pad": "padding",
    "train": "training",
    "truncate": "padding",
}


def __dir__() -> list[str]:
    return __all__


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
