"""Metrics of the probabilities that a model gives to text. Log-likelihoods are in nats."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from codex_ml.evaluation.metric import Metric, Record, mean

if TYPE_CHECKING:
    from collections.abc import Sequence


def _surprise(sums: Sequence[float]) -> float:
    """Nats per unit."""
    return -sums[0] / sums[1]


PERPLEXITY = Metric(
    reads=("log_likelihood", "tokens"),
    statistics=lambda record: (record["log_likelihood"], record["tokens"]),
    value=lambda sums: math.exp(_surprise(sums)),
    higher_is_better=False,
)
"""exp of the mean negative log-likelihood per token: comparable for one tokenizer only."""

BITS_PER_BYTE = Metric(
    reads=("log_likelihood", "bytes"),
    statistics=lambda record: (record["log_likelihood"], record["bytes"]),
    value=lambda sums: _surprise(sums) / math.log(2),
    higher_is_better=False,
)
"""Bits to encode a byte of the UTF-8 text: comparable between tokenizers."""

TOKEN_ACCURACY = Metric(
    reads=("hits", "tokens"),
    statistics=lambda record: (record["hits"], record["tokens"]),
    value=lambda sums: sums[0] / sums[1],
)
"""Share of the tokens that were the model's first guess."""


def _best(scores: Sequence[float]) -> int:
    return max(range(len(scores)), key=scores.__getitem__)


def _right(record: Record) -> float:
    return float(_best(record["log_likelihoods"]) == record["label"])


def _right_per_character(record: Record) -> float:
    pairs = zip(record["log_likelihoods"], record["lengths"], strict=True)
    return float(_best([likelihood / length for likelihood, length in pairs]) == record["label"])


ACCURACY = mean(_right, ("log_likelihoods", "label"))
"""Share of the items whose right choice is the likeliest; the first of equals counts."""

ACCURACY_NORM = mean(_right_per_character, ("log_likelihoods", "lengths", "label"))
"""The same, by log-likelihood per character of the choice."""
