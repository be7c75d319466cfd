"""Intervals, tests and other figures that say how far a measurement can be trusted."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, FiniteFloat

SIGNIFICANCE_LEVEL = 0.05
"""A difference with a smaller p-value is called more than chance."""
RELIABILITY_BINS = 15
Z = 1.959963984540054  # the normal distribution's 97.5% quantile: 95% lie between -Z and Z

Share = Annotated[FiniteFloat, Field(ge=0, le=1)]  # a bound alone lets NaN pass
Count = Annotated[int, Field(ge=0, le=10**9)]


class Interval(NamedTuple):
    """A 95% confidence interval of a share, or of a difference of two."""

    low: FiniteFloat
    high: FiniteFloat

    def percent(self, decimals: int = 1) -> str:
        """Return the interval in words, such as `96.8% to 97.6%`."""
        return f"{self.low:.{decimals}%} to {self.high:.{decimals}%}"


def wilson_interval(part: int, whole: int) -> Interval:
    """Return the 95% interval of the share `part / whole`; `whole` is at least 1.

    Wilson's score interval (1927), which also holds near 0% and 100%, where the usual one does not.
    """
    share = part / whole
    denominator = 2 * (whole + Z**2)
    center = (2 * part + Z**2) / denominator
    margin = Z * math.sqrt(4 * part * (1 - share) + Z**2) / denominator
    return Interval(center - margin if part else 0.0, center + margin if part < whole else 1.0)


def with_interval(part: int, whole: int, decimals: int = 1, *, short: bool = False) -> str:
    """Return a share with its 95% interval, such as `97.2% (95% interval 96.8% to 97.6%)`; `whole` is at least 1.

    The `short` form, `97.2% (96.8% to 97.6%)`, is for tables whose title names the interval.
    """
    interval = wilson_interval(part, whole).percent(decimals)
    return f"{part / whole:.{decimals}%} ({interval if short else f'95% interval {interval}'})"


def mcnemar(only_one: int, only_other: int) -> float:
    """Return the two-sided p-value of McNemar's exact test (1947).

    Of the images that exactly one of two versions classifies correctly, `only_one` are the one's and `only_other` the
    other's. The p-value says how often two equally good versions would differ at least so much by chance.
    """
    differing, fewer = only_one + only_other, min(only_one, only_other)
    ways = outcomes = 1
    for number in range(fewer):  # outcomes = C(differing, number + 1)
        outcomes = outcomes * (differing - number) // (number + 1)
        ways += outcomes
    return min(1.0, 2 * ways / (1 << differing))


@dataclass(frozen=True)
class ReliabilityBin:
    """The answers whose confidence lies in one range."""

    low: Share
    high: Share
    images: Count
    correct: Count
    confidence: Share
    """Their mean confidence; 0 without answers."""


def reliability(confidences: NDArray[np.float32], correct: NDArray[np.bool_]) -> tuple[ReliabilityBin, ...]:
    """Group answers (n,) by their confidence, in 15 ranges of equal width."""
    edges = np.linspace(0, 1, RELIABILITY_BINS + 1)
    places = np.clip(np.ceil(confidences * RELIABILITY_BINS).astype(int) - 1, 0, RELIABILITY_BINS - 1)
    bins = []
    for number in range(RELIABILITY_BINS):
        inside = places == number
        mean = float(confidences[inside].mean(dtype=np.float64)) if inside.any() else 0.0
        low, high = float(edges[number]), float(edges[number + 1])
        bins.append(ReliabilityBin(low, high, int(inside.sum()), int(correct[inside].sum()), mean))
    return tuple(bins)


def expected_calibration_error(bins: Sequence[ReliabilityBin]) -> float:
    """Return the mean gap between confidence and accuracy, weighted by images, 0 to 1 (Naeini et al. 2015)."""
    images = sum(part.images for part in bins)
    return sum(abs(part.correct - part.confidence * part.images) for part in bins) / images if images else 0.0


def auroc(digit_scores: NDArray[np.float64], non_digit_scores: NDArray[np.float64]) -> float:
    """Return the area under the ROC curve: how often a random non-digit scores higher than a random digit.

    A tie counts as half.
    """
    ordered = np.sort(digit_scores)
    lower = np.searchsorted(ordered, non_digit_scores, "left")
    not_higher = np.searchsorted(ordered, non_digit_scores, "right")
    return float((lower + not_higher).sum()) / (2 * len(digit_scores) * len(non_digit_scores))


def auroc_interval(area: float, digits: int, non_digits: int) -> Interval:
    """Return the 95% interval of an area under the ROC curve, measured on this many of both (Hanley & McNeil 1982)."""
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    spread = area * (1 - area) + (non_digits - 1) * (q1 - area**2) + (digits - 1) * (q2 - area**2)
    margin = Z * math.sqrt(max(spread, 0.0) / (digits * non_digits))
    return Interval(max(0.0, area - margin), min(1.0, area + margin))
