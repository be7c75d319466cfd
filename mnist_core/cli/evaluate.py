"""`mnist-core evaluate` and `predict`: run a version on test images, people's drawings or picture files."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from mnist_core.cli.options import DataOption, WeightsOption, data_name
from mnist_core.cli.output import print_accuracy, print_drawings, print_prediction, print_tables, progress_display
from mnist_core.errors import DrawingError
from mnist_core.evaluation.evaluation import evaluate
from mnist_core.evaluation.pen_strokes import evaluate_drawings
from mnist_core.images.datasets import load_dataset
from mnist_core.images.framing import Drawing
from mnist_core.images.ink import read_picture
from mnist_core.images.strokes import read_characters
from mnist_core.network.classifier import DigitClassifier
from mnist_core.runs.events import Download
from mnist_core.versions import registry
from mnist_core.versions.active import active_version


def evaluate_command(
    weights: WeightsOption = None,
    data: DataOption = "mnist",
    drawings: Annotated[
        Path | None,
        typer.Option(help="Evaluate on drawings: a .jsonl.gz file of digits as pen strokes.", show_default=False),
    ] = None,
    refuse: Annotated[
        list[Path] | None,
        typer.Option(help="Non-digits, which should be declined, in the same format; repeatable.", show_default=False),
    ] = None,
    name: Annotated[str, typer.Option(help="What to call these drawings.")] = "drawings",
    save: Annotated[bool, typer.Option(help="Keep the figures on drawings in the version's record.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole evaluation as JSON.")] = False,
) -> None:
    """Evaluate a version on all test images, or on people's drawings."""
    if drawings is not None:
        _evaluate_drawings(weights, drawings, _by_kind(refuse or []), name, save=save, as_json=as_json)
        return
    if refuse or save:
        raise typer.BadParameter("--refuse and --save go with --drawings FILE")
    classifier = DigitClassifier.load(weights)
    with progress_display(None, as_json=as_json) as show:
        dataset = load_dataset(
            data_name(data),
            on_download=lambda file, done, total: show(Download(file=file, bytes=done, bytes_total=total)),
        )
    evaluation = evaluate(classifier, dataset.test)
    if as_json:
        print(json.dumps(evaluation.to_dict()))
        return
    print_accuracy(evaluation)
    print_tables(evaluation)


def _by_kind(files: Sequence[Path]) -> dict[str, Path]:
    """Return files of non-digits by kind, which a file's name tells: `letters.jsonl.gz` holds letters."""
    kinds: dict[str, Path] = {}
    for file in files:
        kind = file.name.removesuffix(".gz").removesuffix(".jsonl")
        if not kind or not kind.isprintable():
            raise typer.BadParameter(f"The name of {str(file)!r} does not say what it holds. Rename it.")
        if kind in kinds:
            raise typer.BadParameter(
                f"{str(kinds[kind])!r} and {str(file)!r} would both be called {kind!r}. Give each kind of non-digits "
                "once, and files of different kinds different names."
            )
        kinds[kind] = file
    return kinds


def _evaluate_drawings(
    weights: Path | None, digits: Path, refuse: Mapping[str, Path], name: str, *, save: bool, as_json: bool
) -> None:
    """Evaluate a version on drawings, at each setting of the canvas."""
    folder = active_version().folder if weights is None else weights
    version = registry.load_version(folder)
    classifier = DigitClassifier(version.model, version.record.calibration)
    characters = read_characters(digits)
    non_digits = {kind: read_characters(file) for kind, file in refuse.items()}
    evaluations = []
    for evaluation in evaluate_drawings(classifier, characters, non_digits, name=name):
        evaluations.append(evaluation)
        if as_json:
            print(json.dumps(evaluation.to_dict()), flush=True)
        else:
            print_accuracy(evaluation.digits)
    if not as_json:
        print_drawings(evaluations)
    if save:
        registry.save_record(folder, replace(version.record, drawings=tuple(evaluations)))


def predict(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Pictures of one digit each.", show_default=False)
    ],
    weights: WeightsOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per line.")] = False,
) -> None:
    """Classify pictures of one digit each."""
    classifier = DigitClassifier.load(weights)
    failures = 0
    for file in files:
        try:
            drawing = Drawing.of(read_picture(file))
            print_prediction(file, classifier.predict_frame(drawing.frame), drawing, as_json)
        except DrawingError as error:
            failures += 1
            print(f"{file}: {error}", file=sys.stderr)
            if as_json:
                print(json.dumps({"file": str(file), "error": str(error)}))
    if failures:
        raise typer.Exit(1)
