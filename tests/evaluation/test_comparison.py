import numpy as np
import pytest
from scipy.stats import binom

from mnist_core import DigitClassifier, files
from mnist_core.evaluation.comparison import Comparison, compare
from mnist_core.images.datasets import Dataset


def comparison(both: int, only_one: int, only_other: int, neither: int = 0) -> Comparison:
    """Labels are all 7; wrong answers are 1."""
    one = [7] * both + [7] * only_one + [1] * only_other + [1] * neither
    other = [7] * both + [1] * only_one + [7] * only_other + [1] * neither
    return Comparison("images", np.full(len(one), 7), np.array(one), np.array(other))


def test_counts_and_places_are_those_of_the_answers() -> None:
    found = comparison(both=5, only_one=2, only_other=3, neither=1)
    assert (found.one_correct, found.other_correct, found.images) == (7, 8, 11)
    assert found.only_one_right.tolist() == [5, 6]
    assert found.only_other_right.tolist() == [7, 8, 9]
    assert found.difference == pytest.approx(1 / 11)


@pytest.mark.parametrize(("only_one", "only_other"), [(0, 0), (3, 3), (1, 9), (2, 14), (30, 12)])
def test_p_value_is_the_exact_binomial_one(only_one: int, only_other: int) -> None:
    found = comparison(100, only_one, only_other)
    fewer, both = min(only_one, only_other), only_one + only_other
    assert found.p_value == pytest.approx(min(1.0, 2 * binom.cdf(fewer, both, 0.5)))
    assert found.more_than_chance == (found.p_value < 0.05)


@pytest.mark.parametrize(
    ("only_one", "only_other", "words"),
    [
        (9, 1, "makes more mistakes than the active one (9 of 20 against 1). That is more than chance"),
        (3, 5, "makes fewer mistakes than the active one (3 of 20 against 5). That may be chance"),
        (4, 4, "makes as many mistakes as the active one (4 of 20). Any difference may be chance"),
    ],
)
def test_the_verdict_says_what_it_means_first(only_one: int, only_other: int, words: str) -> None:
    found = comparison(20 - only_one - only_other, only_one, only_other)
    assert f"This version {words} (McNemar's exact test, p = " in found.verdict()
    assert found.worse == (only_one == 9)


def test_interval_of_the_difference_covers_the_truth_about_as_often_as_it_says() -> None:
    random = np.random.default_rng(0)
    shares = [0.9, 0.02, 0.05, 0.03]  # both, only one, only other, neither: the other is 3 points better
    covered = 0
    for both, only_one, only_other, neither in random.multinomial(500, shares, size=400):
        interval = comparison(both, only_one, only_other, neither).interval
        covered += interval.low <= 0.03 <= interval.high
    assert 0.92 <= covered / 400 <= 0.98


def test_two_real_versions_classify_the_same_images(sample: Dataset, classifier: DigitClassifier) -> None:
    best = DigitClassifier.load(files.SHIPPED / "best")
    found = compare(classifier, best, sample.test)
    assert found.one_correct == (classifier.predict_frames(sample.test.images).argmax(1) == sample.test.labels).sum()
    assert found.difference > 0
    assert found.more_than_chance
    assert found.verdict("the small one", "The best") == (
        f"The best makes fewer mistakes than the small one ({1000 - found.other_correct} of 1,000 against "
        f"{1000 - found.one_correct}). That is more than chance (McNemar's exact test, p < 0.001)."
    )
    same = compare(best, best, sample.test)
    assert (same.p_value, same.difference) == (1.0, 0.0)
    assert "as many mistakes as" in same.verdict()
    assert "may be chance" in same.verdict()
