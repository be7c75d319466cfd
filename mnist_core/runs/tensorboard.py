"""Figures of a run as TensorBoard event files, where TensorBoard is installed; a run works without it."""

import importlib.util
from pathlib import Path
from typing import Any

from mnist_core.runs.folder import Event

SCALARS = {
    "train_loss": "loss/training",
    "validation_loss": "loss/validation",
    "train_accuracy": "accuracy/training",
    "validation_accuracy": "accuracy/validation",
}


class EventFiles:
    """Writes the figures of each epoch into a run's folder, for `tensorboard --logdir weights/runs`."""

    def __init__(self, folder: Path, epochs_before: int) -> None:
        """Figures of epochs after `epochs_before`, from before the run stopped, are no longer shown."""
        self.speed = 0.0
        self.writer: Any = None
        if importlib.util.find_spec("tensorboard") is not None:
            from torch.utils.tensorboard import SummaryWriter  # here, as importing it takes a second

            self.writer = SummaryWriter(str(folder), purge_step=epochs_before + 1, flush_secs=5)

    def __call__(self, event: Event) -> None:
        """Write down what can be drawn as a curve."""
        if self.writer is None:
            return
        if event["event"] == "epoch":
            for field, tag in SCALARS.items():
                self.writer.add_scalar(tag, event[field], event["epoch"])
            if self.speed:
                self.writer.add_scalar("images per second", self.speed, event["epoch"])
        elif event["event"] == "step":
            self.speed = event["images_per_second"]

    def close(self) -> None:
        """Write down what is left."""
        if self.writer is not None:
            self.writer.close()
