"""Where a training stands after an epoch, in one file, so that it can go on from there as if it had never stopped."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save as bytes_from_tensors
from torch import Tensor

from mnist_core.errors import CheckpointError, MnistCoreError
from mnist_core.files import write_atomically
from mnist_core.recipes import Recipe


@dataclass(frozen=True)
class Checkpoint:
    """All that a training by `recipe` needs to go on after an epoch; bit for bit as if it had not stopped."""

    recipe: Recipe
    values: Mapping[str, Any]
    """Numbers: the epoch, the seconds so far, the best epoch and what it reached."""
    tensors: Mapping[str, Tensor]
    """Weights, what optimizers remember, the state of every source of random numbers."""

    @property
    def epoch(self) -> int:
        """The last epoch that was finished."""
        return int(self.values["epoch"])

    def save(self, path: Path) -> None:
        """Write it as safetensors, whole or not at all.

        Raises:
            OSError: there is no room, or `path` cannot be written.
        """
        about = {"recipe": json.dumps(self.recipe.to_dict()), "values": json.dumps(self.values)}
        tensors = {name: tensor.cpu().contiguous() for name, tensor in self.tensors.items()}
        write_atomically(path, bytes_from_tensors(tensors, metadata=about))

    @classmethod
    def load(cls, path: Path) -> "Checkpoint":
        """What `save` wrote.

        Raises:
            CheckpointError: it is missing, damaged, or not one of ours.
        """
        try:
            with safe_open(path, framework="pt") as file:
                about = file.metadata()
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 — it is no dict
            return cls(Recipe.from_dict(json.loads(about["recipe"])), json.loads(about["values"]), tensors)
        except (OSError, SafetensorError, KeyError, TypeError, ValueError, MnistCoreError) as error:
            raise CheckpointError(f"{path} cannot be gone on from ({error}). Start the run again instead.") from error


def epoch_of(path: Path) -> int:
    """The epoch a checkpoint was made after; 0 where there is none that can be read."""
    try:
        with safe_open(path, framework="pt") as file:
            return int(json.loads(file.metadata()["values"])["epoch"])
    except (OSError, SafetensorError, KeyError, TypeError, ValueError):
        return 0
