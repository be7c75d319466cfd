"""Whether one version reads better than another, or whether that may be chance: both on the same images."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnist_core.evaluation.evaluation import Interval, Reader
from mnist_core.images.datasets import LabelledImages

LEVEL = 0.05
"""A difference that chance alone would bring less often than this is called more than chance."""


@dataclass(frozen=True)
class Comparison:
    """What two versions answer to the same images; `one` and `other` as they were given."""

    on: str
    labels: NDArray[np.int64]
    """The right answers (n,)."""
    one: NDArray[np.int64]
    """The answers of the one (n,)."""
    other: NDArray[np.int64]
    """The answers of the other (n,)."""

    @property
    def images(self) -> int:
        """How many images both were asked about."""
        return len(self.labels)

    @property
    def only_one_right(self) -> NDArray[np.intp]:
        """Places of the images that only the one reads rightly."""
        return np.flatnonzero((self.one == self.labels) & (self.other != self.labels))

    @property
    def only_other_right(self) -> NDArray[np.intp]:
        """Places of the images that only the other reads rightly."""
        return np.flatnonzero((self.one != self.labels) & (self.other == self.labels))

    @property
    def one_correct(self) -> int:
        """How many images the one reads rightly."""
        return int((self.one == self.labels).sum())

    @property
    def other_correct(self) -> int:
        """How many images the other reads rightly."""
        return int((self.other == self.labels).sum())

    @property
    def difference(self) -> float:
        """Accuracy of the other less that of the one, -1 to 1."""
        return (self.other_correct - self.one_correct) / self.images

    @property
    def interval(self) -> Interval:
        """The 95% interval of the difference, of proportions of the same images (Bonett & Price 2012)."""
        one = (len(self.only_one_right) + 1) / (self.images + 2)
        other = (len(self.only_other_right) + 1) / (self.images + 2)
        half = 1.959964 * math.sqrt((one + other - (other - one) ** 2) / (self.images + 2))
        return Interval(other - one - half, other - one + half)

    @property
    def p_value(self) -> float:
        """How often chance alone would part two equally good versions at least so far."""
        return chance(len(self.only_one_right), len(self.only_other_right))

    @property
    def more_than_chance(self) -> bool:
        """Whether the difference is more than chance would bring."""
        return self.p_value < LEVEL

    @property
    def verdict(self) -> str:
        """What the difference means, in a sentence about the other."""
        points = self.difference * 100
        low, high = self.interval.low * 100, self.interval.high * 100
        return (
            f"{abs(points):.2f} points {'better' if points >= 0 else 'worse'} on the same {self.images:,} images "
            f"({self.on}; 95% interval of the difference {low:+.2f} to {high:+.2f}); "
            f"{in_words(len(self.only_one_right), len(self.only_other_right))}."
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {
            "on": self.on,
            "images": self.images,
            "correct": [self.one_correct, self.other_correct],
            "difference": self.difference,
            "interval_95": [self.interval.low, self.interval.high],
            "p_value": self.p_value,
            "more_than_chance": self.more_than_chance,
            "only_one_right": self.only_one_right.tolist(),
            "only_other_right": self.only_other_right.tolist(),
        }


def chance(only_one_right: int, only_other_right: int) -> float:
    """How often chance alone would part two equally good versions at least so far (McNemar 1947; the exact test)."""
    from scipy.stats import binomtest

    parted = only_one_right + only_other_right
    return float(binomtest(only_one_right, parted).pvalue) if parted else 1.0


def in_words(only_one_right: int, only_other_right: int) -> str:
    """Whether that is more than chance would bring, to end a sentence with."""
    p_value = chance(only_one_right, only_other_right)
    verdict = "more than chance" if p_value < LEVEL else "that may be chance"
    return f"{verdict} (McNemar's exact test, p = {p_value:.2g})"


def compare(one: Reader, other: Reader, images: LabelledImages) -> Comparison:
    """Ask both about every image."""
    answers = (reader.predict_frames(images.images).argmax(axis=1) for reader in (one, other))
    return Comparison(images.name, images.labels, *answers)
