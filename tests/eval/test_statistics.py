"""Errors, intervals and tests against their definitions and known distributions."""

import math
import statistics as textbook

import numpy as np
import pytest

from codex_ml.evaluation.errors import MetricError
from codex_ml.evaluation.metric import Metric, mean
from codex_ml.evaluation.statistics import estimate, holm, matrix, paired_p_value

MEAN = mean(lambda record: record["x"], ("x",))
RATIO = Metric(("x", "w"), lambda r: (r["x"], r["w"]), lambda sums: sums[0] / sums[1])


def rows(
    values: "np.ndarray[tuple[int], np.dtype[np.float64]]",
) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
    return matrix("mean", MEAN, [{"x": float(value)} for value in values])


def test_the_standard_error_of_a_mean_is_the_textbook_s() -> None:
    values = np.random.default_rng(0).normal(size=50)
    found = estimate("mean", MEAN, rows(values), seed=0)
    assert found.value == pytest.approx(textbook.fmean(values))
    assert found.stderr == pytest.approx(textbook.stdev(values) / math.sqrt(50))
    assert found.n == 50


def test_the_interval_covers_as_often_as_it_says() -> None:
    """Of 200 samples of 40, the 95 % intervals hold the true mean 180 to 199 times.

    Percentile intervals of 40 cover a little less than they say; binomial noise is +-6.
    """
    generator = np.random.default_rng(1)
    covered = 0
    for seed in range(200):
        interval = estimate("mean", MEAN, rows(generator.normal(size=40)), seed).interval
        assert interval is not None
        covered += interval[0] <= 0 <= interval[1]
    assert 180 <= covered <= 199


def test_the_seed_decides_the_interval() -> None:
    sample = rows(np.random.default_rng(0).normal(size=30))
    assert estimate("m", MEAN, sample, 1) == estimate("m", MEAN, sample, 1)
    assert estimate("m", MEAN, sample, 1).interval != estimate("m", MEAN, sample, 2).interval


def test_a_ratio_s_standard_error_is_the_delta_method_s() -> None:
    generator = np.random.default_rng(2)
    weights = generator.integers(1, 20, size=400)
    records = [{"x": float(w + generator.normal()), "w": int(w)} for w in weights]
    sample = matrix("ratio", RATIO, records)
    found = estimate("ratio", RATIO, sample, 0)
    residuals = sample[:, 0] - found.value * sample[:, 1]
    delta = math.sqrt(float((residuals**2).sum())) / sample[:, 1].sum()
    assert found.stderr == pytest.approx(delta, rel=0.02)


def test_one_record_has_no_error() -> None:
    found = estimate("mean", MEAN, rows(np.array([2.0])), 0)
    assert (found.value, found.stderr, found.interval) == (2.0, None, None)


def test_a_metric_without_a_value_is_an_error() -> None:
    with pytest.raises(MetricError, match="ratio has no value"):
        estimate("ratio", RATIO, matrix("ratio", RATIO, [{"x": 1, "w": 0}] * 2), 0)
    with pytest.raises(MetricError, match="mean is nan"):
        estimate("mean", MEAN, rows(np.array([math.nan, 1.0])), 0)


def test_equal_systems_differ_by_chance_as_often_as_alpha_says() -> None:
    """At p < 0.05, 5 % of 200 null comparisons: 10 +- 3 standard deviations of 3.1."""
    generator = np.random.default_rng(3)
    hits = 0
    for seed in range(200):
        base = generator.normal(size=25)
        ours, theirs = (rows(base + generator.normal(size=25)) for _ in range(2))
        hits += paired_p_value(MEAN, ours, theirs, seed, rounds=300) < 0.05
    assert 1 <= hits <= 20


def test_a_real_difference_is_found_because_the_test_is_paired() -> None:
    generator = np.random.default_rng(4)
    hard = generator.normal(scale=10, size=100)
    better = rows(hard + 0.5 + generator.normal(scale=0.5, size=100))
    worse = rows(hard + generator.normal(scale=0.5, size=100))
    assert paired_p_value(MEAN, better, worse, 0) < 0.001
    unpaired = rows(generator.permutation(worse[:, 0]))
    assert paired_p_value(MEAN, better, unpaired, 0) > 0.05


def test_identical_systems_have_p_1() -> None:
    sample = rows(np.random.default_rng(0).normal(size=30))
    assert paired_p_value(MEAN, sample, sample, 0) == 1.0


def test_holm_adjusts_in_order() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == pytest.approx([1.0, 1.0])
    assert holm([]) == []
