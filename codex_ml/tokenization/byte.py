"""Bytes as tokens: no training, no dependency, any text."""

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from codex_ml.tokenization.base import Tokenizer
from codex_ml.tokenization.special import check_special

FORMAT = "codex-ml-byte"


class ByteTokenizer(Tokenizer):
    """The UTF-8 bytes of the text as ids 0 to 255, special tokens from 256 on."""

    def __init__(self, special_tokens: Sequence[str] = ()) -> None:
        """Give the special tokens ids in their order."""
        check_special(special_tokens)
        numbered = {token: 256 + place for place, token in enumerate(special_tokens)}
        self._special = MappingProxyType(numbered)
        self._bytes = [bytes([value]) for value in range(256)]
        self._bytes += [token.encode() for token in special_tokens]

    @property
    def vocab_size(self) -> int:
        """256 and the special tokens."""
        return len(self._bytes)

    @property
    def special_tokens(self) -> Mapping[str, int]:
        """The special tokens and their ids."""
        return self._special

    def to_bytes(self) -> bytes:
        """Return the JSON file's content."""
        return json.dumps({"format": FORMAT, "special_tokens": list(self._special)}).encode()

    @classmethod
    def from_spec(cls, spec: Mapping[str, Sequence[str]]) -> "ByteTokenizer":
        """Return the tokenizer of a parsed file."""
        return cls(spec["special_tokens"])

    def _encode(self, text: str) -> list[int]:
        return list(text.encode())

    def _decode(self, ids: Sequence[int]) -> str:
        return b"".join([self._bytes[token] for token in ids]).decode(errors="replace")
