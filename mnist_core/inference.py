"""Answers: from a drawing, or many frames, to digits and probabilities."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from mnist_core import registry
from mnist_core.model import MLP, scale_pixels
from mnist_core.preprocessing import normalize_drawing


@dataclass(frozen=True)
class Prediction:
    """What the network says about one drawing."""

    digit: int
    confidence: float
    """The probability of `digit`."""
    probabilities: tuple[float, ...]
    """One for each digit 0 to 9; they sum to 1."""
    accepted: bool
    """Whether the network stands by the answer. Always true for now: refusing is not built yet."""
    ood_score: float
    """Larger the less the drawing resembles a digit. For now simply 1 − confidence."""


class DigitClassifier:
    """A network that answers on the CPU; made once, it may be shared, as answering changes nothing in it."""

    def __init__(self, model: MLP) -> None:
        self.model = model.eval()

    @classmethod
    def load(cls, path: Path | str | None = None) -> Self:
        """The version in the folder `path`; without it the active version, else the shipped default.

        Raises:
            WeightsError: the version is missing, damaged or not one of ours.
        """
        folder = registry.active_version().folder if path is None else Path(path)
        return cls(registry.load_version(folder).model)

    def predict(self, image: Image.Image | NDArray[np.uint8]) -> Prediction:
        """Frame a drawing and read it.

        Raises:
            EmptyDrawingError: there is no ink.
            DrawingError: `image` is not a picture.
        """
        return self.predict_frame(normalize_drawing(image))

    def predict_frame(self, frame: NDArray[np.uint8]) -> Prediction:
        """Read a drawing that is a frame (28, 28) already."""
        probabilities = self.predict_frames(frame[None])[0]
        digit = int(probabilities.argmax())
        confidence = float(probabilities[digit])
        return Prediction(
            digit=digit,
            confidence=confidence,
            probabilities=tuple(map(float, probabilities)),
            accepted=True,
            ood_score=1 - confidence,
        )

    @torch.inference_mode()
    def predict_frames(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Probabilities (n, 10) for frames (n, 28, 28) uint8, light ink on black."""
        probabilities: NDArray[np.float32] = self.model(scale_pixels(frames)).softmax(dim=1).numpy()
        return probabilities
