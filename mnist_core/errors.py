"""Domain errors. Every message says what happened and what to do next; pages and commands show it unchanged."""


class MnistCoreError(Exception):
    """Base of all errors that this package raises on purpose."""


class RecipeError(MnistCoreError, ValueError):
    """A field of a recipe has an invalid value; the message names the field."""


class DatasetError(MnistCoreError):
    """Images could not be read or downloaded; the message names the file and the remedy."""


class WeightsError(MnistCoreError):
    """A version on disk is missing, damaged, or not made by this package."""


class DrawingError(MnistCoreError, ValueError):
    """A picture cannot be turned into a frame."""


class EmptyDrawingError(DrawingError):
    """There is no ink in the picture."""


class RunError(MnistCoreError):
    """A training run cannot be started, found or cancelled."""


class CheckpointError(RunError):
    """A run cannot be resumed."""


class StoreError(MnistCoreError):
    """Stored drawings cannot be saved, read or deleted."""


class RefusedDrawingError(StoreError, ValueError):
    """A drawing cannot be stored as it is; the message says why. Trying again does not help."""


class TeachingError(MnistCoreError, ValueError):
    """There are too few drawings to fine-tune with, or a setting is invalid."""
