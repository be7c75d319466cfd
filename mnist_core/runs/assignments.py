"""What a run is asked to do; and the drawings put aside for it, so that they stay as they were when it was asked."""

from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError
from safetensors.numpy import load as arrays_from_bytes
from safetensors.numpy import save as bytes_from_arrays

from mnist_core.errors import CheckpointError
from mnist_core.files import write_atomically
from mnist_core.images.datasets import DataName, LabelledImages
from mnist_core.recipes import Recipe

DRAWINGS_FILE = "drawings.safetensors"


@dataclass(frozen=True)
class Lesson:
    """What a run is to teach, instead of training from the beginning."""

    base: str
    """The version that a copy of is taught."""
    writers: tuple[str, ...] = ()
    """Whose drawings teach; empty: everybody's."""


@dataclass(frozen=True)
class Assignment:
    """A training by `recipe` on the images of `data`, or a lesson that replays them."""

    recipe: Recipe
    data: DataName
    lesson: Lesson | None = None
    """What it teaches (see `teaching_run.prepare`); None where it trains."""
    drawings: LabelledImages | None = None
    """What a training learns from as well."""


def keep_drawings(folder: Path, drawings: LabelledImages | None) -> None:
    """Put aside the drawings that a run in `folder` is to learn from, if any: they stay the same to its end."""
    if drawings is not None and len(drawings):
        write_atomically(
            folder / DRAWINGS_FILE, bytes_from_arrays({"images": drawings.images, "labels": drawings.labels})
        )


def kept_drawings(folder: Path) -> LabelledImages | None:
    """What `keep_drawings` put aside.

    Raises:
        CheckpointError: it is damaged.
    """
    path = folder / DRAWINGS_FILE
    if not path.exists():
        return None
    try:
        arrays = arrays_from_bytes(path.read_bytes())
        return LabelledImages("corrected drawings", arrays["images"], arrays["labels"])
    except (OSError, KeyError, SafetensorError) as error:
        raise CheckpointError(f"{path} cannot be read ({error}). Start the run again instead.") from error
