"""Metrics of generated text against one or more references."""

from __future__ import annotations

import re
import string
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Any

from codex_ml.evaluation.errors import MetricError
from codex_ml.evaluation.metric import Metric, Record, mean
from codex_ml.extras import cure

if TYPE_CHECKING:
    from collections.abc import Sequence

READS = ("prediction", "references")


def _exact(record: Record) -> float:
    return float(record["prediction"].strip() in {text.strip() for text in record["references"]})


def _words(text: str) -> list[str]:
    """Lower case, without punctuation and English articles (SQuAD: Rajpurkar et al. 2016)."""
    plain = "".join(char for char in text.lower() if char not in string.punctuation)
    return re.sub(r"\b(a|an|the)\b", " ", plain).split()


def _f1(record: Record) -> float:
    return max(_overlap(record["prediction"], reference) for reference in record["references"])


def _overlap(prediction: str, reference: str) -> float:
    said, meant = _words(prediction), _words(reference)
    if not said or not meant:
        return float(said == meant)
    shared = sum((Counter(said) & Counter(meant)).values())
    return 2 * shared / (len(said) + len(meant))


EXACT_MATCH = mean(_exact, READS)
"""Share of the predictions that equal a reference, white space at the ends aside."""

F1 = mean(_f1, READS)
"""Mean over the records of SQuAD's word F1 against the best reference."""


@cache
def _bleu() -> Any:
    try:
        from sacrebleu.metrics import bleu
    except ModuleNotFoundError as error:
        raise _missing(error) from None
    return bleu.BLEU()


def _bleu_statistics(record: Record) -> Sequence[float]:
    metric = _bleu()
    # Lengths, then matched and possible n-grams for n = 1 to 4: what the corpus score sums.
    (counts,) = metric._extract_corpus_statistics(  # noqa: SLF001  (sacrebleu has no public name)
        [record["prediction"]], [[text] for text in record["references"]]
    )
    return [float(count) for count in counts]


def _bleu_value(sums: Sequence[float]) -> float:
    counts = [round(count) for count in sums]
    score = _bleu().compute_bleu(
        correct=counts[2:6], total=counts[6:10], sys_len=counts[0], ref_len=counts[1]
    )
    return float(score.score)


BLEU = Metric(READS, _bleu_statistics, _bleu_value)
"""Corpus BLEU, 0 to 100, as sacrebleu computes it by default (13a, exponential smoothing)."""


@cache
def _rouge() -> Any:
    try:
        from rouge_score.rouge_scorer import RougeScorer  # type: ignore[import-untyped]
    except ModuleNotFoundError as error:
        raise _missing(error) from None
    return RougeScorer(["rougeL"], use_stemmer=False)


def _rouge_l(record: Record) -> float:
    scores = _rouge().score_multi(record["references"], record["prediction"])
    return float(scores["rougeL"].fmeasure)


ROUGE_L = mean(_rouge_l, READS)
"""Mean ROUGE-L F-measure, 0 to 1, of the best reference, by the rouge-score package."""


def _missing(error: ModuleNotFoundError) -> MetricError:
    return MetricError(cure(error) or str(error))
