"""Turn an item into its record, by asking the model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from codex_ml.evaluation.errors import DatasetError, NonFiniteError
from codex_ml.evaluation.items import Choice, Completion, Document, Item, TokenDocument

if TYPE_CHECKING:
    from codex_ml.evaluation.scorer import LanguageModel, Score

Sequences = list[tuple[Sequence[int], int]]


def answer(
    model: LanguageModel,
    items: Sequence[Item],
    keys: frozenset[str],
    max_new: int,
    stop: Sequence[str],
) -> list[dict[str, Any]]:
    """Return a record per item, with what the metrics that read `keys` need."""
    groups = [_sequences(model, item) if _likelihood(item, keys) else [] for item in items]
    scores = iter(model.score([sequence for group in groups for sequence in group]))
    records = []
    for item, group in zip(items, groups, strict=True):
        found = [next(scores) for _ in group]
        record = {"id": item.id} | (_likelihoods(model, item, found) if group else {})
        _check_finite(item, found)
        if isinstance(item, Completion) and "prediction" in keys:
            (text,) = model.generate([item.prompt], max_new, stop)
            record |= {"prediction": text, "references": list(item.references)}
        records.append(record)
    return records


def _likelihood(item: Item, keys: frozenset[str]) -> bool:
    return not isinstance(item, Completion) or bool(keys - {"prediction", "references"})


def _sequences(model: LanguageModel, item: Item) -> Sequences:
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


def pair(model: LanguageModel, prompt: str, continuation: str) -> tuple[Sequence[int], int]:
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
    if not score.tokens:
        raise DatasetError(f"item {item.id!r}: has no token to predict: give more text")
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
