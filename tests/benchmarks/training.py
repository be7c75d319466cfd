"""How much faster our recipes train than the article's own loop, side by side on this machine.

    MNIST_DATA=… python -m tests.benchmarks.training [--step]

The article's loop feeds batches of 32 from a `DataLoader` over torchvision's `MNIST` with `ToTensor`; ours hold the
images in memory as tensors. It learns from all 60,000 training images; ours learn from 55,000 of them and validate on
the rest within their time, so images per second are compared too. Test accuracy is measured after every epoch, outside
the time. First, a step of `article` is compared with its matrix products and one fused Adam; `--step` does only that.

Then the same network learns from distorted digits: ours in batches, and one at a time by torchvision's `v2` transforms
of the same kinds (rotated, slanted, scaled, moved, bent, thickened, framed again) in a `DataLoader` with two workers.
They take turns, so that other work on the machine disturbs both alike.
"""

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional

from mnist_core import RECIPES, DigitClassifier, Recipe, train
from mnist_core.files import data_dir
from mnist_core.images.datasets import Dataset, load_dataset
from mnist_core.network.model import MLP
from mnist_core.training.batches import Batches
from mnist_core.training.learner import Learner
from mnist_core.training.loop import leave_a_core_free
from mnist_core.training.optimizers import Adam
from mnist_core.training.progress import EpochProgress

GOAL = 0.98
SEEDS = (0, 1, 2)
STEP_TURNS, STEPS = 400, 4
TURNS, SECONDS, WARM_UP = 3, 15, 10
"""Turns of distorting, each with so many seconds of torchvision's, after so many batches that do not count."""


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


def frame_again(image: torch.Tensor) -> torch.Tensor:
    """Scale a digit (1, 28, 28) to its box of 20×20 and centre its mass in 28×28, as framing does."""
    rows, columns = (torch.nonzero(image[0].amax(axis) > 127)[:, 0] for axis in (1, 0))
    if not len(rows):
        return image
    top, left = int(rows[0]), int(columns[0])
    height, width = int(rows[-1]) - top + 1, int(columns[-1]) - left + 1
    scale = 20 / max(height, width)
    size = [max(1, round(height * scale)), max(1, round(width * scale))]
    digit = functional.resized_crop(image, top, left, height, width, size, antialias=True)
    mass = digit[0].float() + 1e-6
    down = 14 - float((mass.sum(1) @ torch.arange(0.5, size[0])) / mass.sum())
    right = 14 - float((mass.sum(0) @ torch.arange(0.5, size[1])) / mass.sum())
    above, ahead = min(max(round(down), 0), 28 - size[0]), min(max(round(right), 0), 28 - size[1])
    return functional.pad(digit, [ahead, above, 28 - size[1] - ahead, 28 - size[0] - above])


DISTORTED = replace(RECIPES["robust"], teacher="", optimizer="adamw", name="distorted")
V2 = v2.Compose(
    [
        v2.ToImage(),
        v2.RandomAffine(14, (0.02, 0.02), (0.92, 1.08), (-12.4, 12.4), interpolation=v2.InterpolationMode.BILINEAR),
        v2.ElasticTransform(alpha=40.0, sigma=4.0),
        v2.RandomApply([v2.GaussianBlur(3, 0.8), v2.RandomAdjustSharpness(4.0, 1.0)], 0.5),
        v2.Lambda(frame_again),
        v2.ToDtype(torch.float32, scale=True),
    ]
)


def torchvisions_images_per_second() -> float:
    """Training on digits that torchvision distorts one at a time."""
    loader = DataLoader(
        datasets.MNIST(str(data_dir()), train=True, transform=V2), batch_size=256, shuffle=True, num_workers=2
    )
    model = MLP()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.001)
    images_seen, begin = -WARM_UP * 256, time.perf_counter()
    for images, labels in loader:
        loss = nn.functional.binary_cross_entropy_with_logits(model(images), nn.functional.one_hot(labels, 10).float())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        images_seen += len(images)
        if images_seen == 0:  # the workers have been started
            begin = time.perf_counter()
        if time.perf_counter() - begin > SECONDS and images_seen > 0:
            break
    return images_seen / (time.perf_counter() - begin)


def our_images_per_second(dataset: Dataset) -> float:
    """Training by a recipe that distorts batches, the validation after each epoch included."""
    seconds = [
        event.seconds for event in train(replace(DISTORTED, epochs=6), dataset) if isinstance(event, EpochProgress)
    ]
    return len(dataset.train) * (len(seconds) - 1) / (seconds[-1] - seconds[0])


def compare_distorting(dataset: Dataset) -> None:
    """Print how many distorted images a second both ways learn from."""
    table = Table(title="Training 784-100-100-10 on distorted digits, images a second")
    for heading in ("", "torchvision v2, two workers", "ours", "ratio"):
        table.add_column(heading, justify="right")
    for turn in range(TURNS):
        theirs, ours_ = torchvisions_images_per_second(), our_images_per_second(dataset)
        table.add_row(f"{turn + 1}", f"{theirs:,.0f}", f"{ours_:,.0f}", f"{ours_ / theirs:.1f}×")
    Console(width=100).print(table)


def time_steps(dataset: Dataset) -> None:
    """Print how long a step of `article` takes beside its matrix products and one fused Adam, on one thread.

    The three are measured in turns and the shortest turn of each counts, since other work on the machine only adds.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    recipe, cpu = RECIPES["article"], torch.device("cpu")
    batches = Batches(recipe, dataset.train, cpu, torch.Generator().manual_seed(0))
    learner = Learner(recipe, len(dataset.train), cpu)
    order = torch.randperm(len(dataset.train)).split(recipe.batch_size)
    turns: dict[str, list[float]] = {"step": [], "matrix products": [], "fused Adam": []}
    for turn in range(STEP_TURNS):
        chosen = order[turn * STEPS : (turn + 1) * STEPS]
        images = [batch.flatten(1) for batch, _ in batches.of(chosen)]
        turns["matrix products"].append(multiply(recipe, images))
        turns["fused Adam"].append(adapt(recipe))
        begin = time.perf_counter()
        for batch, targets in batches.of(chosen):
            learner.step(batch, targets, len(batch))
        turns["step"].append((time.perf_counter() - begin) / STEPS)
    torch.set_num_threads(threads)
    step, products, adam = (min(seconds) * 1e6 for seconds in turns.values())
    print(
        f"A step of article takes {step:.0f} µs, its matrix products {products:.0f} µs and a fused Adam {adam:.0f} µs: "
        f"{step / (products + adam):.2f}× these two."
    )


@torch.no_grad()
def multiply(recipe: Recipe, images: Sequence[Tensor]) -> float:
    """Return the seconds per batch of the matrix products of a forward and a backward pass."""
    weights = [layer.weight for layer in MLP(recipe.layer_sizes).layers]
    outputs = [torch.rand(recipe.batch_size, len(weight)) for weight in weights]
    gradients = [torch.empty_like(weight) for weight in weights]
    begin = time.perf_counter()
    for batch in images:
        inputs = [batch, *outputs[:-1]]
        for place, weight in enumerate(weights):
            torch.mm(inputs[place], weight.t(), out=outputs[place])
        for place in reversed(range(len(weights))):
            torch.mm(outputs[place].t(), inputs[place], out=gradients[place])
            if place:
                torch.mm(outputs[place], weights[place], out=outputs[place - 1])
    return (time.perf_counter() - begin) / len(images)


@torch.no_grad()
def adapt(recipe: Recipe) -> float:
    """Return the seconds per step of one fused Adam on gradients of an ordinary size."""
    parameters = list(MLP(recipe.layer_sizes).parameters())
    gradients = [torch.randn_like(parameter) / 1000 for parameter in parameters]
    adam = Adam(parameters, beta2=0.999, weight_decay=0)
    begin = time.perf_counter()
    for _ in range(STEPS):
        adam.step(gradients, recipe.learning_rate)
    return (time.perf_counter() - begin) / STEPS


def main() -> None:
    dataset = load_dataset("mnist")
    time_steps(dataset)
    if "--step" in sys.argv:
        return
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
    compare_distorting(dataset)


if __name__ == "__main__":
    main()
