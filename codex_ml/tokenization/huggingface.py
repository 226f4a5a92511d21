"""Tokenizers of the tokenizers library: any ``tokenizer.json``."""

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from typing import TYPE_CHECKING

import tokenizers

from codex_ml.tokenization import bpe
from codex_ml.tokenization.base import Tokenizer
from codex_ml.tokenization.errors import TokenizationError

if TYPE_CHECKING:
    import tiktoken


class HuggingFaceTokenizer(Tokenizer):
    """A ``tokenizer.json``; byte-level BPE is encoded by tiktoken where the ids are proven equal.

    The library's post-processor (which adds tokens such as ``[CLS]``), padding and
    truncation are not applied: the ids are those of the text.
    """

    def __init__(self, library: tokenizers.Tokenizer) -> None:
        """Wrap a copy of the library's tokenizer."""
        self._serialised = library.to_str()
        self._library = tokenizers.Tokenizer.from_str(self._serialised)
        self._library.encode_special_tokens = True  # their text is text
        _plain(self._library)

    @classmethod
    def from_bytes(cls, data: bytes) -> "HuggingFaceTokenizer":
        """Return the tokenizer of a ``tokenizer.json``'s content."""
        try:
            library = tokenizers.Tokenizer.from_buffer(data)
        except ValueError as error:
            raise TokenizationError(f"not a tokenizer of the tokenizers library: {error}") from None
        return cls(library)

    @property
    def vocab_size(self) -> int:
        """One more than the largest id."""
        return 1 + max(self._ids, default=-1)

    @cached_property
    def special_tokens(self) -> Mapping[str, int]:
        """The special tokens and their ids."""
        added = self._library.get_added_tokens_decoder()
        return {token.content: number for number, token in added.items() if token.special}

    def to_bytes(self) -> bytes:
        """Return the content of ``tokenizer.json``."""
        return self._serialised.encode()

    def encode_batch(self, texts: Sequence[str], *, special: bool = False) -> list[list[int]]:
        """Return `encode` of every text, several at a time."""
        with ThreadPoolExecutor() as pool:
            return list(pool.map(partial(self.encode, special=special), texts))

    def _encode(self, text: str) -> list[int]:
        if self._fast and not bpe.overflows(text):
            return self._fast.encode_ordinary(text)
        return self._library.encode(text, add_special_tokens=False).ids

    def _encode_special(self, text: str) -> list[int]:
        return self._special_library.encode(text, add_special_tokens=False).ids

    def _decode(self, ids: Sequence[int]) -> str:
        return self._library.decode(ids, skip_special_tokens=False)

    @cached_property
    def _fast(self) -> "tiktoken.Encoding | None":
        return bpe.encoding(json.loads(self._serialised))

    @cached_property
    def _special_library(self) -> tokenizers.Tokenizer:
        return _plain(tokenizers.Tokenizer.from_str(self._serialised))

    @cached_property
    def _ids(self) -> frozenset[int]:
        return frozenset(self._library.get_vocab(with_added_tokens=True).values())

    @cached_property
    def _holes(self) -> frozenset[int]:
        return frozenset(range(self.vocab_size)) - self._ids


def _plain(library: tokenizers.Tokenizer) -> tokenizers.Tokenizer:
    library.no_padding()
    library.no_truncation()
    return library
