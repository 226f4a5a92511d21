"""Encodings of the tiktoken library."""

import base64
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from typing import Any

import tiktoken

from codex_ml.tokenization import bpe
from codex_ml.tokenization.base import Tokenizer
from codex_ml.tokenization.errors import TokenizationError

FORMAT = "codex-ml-tiktoken"


class TiktokenTokenizer(Tokenizer):
    """A `tiktoken.Encoding`, saved with its pattern, ranks and special tokens in one JSON file."""

    def __init__(self, encoding: tiktoken.Encoding) -> None:
        """Wrap an encoding, such as ``tiktoken.get_encoding("o200k_base")``."""
        self._encoding = encoding
        self._spec = _spec(encoding)

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any]) -> "TiktokenTokenizer":
        """Return the tokenizer of a parsed file."""
        ranks = {base64.b64decode(token): rank for token, rank in spec["ranks"].items()}
        return cls(
            tiktoken.Encoding(
                spec["name"],
                pat_str=spec["pattern"],
                mergeable_ranks=ranks,
                special_tokens=dict(spec["special_tokens"]),
            )
        )

    @property
    def vocab_size(self) -> int:
        """One more than the largest id."""
        return self._encoding.n_vocab

    @property
    def special_tokens(self) -> Mapping[str, int]:
        """The special tokens and their ids."""
        special: Mapping[str, int] = self._spec["special_tokens"]
        return special

    def to_bytes(self) -> bytes:
        """Return the JSON file's content."""
        return json.dumps(self._spec).encode()

    def encode_batch(self, texts: Sequence[str], *, special: bool = False) -> list[list[int]]:
        """Return `encode` of every text, several at a time."""
        with ThreadPoolExecutor() as pool:
            return list(pool.map(partial(self.encode, special=special), texts))

    def _encode(self, text: str) -> list[int]:
        if bpe.overflows(text):
            raise TokenizationError(
                f"the text holds more than {bpe.MAX_BLANKS} blanks in a row, which tiktoken "
                "cannot split: cut the text there"
            )
        return self._encoding.encode_ordinary(text)

    def _decode(self, ids: Sequence[int]) -> str:
        return self._encoding.decode(ids)

    @cached_property
    def _holes(self) -> frozenset[int]:
        used = {*self._spec["ranks"].values(), *self.special_tokens.values()}
        return frozenset(range(self.vocab_size)) - used


def _spec(encoding: tiktoken.Encoding) -> dict[str, Any]:
    # tiktoken's own documentation extends encodings through these three attributes
    ranks = encoding._mergeable_ranks  # noqa: SLF001
    return {
        "format": FORMAT,
        "name": encoding.name,
        "pattern": encoding._pat_str,  # noqa: SLF001
        "special_tokens": encoding._special_tokens,  # noqa: SLF001
        "ranks": {base64.b64encode(token).decode(): rank for token, rank in ranks.items()},
    }
