"""The classifier: from a drawing, or many frames, to digits and probabilities."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mnist_core.images.framing import normalize_drawing
from mnist_core.images.problems import is_dot
from mnist_core.network.calibration import ACCEPTED, SURE_CONFIDENCE, Calibration, ood_scores
from mnist_core.network.model import MLP, batched_logits

HALF_INK = 128
UNCALIBRATED = Calibration()


@dataclass(frozen=True)
class Prediction:
    """What the network makes of one drawing."""

    digit: int
    confidence: float
    """The probability of `digit`."""
    probabilities: tuple[float, ...]
    """One for each digit 0 to 9; they sum to 1."""
    accepted: bool
    """Whether the drawing is digit-like enough to be classified; by default 99% of MNIST's validation digits are."""
    ood_score: float
    """The out-of-distribution score: the higher, the less digit-like the drawing; see `calibration.ood_scores`."""

    @property
    def sure(self) -> bool:
        """Whether the drawing is accepted and the confidence high enough to show the digit without an alternative."""
        return self.accepted and self.confidence >= SURE_CONFIDENCE

    @property
    def runner_up(self) -> int:
        """The second most likely digit."""
        return sorted(range(len(self.probabilities)), key=self.probabilities.__getitem__)[-2]


class DigitClassifier:
    """Classifies drawings on the CPU. Predicting changes nothing in it, so one instance can serve many threads."""

    def __init__(self, model: MLP, calibration: Calibration = UNCALIBRATED) -> None:
        self.model = model.eval()
        self.calibration = calibration

    @classmethod
    def load(cls, path: Path | str | None = None) -> Self:
        """Load the version in the folder `path`; without a path the active version, or else the shipped default.

        Raises:
            WeightsError: the version is missing, damaged or was not written by this program.
        """
        # The only import that points up the layers: without a path, `versions` has to say which version is active.
        from mnist_core.versions.active import active_version
        from mnist_core.versions.registry import load_version

        version = load_version(active_version().folder if path is None else Path(path))
        return cls(version.model, version.record.calibration)

    def predict(self, image: Image.Image | NDArray[np.uint8], *, accept: float = ACCEPTED) -> Prediction:
        """Frame a drawing and classify it; see `predict_frame`.

        Raises:
            EmptyDrawingError: there is no ink.
            DrawingError: `image` is not a picture.
        """
        return self.predict_frame(normalize_drawing(image), accept=accept)

    def predict_frame(self, frame: NDArray[np.uint8], *, accept: float = ACCEPTED) -> Prediction:
        """Classify a frame (28, 28).

        `accept`, one of `calibration.SHARES`, is the share of MNIST's validation digits that would be accepted.
        """
        logits = self.logits(frame[None])
        probabilities = self.calibration.probabilities(logits)[0]
        digit, score = int(probabilities.argmax()), float(ood_scores(logits)[0])
        return Prediction(
            digit=digit,
            confidence=float(probabilities[digit]),
            probabilities=tuple(map(float, probabilities)),
            accepted=score <= self.calibration.threshold(accept) and not is_dot(frame >= HALF_INK),
            ood_score=score,
        )

    def predict_frames(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return calibrated probabilities (n, 10) for frames (n, 28, 28) uint8, light ink on black."""
        return self.calibration.probabilities(self.logits(frames))

    def ood_scores(self, frames: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Return the out-of-distribution score (n,) of each of the frames (n, 28, 28) uint8."""
        return ood_scores(self.logits(frames))

    def logits(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the network's logits (n, 10), before calibration, for frames (n, 28, 28) uint8."""
        return batched_logits(self.model, frames)


def percent(share: float) -> str:
    """Format a probability for people; it is never rounded up to certainty or down to impossibility."""
    if share > 0.999:
        return "> 99.9%"
    return f"{share:.1%}" if share >= 0.001 else "< 0.1%"
