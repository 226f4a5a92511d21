"""Byte-level BPE of the tokenizers library, encoded by tiktoken with the same ids.

tokenizers merges the pairs on its list, in the list's order; tiktoken merges any
two neighbours whose concatenation is a token, lowest id first. Both give the
same ids exactly when ids follow the order of the list and every token, cut by
tiktoken's rule with the lower ids only, falls into the pair that the list makes
it from: merges inside a token do not depend on what surrounds it, so tiktoken
then never takes a pair that is not on the list. `encoding` proves this for each
token before it trusts the faster encoder.
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import tiktoken

Ranks = Mapping[bytes, int]

# GPT-2's split; `\s++$` and `\s` take what its two last alternatives do, with less backtracking
PATTERN = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"

MAX_BLANKS = 300_000  # tiktoken's regex engine overflows its stack at about half a million


def overflows(text: str) -> bool:
    """Whether tiktoken would panic on a long run of blanks in `text`."""
    stations = range(MAX_BLANKS - 1, len(text), MAX_BLANKS)  # a long run covers one of them
    return any(text[place].isspace() and _run(text, place) >= MAX_BLANKS for place in stations)


def _run(text: str, place: int) -> int:
    """Return how many blanks stand around one, of the next `MAX_BLANKS` on each side."""
    before = text[max(0, place - MAX_BLANKS) : place]
    after = text[place : place + MAX_BLANKS]
    return len(before) - len(before.rstrip()) + len(after) - len(after.lstrip())


def encoding(spec: Mapping[str, Any]) -> "tiktoken.Encoding | None":
    """Return the tiktoken encoding equal to a parsed ``tokenizer.json``, or None if there is none.

    Special tokens are left out: it is for ordinary text.
    """
    if not _is_plain(spec):
        return None
    special = {token["content"] for token in spec["added_tokens"]}
    vocabulary = {
        text: rank for text, rank in spec["model"]["vocab"].items() if text not in special
    }
    ranks = _ranks(vocabulary)
    if ranks is None or not _same_merges(ranks, _pairs(spec["model"]["merges"])):
        return None
    import tiktoken

    return tiktoken.Encoding("codex-ml", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens={})


def _is_plain(spec: Mapping[str, Any]) -> bool:
    """Whether nothing but GPT-2's split and merges happens to ordinary text."""
    split, model = spec["pre_tokenizer"] or {}, spec["model"]
    return (
        spec["normalizer"] is None
        and split.get("type") == "ByteLevel"
        and not split["add_prefix_space"]
        and split.get("use_regex", True)
        and model["type"] == "BPE"
        and not any(model.get(option) for option in _CHANGES_MERGES)
        and all(token["special"] for token in spec["added_tokens"])
    )


_CHANGES_MERGES = (
    "dropout",
    "unk_token",
    "continuing_subword_prefix",
    "end_of_word_suffix",
    "byte_fallback",
)


def _byte_alphabet() -> dict[str, int]:
    """GPT-2's printable stand-in for each byte: itself, or a letter from U+0100 on."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [value for value in range(256) if value not in printable]
    return {chr(value): value for value in printable} | {
        chr(0x100 + place): value for place, value in enumerate(others)
    }


ALPHABET = _byte_alphabet()


def _ranks(vocabulary: Mapping[str, int]) -> dict[bytes, int] | None:
    if not all(text and set(text) <= ALPHABET.keys() for text in vocabulary):
        return None
    ranks = {_to_bytes(text): rank for text, rank in vocabulary.items()}
    return ranks if all(bytes([value]) in ranks for value in range(256)) else None


def _to_bytes(text: str) -> bytes:
    return bytes([ALPHABET[letter] for letter in text])


def _pairs(merges: list[Any]) -> list[tuple[bytes, bytes]]:
    """Merges are pairs, or, in files of older versions, ``left right``."""
    split = (merge.split(" ") if isinstance(merge, str) else merge for merge in merges)
    return [(_to_bytes(left), _to_bytes(right)) for left, right in split]


def _same_merges(ranks: Ranks, pairs: list[tuple[bytes, bytes]]) -> bool:
    made = [left + right for left, right in pairs]
    order = [ranks.get(token, -1) for token in made]
    return (
        len(ranks) == 256 + len(set(made))
        and all(before < after for before, after in pairwise(order))
        and all(_cut(token, ranks) == [*pair] for token, pair in zip(made, pairs, strict=True))
    )


def _cut(token: bytes, ranks: Ranks) -> list[bytes]:
    """Merge the bytes of `token` by tiktoken's rule as far as lower ids go."""
    below = never = ranks[token]
    parts = [token[place : place + 1] for place in range(len(token))]
    while len(parts) > 1:
        candidates = [ranks.get(left + right, never) for left, right in pairwise(parts)]
        best = min(candidates)
        if best >= below:
            break
        place = candidates.index(best)
        parts[place : place + 2] = [parts[place] + parts[place + 1]]
    return parts
