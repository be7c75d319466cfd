"""Checkpoints: the state of a training after an epoch, in one file, from which it can be resumed exactly."""

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
    """Everything a training by `recipe` needs to resume after an epoch, bit for bit as if it had never stopped."""

    recipe: Recipe
    values: Mapping[str, Any]
    """Plain numbers: the epoch, the seconds so far, the best epoch and its score."""
    tensors: Mapping[str, Tensor]
    """The weights, the optimizers' state, and the state of every random generator."""

    @property
    def epoch(self) -> int:
        """The last finished epoch."""
        return int(self.values["epoch"])

    def save(self, path: Path) -> None:
        """Write the checkpoint atomically, as a safetensors file.

        Raises:
            OSError: the disk is full, or `path` cannot be written.
        """
        about = {"recipe": json.dumps(self.recipe.to_dict()), "values": json.dumps(self.values)}
        tensors = {name: tensor.cpu().contiguous() for name, tensor in self.tensors.items()}
        write_atomically(path, bytes_from_tensors(tensors, metadata=about))

    @classmethod
    def load(cls, path: Path) -> "Checkpoint":
        """Load a checkpoint that `save` wrote.

        Raises:
            CheckpointError: the file is missing, damaged, or not a checkpoint of this program.
        """
        try:
            with safe_open(path, framework="pt") as file:
                about = file.metadata()
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 — not a dict
            return cls(Recipe.from_dict(json.loads(about["recipe"])), json.loads(about["values"]), tensors)
        except (OSError, SafetensorError, KeyError, TypeError, ValueError, MnistCoreError) as error:
            raise CheckpointError(f"{path} cannot be loaded ({error}). Start the run again instead.") from error


def epoch_of(path: Path) -> int:
    """Return the epoch after which a checkpoint was saved, or 0 if it is missing or damaged."""
    try:
        with safe_open(path, framework="pt") as file:
            return int(json.loads(file.metadata()["values"])["epoch"])
    except (OSError, SafetensorError, KeyError, TypeError, ValueError):
        return 0
