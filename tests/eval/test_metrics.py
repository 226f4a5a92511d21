"""Metrics say what theory says: never true by construction."""

import math
import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pytest
import sacrebleu
from rouge_score import rouge_scorer  # type: ignore[import-untyped]

from codex_ml import plugins

if TYPE_CHECKING:
    from codex_ml.evaluation.metric import Metric

WORDS = [f"w{number}" for number in range(50)]


def value(name: str, records: Sequence[dict[str, Any]]) -> float:
    metric: Metric = plugins.get("metrics", name)
    rows = [metric.statistics(record) for record in records]
    return metric.value([sum(column) for column in zip(*rows, strict=True)])


def generated(pairs: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    return [{"prediction": said, "references": [meant]} for said, meant in pairs]


def sentences(count: int, seed: int) -> list[str]:
    chosen = random.Random(seed)
    return [" ".join(chosen.choices(WORDS, k=8)) for _ in range(count)]


def choice(likelihoods: Sequence[float], label: int) -> dict[str, Any]:
    return {
        "log_likelihoods": list(likelihoods),
        "lengths": [1] * len(likelihoods),
        "label": label,
    }


@pytest.mark.parametrize("name", ["accuracy", "accuracy-norm"])
@pytest.mark.parametrize("choices", [2, 4])
def test_random_likelihoods_are_right_by_chance(name: str, choices: int) -> None:
    chosen = random.Random(1)
    n = 4000
    records = [
        choice([-chosen.random() for _ in range(choices)], chosen.randrange(choices))
        for _ in range(n)
    ]
    chance = 1 / choices
    assert value(name, records) == pytest.approx(
        chance, abs=4 * math.sqrt(chance * (1 - chance) / n)
    )


def test_constant_predictions_score_the_label_s_share() -> None:
    records = [choice([-1.0, -2.0, -3.0], label) for label in (0, 0, 1, 2)]
    assert value("accuracy", records) == 0.5


def test_length_matters_to_accuracy_norm_only() -> None:
    record = {"log_likelihoods": [-4.0, -6.0], "lengths": [2, 6], "label": 1}
    assert (value("accuracy", [record]), value("accuracy-norm", [record])) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("name", "best"), [("exact-match", 1), ("f1", 1), ("rouge-l", 1), ("bleu", 100)]
)
def test_text_metrics_reward_the_right_text_and_not_a_shuffled_one(name: str, best: float) -> None:
    meant = sentences(300, 1)
    assert value(name, generated([(text, text) for text in meant])) == pytest.approx(best)
    shuffled = random.Random(2).sample(meant, len(meant))
    by_chance = value(name, generated(list(zip(shuffled, meant, strict=True))))
    unrelated = value(name, generated(list(zip(sentences(300, 3), meant, strict=True))))
    assert by_chance < 0.25 * best
    assert by_chance == pytest.approx(unrelated, abs=0.03 * best)
    assert value(name, generated([("", text) for text in meant])) == 0


def test_bleu_is_sacrebleu_s() -> None:
    meant, said = sentences(40, 1), sentences(40, 1)
    said = [text if number % 3 else text[: len(text) // 2] for number, text in enumerate(said)]
    assert value("bleu", generated(list(zip(said, meant, strict=True)))) == pytest.approx(
        sacrebleu.corpus_bleu(said, [meant]).score
    )


def test_rouge_l_is_rouge_score_s() -> None:
    meant, said = sentences(20, 1), sentences(20, 4)
    scorer = rouge_scorer.RougeScorer(["rougeL"])
    theirs = [scorer.score(m, s)["rougeL"].fmeasure for m, s in zip(meant, said, strict=True)]
    assert value("rouge-l", generated(list(zip(said, meant, strict=True)))) == pytest.approx(
        sum(theirs) / len(theirs)
    )


@pytest.mark.parametrize(
    ("said", "meant", "expected"),
    [
        ("the cat", "The Cat!", 1.0),
        ("a cat sat", "the cat stood", 0.5),
        ("dog", "cat", 0.0),
        ("the", "a", 1.0),
        ("the", "cat", 0.0),
        ("cat cat cat", "cat", 0.5),
    ],
)
def test_f1_counts_shared_words(said: str, meant: str, expected: float) -> None:
    assert value("f1", generated([(said, meant)])) == pytest.approx(expected)


def test_the_best_of_several_references_counts() -> None:
    record = {"prediction": " two ", "references": ["one", "two"]}
    assert [value(name, [record]) for name in ("exact-match", "f1", "rouge-l")] == [1, 1, 1]
    assert value("exact-match", [{"prediction": "Two", "references": ["two"]}]) == 0


def test_likelihood_metrics_are_weighted_by_tokens_and_bytes() -> None:
    records = [
        {"log_likelihood": -2.0, "tokens": 1, "hits": 1, "bytes": 2},
        {"log_likelihood": -4.0, "tokens": 3, "hits": 1, "bytes": 6},
    ]
    assert value("perplexity", records) == pytest.approx(math.exp(6 / 4))
    assert value("bits-per-byte", records) == pytest.approx(6 / 8 / math.log(2))
    assert value("token-accuracy", records) == 0.5
