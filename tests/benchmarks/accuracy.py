"""Measure the shipped versions on MNIST and people's drawings, and what they decline, beside two baselines.

    MNIST_DATA=… python -m tests.benchmarks.accuracy

Reads `digits.jsonl.gz`, `letters.jsonl.gz`, `symbols.jsonl.gz` and `sketches.jsonl.gz` in `MNIST_DATA/pen`, draws every
character at each setting of the canvas, and evaluates all versions on the same drawings. The baselines are the
article's network on the canvas simply shrunk to 28×28, as in most demos, and on framed drawings. Prints four tables;
takes about ten minutes.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rich.console import Console
from rich.table import Table

from mnist_core import DigitClassifier, Evaluation, evaluate, normalize_drawing
from mnist_core.evaluation.pen_strokes import DrawingsEvaluation, digit_labels, draw_frames, judge_drawings
from mnist_core.evaluation.statistics import wilson_interval
from mnist_core.files import data_dir
from mnist_core.images.datasets import LabelledImages, load_dataset
from mnist_core.images.strokes import SETTINGS, read_characters
from mnist_core.network.calibration import ACCEPTED, SHARES
from mnist_core.versions import registry

PEN = data_dir() / "pen"
KINDS = ("letters", "symbols", "sketches")
ROWS = (
    ("article, plain resize", "article", "plain"),
    ("article, framed", "article", "framed"),
    ("robust", "robust", "framed"),
    ("best", "best", "framed"),
)


@dataclass(frozen=True)
class Row:
    """The figures of one version."""

    name: str
    parameters: int
    mnist: Evaluation
    drawings: list[DrawingsEvaluation]


def shrunk(canvas: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Shrink a canvas, as most demos do."""
    return 255 - np.asarray(Image.fromarray(canvas).resize((28, 28), Image.Resampling.BILINEAR))


def measure() -> list[Row]:
    """Evaluate every version; drawings are framed once for all."""
    test = load_dataset("mnist").test
    versions = {name: registry.version(name) for _, name, _ in ROWS}
    readers = {name: DigitClassifier.load(version.folder) for name, version in versions.items()}
    rows = [
        Row(title, versions[name].record.recipe.parameter_count, evaluate(readers[name], test), [])
        for title, name, _ in ROWS
    ]
    digits, *non_digits = (read_characters(PEN / f"{kind}.jsonl.gz") for kind in ("digits", *KINDS))
    labels = digit_labels(digits)
    ways: dict[str, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]] = {"plain": shrunk, "framed": normalize_drawing}
    for setting in SETTINGS:
        for way, frame in ways.items():
            drawn = LabelledImages(setting.name, draw_frames(digits, setting, frame), labels)
            shapes = {kind: draw_frames(part, setting, frame) for kind, part in zip(KINDS, non_digits, strict=True)}
            for row, (_, name, chosen) in zip(rows, ROWS, strict=True):
                if chosen == way:
                    row.drawings.append(judge_drawings(readers[name], setting, drawn, shapes))
        print(f"evaluated: {setting.name}", flush=True)
    return rows


def share(part: int, whole: int) -> str:
    """Return a percentage with half the width of its 95% interval."""
    interval = wilson_interval(part, whole)
    return f"{part / whole:.2%} ± {(interval.high - interval.low) / 2:.2%}"


def table(title: str, headings: list[str], rows: list[list[str]]) -> None:
    """Print a table; the first column names the rows."""
    printed = Table(title=title, title_justify="left")
    for number, heading in enumerate(headings):
        printed.add_column(heading, justify="right" if number else "left")
    for row in rows:
        printed.add_row(*row)
    Console(width=150).print(printed)


def main() -> None:
    rows = measure()
    settings = [setting.name for setting in SETTINGS]
    count = rows[0].drawings[0].digits.images
    table(
        f"Accuracy (± half of the 95% interval): {rows[0].mnist.images:,} MNIST test images, {count:,} drawings",
        ["", "parameters", "MNIST test", *settings],
        [
            [
                row.name,
                f"{row.parameters:,}",
                share(row.mnist.correct, row.mnist.images),
                *(share(drawn.digits.correct, drawn.digits.images) for drawn in row.drawings),
            ]
            for row in rows
        ],
    )
    table(
        "Expected calibration error (15 bins)",
        ["", "MNIST test", *settings],
        [
            [
                row.name,
                f"{row.mnist.calibration_error:.2%}",
                *(f"{drawn.digits.calibration_error:.2%}" for drawn in row.drawings),
            ]
            for row in rows
        ],
    )
    table(
        f"Non-digits, AUROC of ood_score against {count:,} digits",
        ["", "", *settings],
        [
            [row.name, kind, *(f"{drawn.non_digits[place].auroc:.4f}" for drawn in row.drawings)]
            for row in rows
            for place, kind in enumerate(KINDS)
        ],
    )
    decisions(rows, count)


def decisions(rows: list[Row], count: int) -> None:
    """Print what is answered and what is declined with the default threshold, at the first setting of the canvas."""
    chosen = SHARES.index(ACCEPTED)
    printed = []
    for row in rows:
        drawn = row.drawings[0]
        answered, correct = drawn.digits.coverage[chosen].answered, drawn.digits.coverage[chosen].correct
        printed.append([row.name, f"{count:,} digits", share(answered, count), share(correct, answered), "", ""])
        for part in drawn.non_digits:
            refused, sure = (share(counts[chosen], part.images) for counts in (part.refused, part.sure))
            printed.append([row.name, f"{part.images:,} {part.kind}", "", "", refused, sure])
    headings = ["", "", "answered", "correct of those", "declined", "called a digit, 90% sure or more"]
    table(f"Declining with the default threshold, {rows[0].drawings[0].setting}", headings, printed)


if __name__ == "__main__":
    main()
