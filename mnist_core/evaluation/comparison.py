"""Whether one version is better than another on the same images, or whether the difference may be chance."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnist_core.evaluation.evaluation import FrameClassifier, classify
from mnist_core.evaluation.statistics import SIGNIFICANCE_LEVEL, Interval, Z, mcnemar
from mnist_core.images.datasets import LabelledImages


@dataclass(frozen=True)
class Comparison:
    """What two versions answer to the same images."""

    on: str
    labels: NDArray[np.int64]
    """The correct answers (n,)."""
    one: NDArray[np.int64]
    """The first version's answers (n,)."""
    other: NDArray[np.int64]
    """The second version's answers (n,)."""

    @property
    def images(self) -> int:
        """Count the images."""
        return len(self.labels)

    @property
    def only_one_right(self) -> NDArray[np.intp]:
        """Return the places of the images that only the first version classifies correctly."""
        return np.flatnonzero((self.one == self.labels) & (self.other != self.labels))

    @property
    def only_other_right(self) -> NDArray[np.intp]:
        """Return the places of the images that only the second version classifies correctly."""
        return np.flatnonzero((self.one != self.labels) & (self.other == self.labels))

    @property
    def one_correct(self) -> int:
        """Count the images that the first version classifies correctly."""
        return int((self.one == self.labels).sum())

    @property
    def other_correct(self) -> int:
        """Count the images that the second version classifies correctly."""
        return int((self.other == self.labels).sum())

    @property
    def difference(self) -> float:
        """Return the second version's accuracy minus the first's, -1 to 1."""
        return (self.other_correct - self.one_correct) / self.images

    @property
    def interval(self) -> Interval:
        """Return the 95% interval of the difference, for shares of the same images (Bonett & Price 2012)."""
        one = (len(self.only_one_right) + 1) / (self.images + 2)
        other = (len(self.only_other_right) + 1) / (self.images + 2)
        half = Z * math.sqrt((one + other - (other - one) ** 2) / (self.images + 2))
        return Interval(other - one - half, other - one + half)

    @property
    def p_value(self) -> float:
        """Return how often two equally good versions would differ at least so much by chance; see `mcnemar`."""
        return mcnemar(len(self.only_one_right), len(self.only_other_right))

    @property
    def more_than_chance(self) -> bool:
        """Whether the difference is statistically significant."""
        return self.p_value < SIGNIFICANCE_LEVEL

    @property
    def worse(self) -> bool:
        """Whether the second version makes more mistakes than the first, and that is more than chance."""
        return self.difference < 0 and self.more_than_chance

    def verdict(self, one: str = "the active one", other: str = "This version") -> str:
        """Say in words how the second version compares with the first, which are called `other` and `one`."""
        mistakes, against = self.images - self.other_correct, self.images - self.one_correct
        if mistakes == against:
            found = f"{other} makes as many mistakes as {one} ({mistakes:,} of {self.images:,})."
        else:
            more = "more" if mistakes > against else "fewer"
            found = f"{other} makes {more} mistakes than {one} ({mistakes:,} of {self.images:,} against {against:,})."
        return f"{found} {significance(len(self.only_one_right), len(self.only_other_right))}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        return {
            "on": self.on,
            "images": self.images,
            "correct": [self.one_correct, self.other_correct],
            "difference": self.difference,
            "interval_95": list(self.interval),
            "p_value": self.p_value,
            "more_than_chance": self.more_than_chance,
            "only_one_right": self.only_one_right.tolist(),
            "only_other_right": self.only_other_right.tolist(),
        }


def significance(only_one: int, only_other: int) -> str:
    """Say in a sentence whether a difference is more than chance, such as `That is more than chance (…, p = 0.03).`

    Of the images that exactly one version classifies correctly, `only_one` are the one's and `only_other` the other's.
    """
    p_value = mcnemar(only_one, only_other)
    if only_one == only_other:
        verdict = "Any difference may be chance"
    else:
        verdict = "That is more than chance" if p_value < SIGNIFICANCE_LEVEL else "That may be chance"
    exact = f"p = {p_value:.2g}" if p_value >= 0.001 else "p < 0.001"
    return f"{verdict} (McNemar's exact test, {exact})."


def compare(one: FrameClassifier, other: FrameClassifier, images: LabelledImages) -> Comparison:
    """Classify all images with both."""
    answers = (classify(classifier, images.images).probabilities.argmax(axis=1) for classifier in (one, other))
    return Comparison(images.name, images.labels, *answers)
