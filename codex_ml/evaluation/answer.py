"""Turn an item into its record, by asking the model."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from codex_ml.evaluation.errors import DatasetError, NonFiniteError
from codex_ml.evaluation.items import Choice, Completion, Document, Item, TokenDocument

if TYPE_CHECKING:
    from codex_ml.evaluation.scorer import LanguageModel, Score
    from codex_ml.tokenization.base import Tokenizer

Sequences = list[tuple[Sequence[int], int]]
"""Token ids, and the index of the first one to predict."""
SHORT = 256
"""Twice the characters of the longest token in a public vocabulary (o200k_base: 128 blanks)."""


class Encoder(Protocol):
    """What turns text into ids: a model, or one that is not yet built."""

    @property
    def tokenizer(self) -> Tokenizer:
        """Of the model."""

    @property
    def head(self) -> list[int]:
        """The ids before every text: one or none."""


def answer(
    model: LanguageModel,
    items: Sequence[Item],
    keys: frozenset[str],
    max_new: int,
    stop: Sequence[str],
) -> list[dict[str, Any]]:
    """Return a record per item, with what the metrics that read `keys` need."""
    groups = _scored(model, items, keys)
    scores = iter(model.score([sequence for group in groups for sequence in group]))
    records = []
    for item, group in zip(items, groups, strict=True):
        found = [next(scores) for _ in group]
        if not all(score.tokens for score in found):
            raise _nothing_to_predict(item)
        record = {"id": item.id} | (_likelihoods(model, item, found) if group else {})
        _check_finite(item, found)
        if isinstance(item, Completion) and "prediction" in keys:
            (text,) = model.generate([item.prompt], max_new, stop)
            record |= {"prediction": text, "references": list(item.references)}
        records.append(record)
    return records


def check_items(encoder: Encoder, items: Iterable[Item], keys: frozenset[str]) -> None:
    """Refuse an item without a token to predict, before there is a model to ask.

    `answer` refuses it, too; only short items are looked at here, because a long text is more
    than one token.
    """
    short = [item for item in items if length(item) < SHORT]
    for item, group in zip(short, _scored(encoder, short, keys), strict=True):
        if any(first >= len(ids) for ids, first in group):
            raise _nothing_to_predict(item)


def length(item: Item) -> int:
    """Characters that are encoded at most, or token ids."""
    match item:
        case Document():
            return len(item.text)
        case TokenDocument():
            return len(item.ids)
        case Completion():
            return len(item.prompt) + len(item.references[0])
        case Choice():
            return len(item.prompt) + max(map(len, item.choices))


def _nothing_to_predict(item: Item) -> DatasetError:
    return DatasetError(f"item {item.id!r}: has no token to predict: give more text")


def _scored(encoder: Encoder, items: Iterable[Item], keys: frozenset[str]) -> list[Sequences]:
    """Return what the model has to score for each item; nothing for a text it only generates."""
    generated = not keys - {"prediction", "references"}
    return [
        [] if generated and isinstance(item, Completion) else _sequences(encoder, item)
        for item in items
    ]


def _sequences(model: Encoder, item: Item) -> Sequences:
    match item:
        case Document():
            ids = [*model.head, *model.tokenizer.encode(item.text)]
            return [(ids, 1)]
        case TokenDocument():
            return [([*model.head, *item.ids], 1)]
        case Choice():
            return [pair(model, item.prompt, f" {text}") for text in item.choices]
        case Completion():
            return [pair(model, item.prompt, item.references[0])]


def pair(model: Encoder, prompt: str, continuation: str) -> tuple[Sequence[int], int]:
    """Encode prompt and continuation together; return the ids and where the continuation starts.

    Blanks at the prompt's end belong to the continuation, as tokenizers see it. Only a
    prompt without tokens gets the model's prefix, as in EleutherAI's harness.
    """
    first = len(model.tokenizer.encode(prompt.rstrip()))
    whole = model.tokenizer.encode(prompt + continuation)
    head = [] if first else model.head
    return [*head, *whole], max(1, len(head) + first)


def _likelihoods(model: LanguageModel, item: Item, scores: Sequence[Score]) -> dict[str, Any]:
    if isinstance(item, Choice):
        return {
            "log_likelihoods": [score.log_likelihood for score in scores],
            "lengths": [len(text) for text in item.choices],
            "label": item.label,
        }
    (score,) = scores
    record = {"log_likelihood": score.log_likelihood, "tokens": score.tokens, "hits": score.hits}
    match item:
        case Document():
            return record | {"bytes": _scored_bytes(model, item.text)}
        case Completion():
            return record | {"bytes": len(item.references[0].encode())}
    return record


def _scored_bytes(model: LanguageModel, text: str) -> int:
    """Bytes of the text; without a prefix its first token is not predicted, nor counted."""
    if model.prefix is not None:
        return len(text.encode())
    first = model.tokenizer.decode(model.tokenizer.encode(text)[:1])
    return len(text.encode()) - (len(first.encode()) if text.startswith(first) else 1)


def _check_finite(item: Item, scores: Sequence[Score]) -> None:
    for score in scores:
        if not math.isfinite(score.log_likelihood):
            raise NonFiniteError(
                f"item {item.id!r}: the model gives log-likelihood {score.log_likelihood}: "
                "its weights or logits are not finite; no result is written"
            )
