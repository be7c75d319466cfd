"""Making probabilities mean what they say, and knowing when to say "I am not sure" or "this is no digit".

All of it is fitted on validation images, which the network did not learn from.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax, softmax

ACCEPTED = 0.99
"""Share of validation images that are accepted unless somebody asks for another."""
SHARES = (0.8, 0.9, 0.93, 0.95, 0.96, 0.97, 0.98, 0.985, ACCEPTED, 0.993, 0.995, 0.997, 0.999, 1.0)
"""The shares there is a threshold for, from strict to lenient."""
SURE_CONFIDENCE = 0.9
"""A prediction with less confidence than this is called unsure."""


@dataclass(frozen=True)
class Calibration:
    """What turns logits into honest probabilities, and scores into a decision. By default, it changes nothing."""

    temperature: float = 1.0
    """Logits are divided by it before the softmax (Guo et al. 2017)."""
    thresholds: tuple[float, ...] = tuple(float("inf") for _ in SHARES)
    """For each of `SHARES`, the `ood_score` that this share of the validation images does not exceed."""

    def probabilities(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """Calibrated probabilities (n, 10), each row summing to 1, of logits (n, 10)."""
        shares: NDArray[np.float32] = softmax(logits / np.float32(self.temperature), axis=1)
        return shares

    def threshold(self, share: float = ACCEPTED) -> float:
        """The largest `ood_score` that is accepted when `share`, one of `SHARES`, of the validation images are."""
        return self.thresholds[SHARES.index(share)]


def calibrate(logits: NDArray[np.float32], labels: NDArray[np.int64]) -> Calibration:
    """Fit a calibration to what a network makes of validation images: logits (n, 10), labels (n,)."""
    temperature = fit_temperature(logits, labels)
    scores = ood_scores(logits)
    return Calibration(temperature, tuple(map(float, np.quantile(scores, SHARES, method="higher"))))


def fit_temperature(logits: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """The temperature that makes the labels (n,) likeliest, given logits (n, 10) (Guo et al. 2017)."""
    from scipy.optimize import minimize_scalar

    rows, scaled = np.arange(len(labels)), logits.astype(np.float64)

    def negative_log_likelihood(log_temperature: float) -> float:
        return -float(log_softmax(scaled * np.exp(-log_temperature), axis=1)[rows, labels].mean())

    # between 1/20 and 20: beyond, there is nothing to calibrate
    fitted = minimize_scalar(negative_log_likelihood, bounds=(-3, 3), method="bounded")
    return float(np.exp(fitted.x))


def ood_scores(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """How little each drawing resembles a digit (n,): the free energy −log Σ exp(logit) (Liu et al. 2020).

    Taken before the temperature. In a network that was shown shapes to be answered with no digit, all logits of such a
    shape are low, and so its energy is high.
    """
    energies: NDArray[np.float64] = -np.logaddexp.reduce(logits.astype(np.float64), axis=1)
    return energies
