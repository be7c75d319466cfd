import numpy as np
import pytest

from mnist_core.evaluation.statistics import expected_calibration_error, reliability
from mnist_core.network.calibration import (
    ACCEPTED,
    SHARES,
    Calibration,
    calibrate,
    fit_temperature,
    ood_scores,
)


def exaggerated(temperature: float, count: int = 20_000) -> tuple[np.ndarray, np.ndarray]:
    """Logits of a network that is right as often as softmax(logits / temperature) says, with labels to match."""
    random = np.random.default_rng(0)
    honest = random.normal(0, 2.5, (count, 10))
    chances = np.exp(honest) / np.exp(honest).sum(axis=1, keepdims=True)
    labels = (chances.cumsum(axis=1) > random.random((count, 1))).argmax(axis=1)
    return (honest * temperature).astype(np.float32), labels


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_that_spoilt_the_probabilities_is_found(temperature: float) -> None:
    assert fit_temperature(*exaggerated(temperature)) == pytest.approx(temperature, rel=0.03)


def test_calibrated_probabilities_are_as_sure_as_right() -> None:
    logits, labels = exaggerated(3.0)

    def error(calibration: Calibration) -> float:
        probabilities = calibration.probabilities(logits)
        bins = reliability(probabilities.max(axis=1), probabilities.argmax(axis=1) == labels)
        return expected_calibration_error(bins)

    assert error(Calibration()) > 0.1
    assert error(calibrate(logits, labels)) < 0.02


def test_each_threshold_accepts_its_share() -> None:
    logits, labels = exaggerated(1.0)
    calibration, scores = calibrate(logits, labels), ood_scores(logits)
    for share in SHARES:
        assert (scores <= calibration.threshold(share)).mean() == pytest.approx(share, abs=1e-4)
    assert calibration.threshold() == calibration.threshold(ACCEPTED)
    assert list(calibration.thresholds) == sorted(calibration.thresholds)


def test_low_logits_score_high() -> None:
    digit, nothing = np.array([[-9, 8, -9, -9, -9, -9, -9, -9, -9, -9]]), np.full((1, 10), -9.0)
    assert ood_scores(nothing.astype(np.float32)) > ood_scores(digit.astype(np.float32))


def test_no_logit_is_too_large() -> None:
    probabilities = Calibration(0.05).probabilities(np.array([[1e4, -1e4, *[0.0] * 8]], np.float32))
    assert probabilities[0].tolist() == [1, *[0] * 9]
