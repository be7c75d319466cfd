"""What the command line prints of answers and evaluations."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from mnist_core.evaluation.comparison import significance
from mnist_core.evaluation.evaluation import Evaluation
from mnist_core.evaluation.pen_strokes import DrawingsEvaluation
from mnist_core.evaluation.statistics import with_interval
from mnist_core.network.calibration import ACCEPTED, SHARES
from mnist_core.network.classifier import Prediction, percent
from mnist_core.versions.registry import Version


def print_prediction(file: Path, prediction: Prediction, problems: tuple[str, ...], as_json: bool) -> None:
    """One line: the answer to a picture, how sure, and what may be wrong with it; JSON for a program."""
    if not as_json:
        answer = f"{prediction.digit} ({percent(prediction.confidence)})"
        if not prediction.accepted:
            answer = f"this does not look like a digit; if it is one, then {answer}"
        elif not prediction.sure:
            second = prediction.runner_up
            answer += f", not sure; or else {second} ({percent(prediction.probabilities[second])})"
        print(" ".join((f"{file}: {answer}", *problems)))
        return
    values: dict[str, Any] = {
        "file": str(file),
        "digit": prediction.digit,
        "confidence": prediction.confidence,
        "probabilities": prediction.probabilities,
        "accepted": prediction.accepted,
        "ood_score": prediction.ood_score,
        "problems": problems,
    }
    print(json.dumps(values))


def print_accuracy(evaluation: Evaluation, indent: int = 0) -> None:
    """One line: what share is right, of what, and how exact that is."""
    share = with_interval(evaluation.correct, evaluation.images, 2)
    print(f"{' ' * indent}{evaluation.on}: {share} of {evaluation.images:,} images correctly classified")


def print_teaching(version: Version) -> None:
    """What teaching did to the drawings that did not teach, and to the test images."""
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
    """Figures for each digit, and the confusion matrix."""
    scores = Table(title="Per digit", title_justify="left")
    for heading in ("digit", "precision", "recall", "F1", "images"):
        scores.add_column(heading, justify="right")
    for score in evaluation.per_digit:
        shares = (f"{share:.2%}" for share in (score.precision, score.recall, score.f1))
        scores.add_row(str(score.digit), *shares, f"{score.support:,}")
    confusion = Table(title="Confusion (row: true digit, column: answer)", title_justify="left")
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
    """What is read, answered and refused at each setting of the canvas."""
    chosen = SHARES.index(ACCEPTED)
    table = Table(title=f"{evaluations[0].digits.images:,} drawings (95% intervals in brackets)", title_justify="left")
    headings = ("drawn at", "right", "calibration error", "answered", "right of those", "AUROC", "others refused")
    for heading in headings:
        table.add_column(heading, justify="left" if heading == "drawn at" else "right")
    for evaluation in evaluations:
        digits, coverage = evaluation.digits, evaluation.digits.coverage[chosen]
        table.add_row(
            evaluation.setting,
            with_interval(digits.correct, digits.images, 2, short=True),
            f"{digits.calibration_error:.2%}",
            _share(coverage.answered, digits.images),
            _share(coverage.correct, coverage.answered),
            _auroc(evaluation),
            _share(evaluation.refused[chosen], evaluation.others) if evaluation.others else "",
        )
    Console().print(table)


def _share(part: int, whole: int) -> str:
    return with_interval(part, whole, short=True) if whole else "none"


def _auroc(evaluation: DrawingsEvaluation) -> str:
    interval = evaluation.auroc_interval
    return f"{evaluation.auroc:.3f} ({interval.low:.3f}–{interval.high:.3f})" if interval else ""
