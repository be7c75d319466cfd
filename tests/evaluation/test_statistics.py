"""Intervals and tests against SciPy, scikit-learn and published examples."""

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import roc_auc_score

from mnist_core.evaluation.statistics import (
    Z,
    auroc,
    auroc_interval,
    expected_calibration_error,
    mcnemar,
    reliability,
    wilson_interval,
    with_interval,
)

SHARES = [(0, 1), (1, 1), (0, 10), (10, 10), (1, 3), (81, 263), (9955, 10_000), (5000, 10_000), (3, 1_000_000)]


@pytest.mark.parametrize(("part", "whole"), SHARES)
def test_intervals_of_shares_are_scipys(part: int, whole: int) -> None:
    expected = binomtest(part, whole).proportion_ci(confidence_level=0.95, method="wilson")
    assert wilson_interval(part, whole) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert 0 <= wilson_interval(part, whole).low <= part / whole <= wilson_interval(part, whole).high <= 1


def test_interval_is_wilsons() -> None:
    """The example of Newcombe (1998), table I: 81 of 263."""
    interval = wilson_interval(81, 263)
    assert (round(interval.low, 4), round(interval.high, 4)) == (0.2553, 0.3662)
    assert wilson_interval(10, 10).high == 1
    assert wilson_interval(10, 10).low < 0.8


def test_a_share_is_written_with_its_interval() -> None:
    assert with_interval(81, 263) == "30.8% (95% interval 25.5% to 36.6%)"
    assert with_interval(81, 263, 2) == "30.80% (95% interval 25.53% to 36.62%)"
    assert with_interval(81, 263, short=True) == "30.8% (25.5% to 36.6%)"


@pytest.mark.parametrize(
    ("only_one", "only_other"), [(0, 0), (0, 1), (0, 6), (3, 3), (1, 9), (30, 12), (600, 700), (5000, 4900), (9, 9000)]
)
def test_p_values_of_mcnemars_test_are_scipys(only_one: int, only_other: int) -> None:
    expected = binomtest(only_one, only_one + only_other).pvalue if only_one + only_other else 1.0
    assert mcnemar(only_one, only_other) == pytest.approx(expected, rel=1e-9)
    assert mcnemar(only_other, only_one) == mcnemar(only_one, only_other)


def test_the_area_under_the_curve_is_scikit_learns() -> None:
    random = np.random.default_rng(0)
    digits, non_digits = random.normal(0, 1, 300).round(1), random.normal(1, 1, 200).round(1)  # rounded: there are ties
    expected = roc_auc_score(np.repeat([0, 1], [300, 200]), np.concatenate([digits, non_digits]))
    assert auroc(digits, non_digits) == pytest.approx(expected, abs=1e-12)
    assert auroc(np.zeros(3), np.ones(2)) == 1
    assert auroc(np.ones(3), np.zeros(2)) == 0


def test_interval_of_the_area_is_hanley_and_mcneils() -> None:
    """Their example: area 0.893 from 58 normal and 51 abnormal images has the standard error 0.032."""
    interval = auroc_interval(0.893, 58, 51)
    assert (interval.high - interval.low) / 2 / Z == pytest.approx(0.032, abs=0.001)


def test_answers_are_grouped_by_their_confidence() -> None:
    confidences = np.array([0.01, 0.95, 1.0, 1.0, 1 / 15], np.float32)
    bins = reliability(confidences, np.array([False, True, True, False, True]))
    assert [(part.images, part.correct) for part in (bins[0], bins[14])] == [(2, 1), (3, 2)]
    assert sum(part.images for part in bins) == 5
    assert (bins[0].low, bins[14].high) == (0, 1)
    assert bins[7].confidence == 0
    expected = abs(1 - (0.01 + 1 / 15)) / 5 + abs(2 - 2.95) / 5
    assert expected_calibration_error(bins) == pytest.approx(expected, abs=1e-6)
    assert expected_calibration_error(()) == 0
