"""Answers: from a drawing, or many frames, to digits and probabilities."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from mnist_core.images.framing import normalize_drawing
from mnist_core.images.problems import is_dot
from mnist_core.network.calibration import ACCEPTED, SURE, Calibration, ood_scores
from mnist_core.network.model import MLP, scale_pixels

AT_ONCE = 2000
"""Frames, so that many need no more memory than some."""
HALF = 128
"""Of full ink."""
UNCALIBRATED = Calibration()


@dataclass(frozen=True)
class Prediction:
    """What the network says about one drawing."""

    digit: int
    confidence: float
    """The probability of `digit`."""
    probabilities: tuple[float, ...]
    """One for each digit 0 to 9; they sum to 1."""
    accepted: bool
    """Whether the drawing resembles a digit enough to be answered; by default, 99% of MNIST's validation digits do."""
    ood_score: float
    """Larger the less the drawing resembles a digit; see `calibration.ood_scores`."""

    @property
    def sure(self) -> bool:
        """Whether the answer is accepted, and likely enough to be given without a second one."""
        return self.accepted and self.confidence >= SURE

    @property
    def runner_up(self) -> int:
        """The second likeliest digit."""
        return sorted(range(len(self.probabilities)), key=self.probabilities.__getitem__)[-2]


class DigitClassifier:
    """A network that answers on the CPU; made once, it may be shared, as answering changes nothing in it."""

    def __init__(self, model: MLP, calibration: Calibration = UNCALIBRATED) -> None:
        self.model = model.eval()
        self.calibration = calibration

    @classmethod
    def load(cls, path: Path | str | None = None) -> Self:
        """The version in the folder `path`; without it the active version, else the shipped default.

        Raises:
            WeightsError: the version is missing, damaged or not one of ours.
        """
        # up the layers, and only when called: without a path somebody has to know which version is active
        from mnist_core.versions.active import active_version
        from mnist_core.versions.registry import load_version

        version = load_version(active_version().folder if path is None else Path(path))
        return cls(version.model, version.record.calibration)

    def predict(self, image: Image.Image | NDArray[np.uint8], *, accept: float = ACCEPTED) -> Prediction:
        """Frame a drawing and read it; see `predict_frame`.

        Raises:
            EmptyDrawingError: there is no ink.
            DrawingError: `image` is not a picture.
        """
        return self.predict_frame(normalize_drawing(image), accept=accept)

    def predict_frame(self, frame: NDArray[np.uint8], *, accept: float = ACCEPTED) -> Prediction:
        """Read a drawing that is a frame (28, 28) already.

        `accept`, one of `calibration.SHARES`: what share of MNIST's validation digits would be accepted.
        """
        logits = self.logits(frame[None])
        probabilities = self.calibration.probabilities(logits)[0]
        digit, score = int(probabilities.argmax()), float(ood_scores(logits)[0])
        return Prediction(
            digit=digit,
            confidence=float(probabilities[digit]),
            probabilities=tuple(map(float, probabilities)),
            accepted=score <= self.calibration.threshold(accept) and not is_dot(frame >= HALF),
            ood_score=score,
        )

    def predict_frames(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Calibrated probabilities (n, 10) for frames (n, 28, 28) uint8, light ink on black."""
        return self.calibration.probabilities(self.logits(frames))

    def ood_scores(self, frames: NDArray[np.uint8]) -> NDArray[np.float64]:
        """How little each of the frames (n, 28, 28) uint8 resembles a digit (n,)."""
        return ood_scores(self.logits(frames))

    @torch.inference_mode()
    def logits(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """What the network itself gives (n, 10) for frames (n, 28, 28) uint8."""
        parts = [self.model(scale_pixels(part)) for part in np.array_split(frames, max(1, len(frames) // AT_ONCE))]
        logits: NDArray[np.float32] = torch.cat(parts).numpy()
        return logits


def percent(share: float) -> str:
    """A probability for people: never rounded up to certainty or down to impossibility."""
    if share > 0.999:
        return "> 99.9%"
    return f"{share:.1%}" if share >= 0.001 else "< 0.1%"
