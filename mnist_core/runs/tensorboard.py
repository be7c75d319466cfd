"""A run's figures as TensorBoard event files, if TensorBoard is installed."""

import importlib.util
from pathlib import Path
from typing import Any

from mnist_core.runs.events import Epoch, RunEvent, Step

SCALARS = {
    "train_loss": "loss/training",
    "validation_loss": "loss/validation",
    "train_accuracy": "accuracy/training",
    "validation_accuracy": "accuracy/validation",
}
"""A figure of an epoch, and the name of its curve."""


class EventFiles:
    """Writes the figures of each epoch into a run's folder, for `tensorboard --logdir weights/runs`."""

    def __init__(self, folder: Path, epochs_before: int) -> None:
        """Write into `folder`; what an interrupted run wrote there after `epochs_before` epochs is hidden."""
        self.images_per_second = 0.0
        self.writer: Any = None
        if importlib.util.find_spec("tensorboard") is not None:
            from torch.utils.tensorboard import SummaryWriter  # here, as importing it takes a second

            self.writer = SummaryWriter(str(folder), purge_step=epochs_before + 1, flush_secs=5)

    def __call__(self, event: RunEvent) -> None:
        """Write the figures of an event that has some."""
        if self.writer is None:
            return
        match event:
            case Epoch():
                for field, tag in SCALARS.items():
                    self.writer.add_scalar(tag, getattr(event, field), event.epoch)
                if self.images_per_second:
                    self.writer.add_scalar("images per second", self.images_per_second, event.epoch)
            case Step():
                self.images_per_second = event.images_per_second

    def close(self) -> None:
        """Write what is still in memory, and close the files."""
        if self.writer is not None:
            self.writer.close()
