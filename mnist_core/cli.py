"""The command line: `mnist-core train | teach | evaluate | predict | runs | models | drawings`.

Exit codes: 0 done, 1 something went wrong (the message says what to do), 2 the command line is not understood,
130 stopped with Ctrl-C.
"""

import json
import signal
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Annotated, NoReturn

import typer
from PIL import Image

from mnist_core import jobs, parallel, registry
from mnist_core.cli_drawings import drawings as drawings_app
from mnist_core.cli_models import models
from mnist_core.cli_options import DataOption, WeightsOption, data_name, fields, layers
from mnist_core.cli_output import print_accuracy, print_drawings, print_prediction, print_tables, print_teaching
from mnist_core.cli_progress import watcher
from mnist_core.cli_runs import follow_run
from mnist_core.cli_runs import runs as runs_app
from mnist_core.datasets import DataName, LabelledImages, load_dataset
from mnist_core.drawing_store import DrawingStore
from mnist_core.drawings import evaluate_drawings
from mnist_core.errors import DrawingError, MnistCoreError, RecipeError
from mnist_core.evaluation import evaluate
from mnist_core.execution import assist, perform
from mnist_core.inference import DigitClassifier
from mnist_core.problems import find_problems
from mnist_core.recipes import RECIPES, Recipe, named_recipe
from mnist_core.runs import Lesson, RunStatus, read_run
from mnist_core.strokes import read_characters
from mnist_core.teaching_run import prepare
from mnist_core.training import leave_a_core_free

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Train, judge and use small networks that read handwritten digits.",
)
app.add_typer(runs_app, name="runs")
app.add_typer(models, name="models")
app.add_typer(drawings_app, name="drawings")


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
    seed: Annotated[int | None, typer.Option(help="Starts every random choice.")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="Any field of the recipe, such as rotation=15; repeatable."),
    ] = None,
    with_drawings: Annotated[
        bool, typer.Option("--with-drawings", help="Learn from the corrected drawings as well.")
    ] = False,
    output: Annotated[Path | None, typer.Option(help="New folder for the version; without it one in runs/.")] = None,
    follow: Annotated[
        bool, typer.Option("--follow", help="Train in the background, as the Train page does; Ctrl-C only looks away.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print every event as a line of JSON.")] = False,
) -> None:
    """Train a version by a recipe and evaluate it on the test images; where a run is going on, wait for its end."""
    chosen = named_recipe(recipe).override(
        hidden=layers(hidden),
        loss=loss,
        learning_rate=lr,
        schedule=schedule,
        batch_size=batch_size,
        epochs=epochs,
        seed=seed,
    )
    chosen = chosen.override(**fields(settings or []))
    images = data_name(data)
    drawings = DrawingStore().images() if with_drawings else None
    if follow:
        follow_run(jobs.start(chosen, images, drawings=drawings), as_json=as_json)
    else:
        _train_here(chosen, images, drawings, output, as_json=as_json)


def _train_here(
    chosen: Recipe, images: DataName, drawings: LabelledImages | None, output: Path | None, *, as_json: bool
) -> None:
    """Train in this process, or, where `torchrun` started it, together with the others."""
    signal.signal(signal.SIGTERM, _stop)
    leave_a_core_free()
    with parallel.together():
        if parallel.rank() > 0:
            assist(chosen, images, drawings)
            return
        run = jobs.claim(output, chosen, images, drawings=drawings)
        with jobs.turn(run, on_wait=_say_that_it_waits), watcher(chosen, as_json=as_json) as show:
            version = perform(run, show)
    if not as_json:
        print_accuracy(version.record.evaluation)
        print(f"Saved as {version.name}")


@app.command(name="teach")
def teach_command(
    writer: Annotated[list[str] | None, typer.Option(help="Whose drawings teach; without it, all. Repeatable.")] = None,
    base: Annotated[str | None, typer.Option(help="The version to teach a copy of; the active one.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print every event as a line of JSON.")] = False,
) -> None:
    """Teach a copy of a version the drawings that were kept, and judge both on drawings that did not teach."""
    lesson = Lesson(base or registry.active_name(), tuple(writer or ()))
    recipe, data = prepare(lesson)
    signal.signal(signal.SIGTERM, _stop)
    leave_a_core_free()
    run = jobs.claim(None, recipe, data, lesson)
    with jobs.turn(run, on_wait=_say_that_it_waits), watcher(recipe, as_json=as_json) as show:
        version = perform(run, show)
    if not as_json:
        print_teaching(version)


@app.command(name="perform", hidden=True)
def perform_command(folder: Path) -> None:
    """Do the queued run in FOLDER: what the Train page starts. Its log is written by the run itself."""
    signal.signal(signal.SIGTERM, _stop)
    leave_a_core_free()
    run = read_run(folder)
    with jobs.turn(run), suppress(Exception):
        perform(run)


@app.command(name="evaluate")
def evaluate_command(
    weights: WeightsOption = None,
    data: DataOption = "mnist",
    drawings: Annotated[
        Path | None,
        typer.Option(help="Judge on drawings instead: a .jsonl.gz file of digits as pen strokes.", show_default=False),
    ] = None,
    refuse: Annotated[
        Path | None,
        typer.Option(help="Shapes that are no digit, in the same form, to be refused.", show_default=False),
    ] = None,
    name: Annotated[str, typer.Option(help="What to call these drawings.")] = "drawings",
    save: Annotated[bool, typer.Option(help="Keep the figures on drawings in the version's record.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole evaluation as JSON.")] = False,
) -> None:
    """Ask a version about every test image, or about people's drawings, and count."""
    if drawings is not None:
        _evaluate_drawings(weights, drawings, refuse, name, save=save, as_json=as_json)
        return
    if refuse is not None or save:
        raise typer.BadParameter("--refuse and --save go with --drawings FILE")
    classifier = DigitClassifier.load(weights)
    with watcher(None, as_json=as_json) as show:
        dataset = load_dataset(
            data_name(data),
            on_download=lambda file, done, total: show(
                {"event": "download", "file": file, "bytes": done, "bytes_total": total}
            ),
        )
    evaluation = evaluate(classifier, dataset.test)
    if as_json:
        print(json.dumps(evaluation.to_dict()))
        return
    print_accuracy(evaluation)
    print_tables(evaluation)


def _evaluate_drawings(
    weights: Path | None, digits: Path, others: Path | None, name: str, *, save: bool, as_json: bool
) -> None:
    """Judge a version on drawings, at each setting of the canvas."""
    folder = registry.active_version().folder if weights is None else weights
    version = registry.load_version(folder)
    classifier = DigitClassifier(version.model, version.record.calibration)
    characters = read_characters(digits)
    shapes = read_characters(others) if others else []
    evaluations = []
    for evaluation in evaluate_drawings(classifier, characters, shapes, name=name):
        evaluations.append(evaluation)
        if as_json:
            print(json.dumps(evaluation.to_dict()), flush=True)
        else:
            print_accuracy(evaluation.digits)
    if not as_json:
        print_drawings(evaluations)
    if save:
        registry.save_record(folder, replace(version.record, drawings=tuple(evaluations)))


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
            picture = _open(file)
            print_prediction(file, classifier.predict(picture), find_problems(picture), as_json)
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


def _open(file: Path) -> Image.Image:
    try:
        with Image.open(file) as image:
            image.load()
            return image
    except OSError as error:
        raise DrawingError(f"not a picture that can be read ({error}). Give a PNG or JPEG file.") from error


def _say_that_it_waits(other: RunStatus) -> None:
    print(f"waiting for {other.id} to end", file=sys.stderr)


def _stop(_signal: int, _frame: FrameType | None) -> NoReturn:
    """A polite request to end is treated as Ctrl-C is."""
    raise KeyboardInterrupt
