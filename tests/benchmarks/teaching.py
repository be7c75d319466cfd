"""How much better a fine-tuned copy of `best` classifies its writer's other drawings, and what it forgets of MNIST.

    MNIST_DATA=… python -m tests.benchmarks.teaching [--split-seeds 3]

Uses `MNIST_DATA/pen/digits.jsonl.gz`. For each writer with at least 60 digits, a copy learns from 30, spread evenly
over the digits, and the others measure the result, with several splits each. The settings were tuned on the 12 writers
marked with `t` and on other splits, so the figures to trust are those of the writers marked with `h` (held out).
MNIST's test images had no part in any choice. Takes six to nine minutes.

Some drawings are one straight stroke or a dot and yet not a 1: the slash of a zero or a bar of a 4, which the file
holds as separate characters. Most writers have at most two of them, and little can be learned from them. The output
also states each mean without them; what counts is the figure with them.
"""

import argparse
import gzip
import json
import statistics
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from rich import box
from rich.console import Console
from rich.progress import track
from rich.table import Table

from mnist_core import DigitClassifier, files
from mnist_core.evaluation.comparison import Comparison, compare
from mnist_core.evaluation.pen_strokes import digit_labels, draw_frames
from mnist_core.evaluation.statistics import wilson_interval
from mnist_core.files import data_dir
from mnist_core.images.datasets import Dataset, LabelledImages, load_dataset
from mnist_core.images.strokes import SETTINGS, Character, Stroke, read_characters
from mnist_core.network.model import MLP
from mnist_core.training.finetune import Taught, TeachSettings, split_drawings, teach
from mnist_core.training.loop import leave_a_core_free
from mnist_core.versions import registry

LEAST, TO_TEACH = 60, 30
TUNED, TUNING_SEED = 12, 7
STRAIGHT = 0.1
"""A stroke is straight if it strays from the line between its ends by less than this share of their distance."""
CONSOLE = Console(width=180)


@dataclass(frozen=True)
class Writer:
    """What one person wrote."""

    drawings: LabelledImages
    pieces: NDArray[np.bool_]
    """Which of them (n,) are one straight stroke or a dot, and not labelled 1."""

    @property
    def name(self) -> str:
        """What the file calls them."""
        return self.drawings.name


@dataclass(frozen=True)
class Lesson:
    """One copy, taught by one writer's drawings, beside the version it was copied from."""

    writer: str
    seed: int
    judged: Comparison
    pieces: NDArray[np.bool_]
    """Which of the drawings that judge (n,) are; see `Writer.pieces`."""
    mnist: Comparison
    taught: Taught

    @property
    def errors(self) -> tuple[float, float]:
        """Share of the writer's other drawings that are misclassified, before and after."""
        return errors(self.judged)

    @property
    def whole_errors(self) -> tuple[float, float]:
        """The same without the pieces."""
        whole = ~self.pieces
        return errors(
            Comparison(self.judged.on, self.judged.labels[whole], self.judged.one[whole], self.judged.other[whole])
        )

    @property
    def worse(self) -> bool:
        """Whether significantly more of the writer's other drawings are misclassified than before."""
        return self.judged.more_than_chance and self.judged.difference < 0


def errors(judged: Comparison) -> tuple[float, float]:
    """Return the share misclassified by the one and by the other."""
    return 1 - judged.one_correct / judged.images, 1 - judged.other_correct / judged.images


def is_straight(strokes: Sequence[Stroke]) -> bool:
    """Whether these are one straight stroke, or a dot."""
    if len(strokes) > 1:
        return False
    points = strokes[0] - strokes[0][0]
    along = points[-1]
    astray = np.abs(points @ np.array([along[1], -along[0]])).max()  # from the line between the ends, times its length
    return not points.any() or bool(astray < STRAIGHT * (along @ along))


def writers_of(path: Path) -> NDArray[np.str_]:
    """Who wrote each character of a file."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return np.array([json.loads(line)["writer"] for line in lines])


def read_writers() -> list[Writer]:
    """All writers with enough drawings."""
    path = data_dir() / "pen" / "digits.jsonl.gz"
    characters, writers = read_characters(path), writers_of(path)
    chosen = sorted(str(name) for name, count in Counter(writers).items() if count >= LEAST)
    return [_writer(name, [characters[place] for place in np.flatnonzero(writers == name)]) for name in chosen]


def _writer(name: str, own: Sequence[Character]) -> Writer:
    labels = digit_labels(own)
    straight = np.array([is_straight(character.strokes) for character in own])
    return Writer(LabelledImages(name, draw_frames(own, SETTINGS[0]), labels), straight & (labels != 1))


def learn(model: MLP, drawings: LabelledImages, mnist: Dataset, settings: TeachSettings) -> Taught:
    """Fine-tune a copy and return it."""
    *_, last = teach(model, drawings, mnist.train, mnist.validation, settings)
    assert isinstance(last, Taught)
    return last


def give_lesson(
    base: registry.LoadedVersion, writer: Writer, mnist: Dataset, answers: NDArray[np.int64], seed: int
) -> Lesson:
    """Teach with one split, and compare; `answers` are the version's to MNIST's test images."""
    drawings = writer.drawings
    split = split_drawings(drawings.labels, TO_TEACH, seed)
    taught = learn(base.model, drawings.part("taught", split.teach), mnist, TeachSettings.of(base.record.recipe, seed))
    before, after = (
        DigitClassifier(base.model, base.record.calibration),
        DigitClassifier(taught.model, taught.calibration),
    )
    judged = compare(before, after, drawings.part(writer.name, split.judge))
    answers_after = after.predict_frames(mnist.test.images).argmax(axis=1)
    forgot = Comparison("MNIST test", mnist.test.labels, answers, answers_after)
    return Lesson(writer.name, seed, judged, writer.pieces[split.judge], forgot, taught)


def right(count: int, images: int) -> str:
    """Format a number of correct classifications as the error rate with its 95% interval."""
    interval = wilson_interval(count, images)
    return f"{1 - count / images:.2%} ({1 - interval.high:.1%}–{1 - interval.low:.1%})"


def print_writers(lessons: Sequence[Lesson], tuned: Sequence[str]) -> None:
    """A row for each writer, of the first split, in Markdown."""
    table = Table(box=box.MARKDOWN)
    for heading in ("writer", "", "judging drawings", "error before (95%)", "after (95%)"):
        table.add_column(heading, justify="left" if heading in ("writer", "") else "right")
    for heading in ("newly right", "newly wrong", "McNemar p", "MNIST, points", "share", "skipped"):
        table.add_column(heading, justify="right")
    for lesson in lessons:
        judged = lesson.judged
        table.add_row(
            lesson.writer,
            "t" if lesson.writer in tuned else "h",
            str(judged.images),
            right(judged.one_correct, judged.images),
            right(judged.other_correct, judged.images),
            str(len(judged.only_other_right)),
            str(len(judged.only_one_right)),
            f"{judged.p_value:.2g}",
            f"{100 * lesson.mnist.difference:+.2f}",
            f"{lesson.taught.share:g}",
            str(len(lesson.taught.doubtful)),
        )
    CONSOLE.print(table)


def print_means(title: str, lessons: Sequence[Lesson]) -> None:
    """Print the means over all these lessons, and how much they depend on the split."""
    reductions = []
    for seed in sorted({lesson.seed for lesson in lessons}):
        before, after = np.mean([lesson.errors for lesson in lessons if lesson.seed == seed], axis=0)
        reductions.append(float(1 - after / before))
    before, after = np.mean([lesson.errors for lesson in lessons], axis=0)
    whole_before, whole_after = np.mean([lesson.whole_errors for lesson in lessons], axis=0)
    changes = [100 * lesson.mnist.difference for lesson in lessons]
    forgot = [change for change in changes if change < -0.1]
    spread = f"; by split {', '.join(f'{reduction:.0%}' for reduction in reductions)}" if len(reductions) > 1 else ""
    CONSOLE.print(
        f"[bold]{title}[/bold] ({len(lessons)} lessons): mean error {before:.2%} → {after:.2%}, "
        f"[bold]{after / before - 1:+.1%}[/bold]{spread}.\n"
        f"  fixed {sum(len(lesson.judged.only_other_right) for lesson in lessons)}, "
        f"broken {sum(len(lesson.judged.only_one_right) for lesson in lessons)}, "
        f"worse by more than chance: {sum(lesson.worse for lesson in lessons)} lessons.\n"
        f"  beside: without {sum(int(lesson.pieces.sum()) for lesson in lessons)} of "
        f"{sum(lesson.judged.images for lesson in lessons)} judging drawings that are one straight stroke or a dot and "
        f"no 1: {whole_before:.2%} → {whole_after:.2%}, {whole_after / whole_before - 1:+.1%}.\n"
        f"  MNIST test: mean {np.mean(changes):+.3f} points, worst {min(changes):+.2f}, "
        f"beyond -0.1: {len(forgot)} of {len(lessons)}; "
        f"seconds: median {statistics.median(lesson.taught.seconds for lesson in lessons):.1f}",
        highlight=False,
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--split-seeds", type=int, default=3)
    seeds = range(parser.parse_args().split_seeds)
    leave_a_core_free()  # as when a version is trained from the page
    base, mnist = registry.load_version(files.SHIPPED / "best"), load_dataset("mnist")
    writers = read_writers()
    tuned = [writers[place].name for place in np.random.default_rng(TUNING_SEED).permutation(len(writers))[:TUNED]]
    answers = DigitClassifier(base.model).predict_frames(mnist.test.images).argmax(axis=1)
    lessons = [
        give_lesson(base, writer, mnist, answers, seed)
        for seed, writer in track(
            [(seed, writer) for seed in seeds for writer in writers], console=Console(stderr=True)
        )
    ]
    print_writers([lesson for lesson in lessons if lesson.seed == 0], tuned)
    print_means("All writers, first split", [lesson for lesson in lessons if lesson.seed == 0])
    print_means(f"All writers, {len(seeds)} splits", lessons)
    print_means("Writers held out", [lesson for lesson in lessons if lesson.writer not in tuned])
    print_means("Writers tuned on, other splits", [lesson for lesson in lessons if lesson.writer in tuned])
    many = next(writer.drawings for writer in writers if len(writer.drawings) >= 100).part("100", np.arange(100))
    began = time.perf_counter()
    learn(base.model, many, mnist, TeachSettings.of(base.record.recipe))
    CONSOLE.print(f"100 drawings: {time.perf_counter() - began:.1f} s with {torch.get_num_threads()} threads")


if __name__ == "__main__":
    main()
