"""The command line: `mnist-core train | evaluate | predict`.

Exit codes: 0 done, 1 something went wrong (the message says what to do), 2 the command line is not understood,
130 stopped with Ctrl-C.
"""

import json
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from mnist_core import jobs
from mnist_core.cli_progress import watcher
from mnist_core.datasets import DATA_NAMES, DataName, load_dataset
from mnist_core.errors import DrawingError, MnistCoreError, RecipeError
from mnist_core.evaluation import Evaluation, evaluate
from mnist_core.inference import DigitClassifier, Prediction
from mnist_core.recipes import RECIPES, named_recipe
from mnist_core.runs import Event, append_event, perform
from mnist_core.training import leave_a_core_free

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Train, judge and use small networks that read handwritten digits.",
)

DataOption = Annotated[
    str,
    typer.Option("--data", help="'mnist' (downloaded on first use) or 'sample' (5,000 digits, no network)."),
]
WeightsOption = Annotated[
    Path | None,
    typer.Option("--weights", help="Folder of a version; without it the active one.", show_default=False),
]


@app.command()
def train(
    recipe: Annotated[str, typer.Option(help=f"One of: {', '.join(RECIPES)}.")] = "article",
    data: DataOption = "mnist",
    hidden: Annotated[str | None, typer.Option(help="Units of each hidden layer, such as 100,100.")] = None,
    loss: Annotated[str | None, typer.Option(help="'bce' or 'ce'.")] = None,
    lr: Annotated[float | None, typer.Option(help="Learning rate.")] = None,
    schedule: Annotated[str | None, typer.Option(help="'constant' or 'one-cycle'.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Images per step.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the training images.")] = None,
    shift: Annotated[int | None, typer.Option(help="Move batches by up to this many pixels.")] = None,
    seed: Annotated[int | None, typer.Option(help="Starts every random choice.")] = None,
    output: Annotated[Path | None, typer.Option(help="New folder for the version; without it one in runs/.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print every event as a line of JSON.")] = False,
) -> None:
    """Train a version by a recipe and evaluate it on the test images."""
    chosen = named_recipe(recipe).override(
        hidden=_layers(hidden),
        loss=loss,
        learning_rate=lr,
        schedule=schedule,
        batch_size=batch_size,
        epochs=epochs,
        shift=shift,
        seed=seed,
    )
    images = _data_name(data)
    signal.signal(signal.SIGTERM, _stop)
    leave_a_core_free()
    folder = jobs.claim(output, chosen, images)
    with watcher(chosen, as_json=as_json) as show:

        def emit(event: Event) -> None:
            append_event(folder, event)
            show(event)

        version = perform(chosen, images, folder, emit)
    if not as_json:
        _print_accuracy(version.record.evaluation)
        print(f"Saved as {version.name}")


@app.command(name="evaluate")
def evaluate_command(
    weights: WeightsOption = None,
    data: DataOption = "mnist",
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole evaluation as JSON.")] = False,
) -> None:
    """Ask a version about every test image and count."""
    classifier = DigitClassifier.load(weights)
    with watcher(None, as_json=as_json) as show:
        dataset = load_dataset(
            _data_name(data),
            on_download=lambda file, done, total: show(
                {"event": "download", "file": file, "bytes": done, "bytes_total": total}
            ),
        )
    evaluation = evaluate(classifier, dataset.test)
    if as_json:
        print(json.dumps(evaluation.to_dict()))
        return
    _print_accuracy(evaluation)
    _print_tables(evaluation)


@app.command()
def predict(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Pictures of one digit each.", show_default=False)
    ],
    weights: WeightsOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """Read pictures of digits, one digit a picture."""
    classifier = DigitClassifier.load(weights)
    failures = 0
    for file in files:
        try:
            _print_prediction(file, _read(classifier, file), as_json)
        except DrawingError as error:
            failures += 1
            print(f"{file}: {error}", file=sys.stderr)
            if as_json:
                print(json.dumps({"file": str(file), "error": str(error)}))
    if failures:
        raise typer.Exit(1)


def main() -> NoReturn:
    """Run the command line; domain errors become one line on standard error."""
    try:
        app(prog_name="mnist-core")
    except RecipeError as error:
        print(f"Error: {error}", file=sys.stderr)
        sys.exit(2)
    except MnistCoreError as error:
        print(f"Error: {error}", file=sys.stderr)
        sys.exit(1)
    sys.exit(0)


def _read(classifier: DigitClassifier, file: Path) -> Prediction:
    from PIL import Image

    try:
        with Image.open(file) as image:
            return classifier.predict(image)
    except OSError as error:
        raise DrawingError(f"not a picture that can be read ({error}). Give a PNG or JPEG file.") from error


def _print_prediction(file: Path, prediction: Prediction, as_json: bool) -> None:
    if not as_json:
        print(f"{file}: {prediction.digit} ({prediction.confidence:.1%})")
        return
    values: dict[str, Any] = {
        "file": str(file),
        "digit": prediction.digit,
        "confidence": prediction.confidence,
        "probabilities": prediction.probabilities,
        "accepted": prediction.accepted,
    }
    print(json.dumps(values))


def _print_accuracy(evaluation: Evaluation) -> None:
    low, high = evaluation.interval.low, evaluation.interval.high
    print(
        f"{evaluation.on}: {evaluation.accuracy:.2%} of {evaluation.images:,} images right "
        f"(95% interval {low:.2%} to {high:.2%})"
    )


def _print_tables(evaluation: Evaluation) -> None:
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


def _layers(hidden: str | None) -> tuple[int, ...] | None:
    if hidden is None:
        return None
    try:
        return tuple(int(units) for units in hidden.split(","))
    except ValueError as error:
        raise RecipeError(
            f"hidden: {hidden!r} does not work. Give whole numbers with commas between, such as 100,100."
        ) from error


def _data_name(name: str) -> DataName:
    for known in DATA_NAMES:
        if name == known:
            return known
    raise typer.BadParameter(f"there are no images called {name!r}; choose one of: {', '.join(DATA_NAMES)}")


def _stop(_signal: int, _frame: FrameType | None) -> NoReturn:
    """A polite request to end is treated as Ctrl-C is."""
    raise KeyboardInterrupt
