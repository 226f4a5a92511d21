"""Models of the sentencepiece library."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import groupby

import sentencepiece

from codex_ml.tokenization.base import Tokenizer
from codex_ml.tokenization.errors import TokenizationError

SPACE = "▁"  # U+2581, the library's stand-in for a blank
_PROBE = " a  ﬁ\r\n\tb "  # what normalisation, a dummy prefix or trimmed blanks would change


class SentencePieceTokenizer(Tokenizer):
    """A sentencepiece ``.model``.

    The library decodes U+2581 as a blank. Where a model is otherwise lossless and
    has byte tokens (every model trained here), that character is encoded as its
    bytes, so that any text comes back; all other ids are the library's.
    """

    def __init__(self, model: bytes) -> None:
        """Load the content of a ``.model`` file."""
        self._model = model
        self._library = sentencepiece.SentencePieceProcessor()
        try:
            self._library.LoadFromSerializedProto(model)
        except RuntimeError:  # it names a line of the library's own source
            raise TokenizationError(
                "no tokenizer: neither JSON nor a sentencepiece model; "
                "`codex-ml tokenize train` writes one"
            ) from None

    @property
    def vocab_size(self) -> int:
        """Number of pieces."""
        return int(self._library.vocab_size())

    @cached_property
    def special_tokens(self) -> Mapping[str, int]:
        """The control symbols and their ids, the unknown token among them."""
        library = self._library
        return {
            library.id_to_piece(token): token
            for token in range(self.vocab_size)
            if library.is_control(token) or library.is_unknown(token)
        }

    def to_bytes(self) -> bytes:
        """Return the ``.model`` file's content."""
        return self._model

    def _encode(self, text: str) -> list[int]:
        if SPACE not in text or self._space_ids is None:
            return list(self._library.encode(text))
        first, *rest = map(self._library.encode, text.split(SPACE))
        return sum(([*self._space_ids, *ids] for ids in rest), start=list(first))

    def _decode(self, ids: Sequence[int]) -> str:
        names = {token: text for text, token in self.special_tokens.items()}
        return "".join(
            "".join(names[token] for token in group)
            if special
            else str(self._library.decode(list(group)))
            for special, group in groupby(ids, names.__contains__)
        )

    @cached_property
    def _space_ids(self) -> list[int] | None:
        """The bytes of U+2581; None for a model that changes text anyway."""
        ids = [self._library.piece_to_id(f"<0x{value:02X}>") for value in SPACE.encode()]
        lossless = self._library.decode(self._library.encode(_PROBE)) == _PROBE
        return ids if lossless and all(map(self._library.is_byte, ids)) else None
