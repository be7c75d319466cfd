"""How much faster our recipes train than the article's own loop, side by side on this machine.

    MNIST_DATA=… python -m tests.benchmarks.training

The article's loop feeds batches of 32 from a `DataLoader` over torchvision's `MNIST` with `ToTensor`; ours hold the
images in memory as tensors. It learns from all 60,000 training images, ours from 55,000 of them and validate on the
rest within their time, so images a second are compared too. Test accuracy is taken after every epoch, outside the
time. Prints a table of times and ratios.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from rich.console import Console
from rich.table import Table
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

from mnist_core import RECIPES, DigitClassifier, Recipe, train
from mnist_core.datasets import Dataset, data_dir, load_dataset
from mnist_core.model import MLP
from mnist_core.training import EpochProgress, leave_a_core_free

GOAL = 0.98
SEEDS = (0, 1, 2)


@dataclass
class Course:
    """Seconds of training, and the test accuracy, after each epoch."""

    name: str
    images: int
    seconds: list[float] = field(default_factory=list)
    accuracies: list[float] = field(default_factory=list)

    @property
    def images_per_second(self) -> float:
        return self.images * len(self.seconds) / self.seconds[-1]

    @property
    def seconds_to_goal(self) -> float | None:
        reached = [seconds for seconds, share in zip(self.seconds, self.accuracies, strict=True) if share >= GOAL]
        return reached[0] if reached else None


def articles_loop(epochs: int) -> Iterator[MLP]:
    """The loop as the article has it; yields the network after each epoch."""
    everything = datasets.MNIST(str(data_dir()), train=True, transform=transforms.ToTensor())
    loader = DataLoader(everything, batch_size=32, shuffle=True)
    torch.manual_seed(0)
    model = MLP()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
    loss_function = nn.BCEWithLogitsLoss()
    for _ in range(epochs):
        for images, labels in loader:
            loss = loss_function(model(images), nn.functional.one_hot(labels, 10).float())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        yield model


def ours(recipe: Recipe, dataset: Dataset) -> Iterator[MLP]:
    """Our training; yields the network after each epoch."""
    for event in train(recipe, dataset):
        if isinstance(event, EpochProgress):
            yield event.model


def run(name: str, images: int, networks: Iterator[MLP], dataset: Dataset) -> Course:
    """Time a training; judging is not part of the time."""
    course, total = Course(name, images), 0.0
    while True:
        begin = time.perf_counter()
        model = next(networks, None)
        total += time.perf_counter() - begin
        if model is None:
            break
        answers = DigitClassifier(model).predict_frames(dataset.test.images).argmax(axis=1)
        course.seconds.append(total)
        course.accuracies.append(float((answers == dataset.test.labels).mean()))
        print(f"{name}: epoch {len(course.seconds)}, {total:.1f} s, test {course.accuracies[-1]:.2%}", flush=True)
    return course


def main() -> None:
    dataset = load_dataset("mnist")
    reference = run("the article's loop", 60_000, articles_loop(10), dataset)
    leave_a_core_free()
    images = len(dataset.train)
    courses = [reference, run("--recipe article", images, ours(RECIPES["article"], dataset), dataset)]
    for seed in SEEDS:
        recipe = RECIPES["quick"].override(seed=seed)
        courses.append(run(f"--recipe quick, seed {seed}", images, ours(recipe, dataset), dataset))

    table = Table(title=f"Training on MNIST, judged on {len(dataset.test):,} test images")
    headings = ("", "epochs", "s/epoch", "total s", "ratio", "images/s", "ratio", "test", "s to 98.0%", "ratio*")
    for heading in headings:
        table.add_column(heading, justify="right" if heading else "left")
    for course in courses:
        total, goal = course.seconds[-1], course.seconds_to_goal
        table.add_row(
            course.name,
            str(len(course.seconds)),
            f"{total / len(course.seconds):.2f}",
            f"{total:.1f}",
            f"{reference.seconds[-1] / total:.1f}×",
            f"{course.images_per_second:,.0f}",
            f"{course.images_per_second / reference.images_per_second:.1f}×",
            f"{course.accuracies[-1]:.2%}",
            "not reached" if goal is None else f"{goal:.1f}",
            "" if goal is None else f"{reference.seconds[-1] / goal:.1f}×",
        )
    Console(width=130).print(table)
    print("ratio: the article's loop ÷ this one; ratio*: ten epochs of the article's loop ÷ this one's time to 98.0%")


if __name__ == "__main__":
    main()
