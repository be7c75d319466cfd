"""What can go wrong, in words a person can act on.

Every message says what happened and what to do next; the pages and the command line show it as it is.
"""


class MnistCoreError(Exception):
    """Base of all errors that this package raises on purpose."""


class RecipeError(MnistCoreError, ValueError):
    """A field of a recipe holds a value that cannot be trained with; the message names the field."""


class DatasetError(MnistCoreError):
    """Images could not be read or downloaded; the message names the file and the remedy."""


class WeightsError(MnistCoreError):
    """A version on disk is missing, damaged, or not one of ours."""


class DrawingError(MnistCoreError, ValueError):
    """A picture cannot be brought into a frame."""


class EmptyDrawingError(DrawingError):
    """There is no ink in the picture."""


class RunError(MnistCoreError):
    """A training run cannot be started, found or cancelled."""


class CheckpointError(RunError):
    """A run cannot go on from where it stopped."""


class StoreError(MnistCoreError):
    """The drawings that people confirmed or corrected cannot be kept, found or deleted."""


class RefusedDrawingError(StoreError, ValueError):
    """A drawing cannot be kept as it is; the message names what is wrong with it. Trying again does not help."""


class TeachingError(MnistCoreError, ValueError):
    """There are too few drawings to teach with, or a setting of the teaching is nonsense."""
