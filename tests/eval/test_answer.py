"""What an item asks of a model, and items that ask nothing."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from codex_ml.evaluation.answer import SHORT, answer, check_items
from codex_ml.evaluation.errors import DatasetError
from codex_ml.evaluation.items import Choice, Completion, Document, Item, TokenDocument
from codex_ml.tokenization import ByteTokenizer
from tests.eval.models import bigram

LIKELIHOOD = frozenset({"log_likelihood", "tokens"})
GENERATION = frozenset({"prediction", "references"})


class Merging(ByteTokenizer):
    """Bytes, but a text without a full stop is one token, as merges across blanks make it."""

    def encode(self, text: str, *, special: bool = False) -> list[int]:
        return super().encode(text, special=special) if "." in text or not text else [7]


@dataclass
class Encoder:
    tokenizer: ByteTokenizer = field(default_factory=Merging)
    head: list[int] = field(default_factory=list)


NOTHING: list[Item] = [
    Document("x", "word"),
    TokenDocument("x", [3]),
    Completion("x", "a", ("b",)),
    Choice("x", "a", ("b. ", "c"), 0),
]
SOMETHING: list[Item] = [
    Document("x", "word."),
    TokenDocument("x", [3, 4]),
    Completion("x", "a", ("b.",)),
    Choice("x", "a", ("b.", "c."), 0),
]


@pytest.mark.parametrize("item", NOTHING, ids=lambda item: type(item).__name__)
def test_nothing_to_predict_is_refused_before_there_is_a_model(item: Item) -> None:
    with pytest.raises(DatasetError, match="item 'x': has no token to predict"):
        check_items(Encoder(), [*SOMETHING[:1], item], LIKELIHOOD)


@pytest.mark.parametrize("item", SOMETHING, ids=lambda item: type(item).__name__)
def test_one_token_to_predict_is_enough(item: Item) -> None:
    check_items(Encoder(), [item], LIKELIHOOD)


def test_a_prefix_predicts_the_first_token_and_a_generation_needs_none() -> None:
    check_items(Encoder(head=[0]), NOTHING[:2], LIKELIHOOD)
    check_items(Encoder(), [Completion("x", "a", ("b",))], GENERATION)


@pytest.mark.parametrize(
    "item", [Document("x", "a" * SHORT), Choice("x", "a" * SHORT, ("b", "c."), 0)]
)
def test_what_is_too_long_to_look_at_is_refused_when_it_is_asked(item: Item) -> None:
    check_items(Encoder(), [item], LIKELIHOOD)
    model = bigram(512)
    object.__setattr__(model, "tokenizer", Merging())
    with pytest.raises(DatasetError, match="item 'x': has no token to predict"):
        answer(model, [item], LIKELIHOOD, 1, ())
