"""Printing: predictions, evaluations, and the progress of a run on a terminal, in a pipe or as JSON."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from mnist_core.evaluation.comparison import significance
from mnist_core.evaluation.evaluation import Evaluation
from mnist_core.evaluation.pen_strokes import DrawingsEvaluation
from mnist_core.evaluation.statistics import with_interval
from mnist_core.images.framing import Drawing
from mnist_core.images.structure import declined
from mnist_core.network.calibration import ACCEPTED, SHARES, SURE_CONFIDENCE
from mnist_core.network.classifier import Prediction, percent
from mnist_core.recipes import Recipe
from mnist_core.runs.events import (
    Cancelled,
    Download,
    Emit,
    Epoch,
    Evaluating,
    Failed,
    Finished,
    RunEvent,
    Step,
    TeachingStep,
    describe,
    to_json,
)
from mnist_core.versions.registry import Version


@contextmanager
def progress_display(recipe: Recipe | None, *, as_json: bool) -> Iterator[Emit]:
    """Yield a function that shows events: bars on a terminal, lines in a pipe, or JSON.

    `recipe` is None if nothing is trained.
    """
    if as_json:
        yield lambda event: print(to_json(event), flush=True)
    elif sys.stdout.isatty():
        with Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[detail]}"),
            TimeRemainingColumn(),
        ) as progress:
            yield _Bars(progress, recipe)
    else:
        yield lambda event: _print_event(event, recipe)


class _Bars:
    """Shows events as progress bars on a terminal."""

    def __init__(self, progress: Progress, recipe: Recipe | None) -> None:
        self.progress = progress
        self.recipe = recipe
        self.tasks: dict[str, TaskID] = {}

    def __call__(self, event: RunEvent) -> None:
        match event:
            case Download():
                detail = f"{event.bytes / 1e6:.1f} MB"
                self._show(f"Downloading {event.file}", event.bytes, event.bytes_total, detail)
            case Step():
                detail = f"loss {event.loss:.4f}  {event.images_per_second:,.0f} images/s"
                self._show("Training", event.images_seen, event.images_total, detail)
            case TeachingStep():
                self._show("Teaching", event.step, event.steps, f"loss {event.loss:.4f}")
            case Epoch():
                self.progress.console.print(describe(event, self.recipe))
            case Evaluating():
                self._show("Training", 1, 1, "")

    def _show(self, description: str, done: float, total: float, detail: str) -> None:
        if description not in self.tasks:
            self.tasks[description] = self.progress.add_task(description, detail=detail)
        task = self.tasks[description]
        self.progress.update(task, completed=done, total=total or None, detail=detail)


def _print_event(event: RunEvent, recipe: Recipe | None) -> None:
    line = describe(event, recipe)
    if line and not isinstance(event, Finished | Failed | Cancelled):  # the command prints the end itself
        print(line, flush=True)


def print_prediction(file: Path, prediction: Prediction, drawing: Drawing, as_json: bool) -> None:
    """Print the prediction for a picture, why it was declined and what may be wrong with it, as a line or JSON."""
    reasons = () if prediction.accepted else drawing.reasons
    if not as_json:
        answer = f"{prediction.digit} ({percent(prediction.confidence)})"
        if not prediction.accepted:
            answer = f"{declined(reasons)}; if it is one, then {answer}"
        elif not prediction.sure:
            second = prediction.runner_up
            answer += f", not sure; or else {second} ({percent(prediction.probabilities[second])})"
        print(" ".join((f"{file}: {answer}", *drawing.problems)))
        return
    values: dict[str, Any] = {
        "file": str(file),
        "digit": prediction.digit,
        "confidence": prediction.confidence,
        "probabilities": prediction.probabilities,
        "accepted": prediction.accepted,
        "ood_score": prediction.ood_score,
        "reasons": reasons,
        "problems": drawing.problems,
    }
    print(json.dumps(values))


def print_accuracy(evaluation: Evaluation, indent: int = 0) -> None:
    """One line: what share is right, of what, and how exact that is."""
    share = with_interval(evaluation.correct, evaluation.images, 2)
    print(f"{' ' * indent}{evaluation.on}: {share} of {evaluation.images:,} images correctly classified")


def print_teaching(version: Version) -> None:
    """Print what fine-tuning changed, on the drawings that were held back and on the test images."""
    teaching = version.record.teaching
    if teaching is None:
        return
    print(f"Taught with {teaching.taught_with} drawings, {teaching.skipped} of them skipped as doubtful.")
    for title, before, after in (
        ("on these drawings", teaching.before, teaching.after),
        ("on test images", teaching.test_before, version.record.evaluation),
    ):
        print(f"{title}:")
        for name, evaluation in (("before", before), ("after", after)):
            print(f"  {name}: ", end="")
            print_accuracy(evaluation)
    right, wrong = len(teaching.newly_right), len(teaching.newly_wrong)
    print(f"{right} drawings newly right, {wrong} newly wrong. {significance(wrong, right)}")
    print(f"Saved as {version.name}")


def print_tables(evaluation: Evaluation) -> None:
    """Print precision, recall and F1 for each digit, and the confusion matrix."""
    scores = Table(title="Per digit", title_justify="left")
    for heading in ("digit", "precision", "recall", "F1", "images"):
        scores.add_column(heading, justify="right")
    for score in evaluation.per_digit:
        shares = (f"{share:.2%}" for share in (score.precision, score.recall, score.f1))
        scores.add_row(str(score.digit), *shares, f"{score.support:,}")
    confusion = Table(title="Confusion matrix (row: true digit, column: classified as)", title_justify="left")
    confusion.add_column("", justify="right")
    for digit in range(len(evaluation.confusion)):
        confusion.add_column(str(digit), justify="right")
    for digit, row in enumerate(evaluation.confusion):
        confusion.add_row(str(digit), *(str(count or "·") for count in row))
    console = Console()
    console.print(scores)
    console.print(confusion)
    if evaluation.reliability:
        print(f"Expected calibration error (15 bins): {evaluation.calibration_error:.2%}")


def print_drawings(evaluations: Sequence[DrawingsEvaluation]) -> None:
    """Print how a version classifies drawings at each setting of the canvas, and what it makes of non-digits."""
    threshold = SHARES.index(ACCEPTED)
    title = f"{evaluations[0].digits.images:,} drawings (95% intervals in brackets)"
    table = _table(title, "drawn at", "correct", "calibration error", "answered", "correct of those")
    for evaluation in evaluations:
        digits, coverage = evaluation.digits, evaluation.digits.coverage[threshold]
        table.add_row(
            evaluation.setting,
            with_interval(digits.correct, digits.images, 2, short=True),
            f"{digits.calibration_error:.2%}",
            _share(coverage.answered, digits.images),
            _share(coverage.correct, coverage.answered),
        )
    Console().print(table)
    print_non_digits(evaluations)


def print_non_digits(evaluations: Sequence[DrawingsEvaluation]) -> None:
    """Print what a version makes of each kind of non-digits, if any were evaluated, at each setting of the canvas."""
    threshold = SHARES.index(ACCEPTED)
    table = _table(
        f"Non-digits (95% intervals in brackets; sure: a confidence of {SURE_CONFIDENCE:.0%} or more)",
        *("drawn at", "non-digits", "declined", "called a digit, sure", "AUROC"),
    )
    for evaluation in evaluations:
        for part in evaluation.non_digits:
            low, high = part.auroc_interval
            table.add_row(
                evaluation.setting,
                escape(f"{part.images:,} {part.kind}"),
                _share(part.refused[threshold], part.images),
                _share(part.sure[threshold], part.images),
                f"{part.auroc:.3f} ({low:.3f}–{high:.3f})",
            )
    if table.rows:
        Console().print(table)


def _table(title: str, *headings: str) -> Table:
    """Return a table whose first column names the rows."""
    table = Table(title=title, title_justify="left")
    for heading in headings:
        table.add_column(heading, justify="right" if table.columns else "left")
    return table


def _share(part: int, whole: int) -> str:
    return with_interval(part, whole, short=True) if whole else "none"
