"""Likelihoods equal an independent computation, however they are batched and padded."""

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from codex_ml.evaluation.answer import pair
from codex_ml.evaluation.errors import MismatchError
from codex_ml.evaluation.scorer import LanguageModel
from codex_ml.models import Transformer
from codex_ml.tokenization import ByteTokenizer
from tests.eval.models import bigram

texts = st.lists(st.text(min_size=2, max_size=40), min_size=1, max_size=8)


def by_hand(model: LanguageModel, ids: list[int]) -> float:
    """The bigram's log-likelihood, a token at a time, in float64."""
    table = model.network.table.detach().double()  # type: ignore[operator]
    rows = torch.log_softmax(table, dim=-1)
    return sum(float(rows[a, b]) for a, b in pairwise(ids))


@settings(deadline=None, max_examples=30)
@given(texts=texts, batch_tokens=st.sampled_from([1, 50, 4096]), stride=st.sampled_from([None, 3]))
def test_likelihood_equals_a_sum_by_hand(
    texts: list[str], batch_tokens: int, stride: int | None
) -> None:
    model = bigram(batch_tokens=batch_tokens, stride=stride)
    sequences = [model.tokenizer.encode(text) for text in texts]
    for ids, score in zip(sequences, model.score([(ids, 1) for ids in sequences]), strict=True):
        assert score.log_likelihood == pytest.approx(by_hand(model, ids), rel=1e-5, abs=1e-5)
        assert score.tokens == len(ids) - 1


def transformer(batch_tokens: int = 4096) -> LanguageModel:
    torch.manual_seed(0)
    tokenizer = ByteTokenizer()
    network = Transformer(tokenizer.vocab_size, 12, layers=2, heads=2, width=16)
    return LanguageModel(network.eval(), tokenizer, 12, batch_tokens=batch_tokens)


def test_batching_and_padding_change_nothing() -> None:
    """Beyond float32 rounding: other batch shapes sum in another order."""
    texts = ["a", "to be, or not to be", "ab", "x" * 40, "that is the question"]
    sequences = [(ByteTokenizer().encode(text + "."), 1) for text in texts]
    alone = transformer(batch_tokens=1).score(sequences)
    together = transformer().score(sequences)
    for one, other in zip(alone, together, strict=True):
        assert one.log_likelihood == pytest.approx(other.log_likelihood, rel=1e-5)
        assert (one.hits, one.tokens) == (other.hits, other.tokens)


def test_hits_count_first_guesses() -> None:
    model = bigram()
    table = model.network.table.detach()  # type: ignore[operator]
    ids = [65]
    for _ in range(9):
        ids.append(int(table[ids[-1]].argmax()))
    (score,) = model.score([(ids, 1)])
    assert (score.hits, score.tokens) == (9, 9)
    wrong = [65, *(int(table[token].argmin()) for token in ids[:-1])]
    assert model.score([(wrong[:2], 1)])[0].hits == 0


def test_greedy_generation_follows_the_likeliest_and_stops() -> None:
    model = bigram()
    prompt = "A"
    (text,) = model.generate([prompt], 12, [])
    table = model.network.table.detach()  # type: ignore[operator]
    ids = model.tokenizer.encode(prompt)
    for _ in range(12):
        ids.append(int(table[ids[-1], : model.tokenizer.vocab_size].argmax()))
    assert text == model.tokenizer.decode(ids[1:])
    assert model.generate([prompt], 12, [text[3]]) == [text[: text.index(text[3])]]


def test_a_model_with_too_few_outputs_is_refused() -> None:
    small = Transformer(16, 12, layers=1, heads=1, width=8)
    with pytest.raises(MismatchError, match="model and tokenizer do not fit"):
        LanguageModel(small, ByteTokenizer(), 12).score([([1, 2, 3], 1)])


def test_a_uniform_model_has_the_perplexity_of_its_vocabulary() -> None:
    model = bigram()
    model.network.table.data.zero_()  # type: ignore[operator]
    (score,) = model.score([(model.tokenizer.encode("some text"), 1)])
    assert math.exp(-score.log_likelihood / score.tokens) == pytest.approx(
        model.tokenizer.vocab_size, rel=1e-6
    )


def test_a_transformer_s_likelihood_equals_one_prefix_at_a_time() -> None:
    """Independent: no batch, no padding, no window sharing; softmax in float64."""
    model = transformer()
    ids = model.tokenizer.encode("to be, or not to be")[:13]
    expected = 0.0
    for position in range(1, len(ids)):
        logits = model.network(torch.tensor([ids[:position]]))[0, -1].detach().double()
        expected += float(torch.log_softmax(logits, dim=-1)[ids[position]])
    (score,) = model.score([(ids, 1)])
    assert score.log_likelihood == pytest.approx(expected, rel=1e-6)


def test_a_prompt_and_its_continuation_are_cut_where_the_prompt_s_last_word_ends() -> None:
    model = bigram(prefix=0)
    ids = model.tokenizer.encode
    assert pair(model, "ab", " cd") == (ids("ab cd"), 2)
    assert pair(model, "ab ", "cd") == (ids("ab cd"), 2)
    assert pair(model, "", " cd") == ([0, *ids(" cd")], 1)
    assert pair(bigram(), "", " cd") == (ids(" cd"), 1)
