"""The one interface of every tokenizer."""

import hashlib
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from codex_ml import files
from codex_ml.tokenization.errors import TokenizationError


class Tokenizer(ABC):
    """Text to token ids and back.

    Ids are integers in ``range(vocab_size)``. Ordinary text never becomes a
    special token unless ``special=True`` asks for it, so that text from outside
    cannot smuggle one in.
    """

    @property
    @abstractmethod
    def vocab_size(self) -> int:
        """One more than the largest id."""

    @property
    @abstractmethod
    def special_tokens(self) -> Mapping[str, int]:
        """The special tokens and their ids."""

    @abstractmethod
    def to_bytes(self) -> bytes:
        """Return the content of the file that `codex_ml.tokenization.load` reads."""

    @abstractmethod
    def _encode(self, text: str) -> list[int]:
        """Encode valid Unicode without looking for special tokens."""

    @abstractmethod
    def _decode(self, ids: Sequence[int]) -> str:
        """Decode ids that exist."""

    def encode(self, text: str, *, special: bool = False) -> list[int]:
        """Return the ids of `text`; with `special`, special tokens in it become their ids.

        Raises:
            TokenizationError: `text` holds a lone surrogate, which no encoding can express.

        """
        _check_text(text)
        return self._encode_special(text) if special else self._encode(text)

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of `ids`; bytes that are no UTF-8 become U+FFFD.

        Raises:
            TokenizationError: an id does not exist.

        """
        ids = list(ids)
        self._check_ids(ids)
        return self._decode(ids)

    def encode_batch(self, texts: Sequence[str], *, special: bool = False) -> list[list[int]]:
        """Return `encode` of every text."""
        return [self.encode(text, special=special) for text in texts]

    def decode_batch(self, batch: Iterable[Iterable[int]]) -> list[str]:
        """Return `decode` of every sequence."""
        return [self.decode(ids) for ids in batch]

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write the tokenizer to one file, whole or not at all."""
        files.write(Path(path), self.to_bytes(), overwrite=overwrite)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the tokenizer's file: equal digests give equal ids."""
        return f"sha256:{hashlib.sha256(self.to_bytes()).hexdigest()}"

    def _encode_special(self, text: str) -> list[int]:
        special = self.special_tokens
        parts = self._special_pattern.split(text) if special else [text]
        # split() with one group alternates: text, token, text, ...
        return [
            token
            for place, part in enumerate(parts)
            for token in ([special[part]] if place % 2 else self._encode(part))
        ]

    @cached_property
    def _special_pattern(self) -> re.Pattern[str]:
        longest_first = sorted(self.special_tokens, key=len, reverse=True)
        return re.compile(f"({'|'.join(map(re.escape, longest_first))})")

    @cached_property
    def _holes(self) -> frozenset[int]:
        """Ids below `vocab_size` that no token has."""
        return frozenset()

    def _check_ids(self, ids: list[int]) -> None:
        if not ids or (min(ids) >= 0 and max(ids) < self.vocab_size and not self._holes):
            return
        for place, token in enumerate(ids):
            if not 0 <= token < self.vocab_size or token in self._holes:
                raise TokenizationError(
                    f"no token has id {token} (at position {place}): "
                    f"this vocabulary's ids are below {self.vocab_size}"
                )


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise TokenizationError(
            f"character {error.start} is {text[error.start]!r}, half of a surrogate pair: "
            "decode the input as UTF-8, or with errors='replace'"
        ) from None
