"""Reads handwritten digits: frames drawings as MNIST was made, trains small networks, judges and serves them."""

from mnist_core.errors import MnistCoreError
from mnist_core.evaluation.evaluation import Evaluation, evaluate
from mnist_core.images.framing import normalize_drawing
from mnist_core.network.classifier import DigitClassifier, Prediction
from mnist_core.recipes import RECIPES, Recipe
from mnist_core.training.loop import train

__all__ = [
    "RECIPES",
    "DigitClassifier",
    "Evaluation",
    "MnistCoreError",
    "Prediction",
    "Recipe",
    "evaluate",
    "normalize_drawing",
    "train",
]
