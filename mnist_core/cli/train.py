"""`mnist-core train` and `teach`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from mnist_core.cli.options import DataOption, SettingsOption, data_name, field_option, recipe_from
from mnist_core.cli.output import print_accuracy, print_teaching, progress_display
from mnist_core.cli.runs import follow_run
from mnist_core.drawings.store import DrawingStore
from mnist_core.errors import StoreError
from mnist_core.images.datasets import LabelledImages
from mnist_core.recipes import RECIPES
from mnist_core.runs import jobs
from mnist_core.runs.execution import perform, train_along
from mnist_core.runs.finetune import prepare
from mnist_core.runs.folder import FineTuneRequest, RunRequest
from mnist_core.runs.queue import turn
from mnist_core.runs.status import RunStatus
from mnist_core.runs.worker import get_ready
from mnist_core.training import parallel
from mnist_core.versions.active import active_name
from mnist_core.versions.registry import Version


def train(
    recipe: Annotated[str, typer.Option(help=f"One of: {', '.join(RECIPES)}.")] = "article",
    data: DataOption = "mnist",
    hidden: Annotated[str | None, field_option("hidden")] = None,
    loss: Annotated[str | None, field_option("loss")] = None,
    lr: Annotated[float | None, field_option("learning_rate")] = None,
    schedule: Annotated[str | None, field_option("schedule")] = None,
    batch_size: Annotated[int | None, field_option("batch_size")] = None,
    epochs: Annotated[int | None, field_option("epochs")] = None,
    seed: Annotated[int | None, field_option("seed")] = None,
    settings: SettingsOption = None,
    with_drawings: Annotated[
        bool, typer.Option("--with-drawings", help="Train on the corrected drawings as well.")
    ] = False,
    output: Annotated[Path | None, typer.Option(help="New folder for the version; default: one in runs/.")] = None,
    follow: Annotated[
        bool,
        typer.Option("--follow", help="Train in the background, as the Train page does. Ctrl-C only stops following."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print every event as a line of JSON.")] = False,
) -> None:
    """Train a version by a recipe and evaluate it on the test images. Waits while another run is going on."""
    options = {"hidden": hidden, "loss": loss, "learning_rate": lr, "schedule": schedule}
    options |= {"batch_size": batch_size, "epochs": epochs, "seed": seed}
    chosen = recipe_from(recipe, options, settings)
    request = RunRequest(chosen, data_name(data), drawings=_drawings() if with_drawings else None)
    if follow:
        follow_run(jobs.start(request), as_json=as_json)
    else:
        _train_here(request, output, as_json=as_json)


def _drawings() -> LabelledImages:
    found = DrawingStore().images()
    if not len(found):
        raise StoreError(
            "There are no corrected drawings of digits to train on. Correct some on the Draw page, or leave "
            "--with-drawings out."
        )
    return found


def _train_here(request: RunRequest, output: Path | None, *, as_json: bool) -> None:
    """Train in this process; together with the others if `torchrun` started it."""
    get_ready()
    with parallel.together():
        if parallel.rank() > 0:
            train_along(request)
            return
        version = _perform_here(request, output, as_json=as_json)
    if not as_json:
        print_accuracy(version.record.evaluation)
        print(f"Saved as {version.name}")


def _perform_here(request: RunRequest, output: Path | None, *, as_json: bool) -> Version:
    """Do a run in this process when its turn has come, and show its events."""
    run = jobs.claim(request, output)
    with turn(run, on_wait=_print_waiting), progress_display(request.recipe, as_json=as_json) as show:
        return perform(run, show)


def teach_command(
    writer: Annotated[
        list[str] | None, typer.Option(help="Whose drawings to learn from; default: all. Repeatable.")
    ] = None,
    base: Annotated[str | None, typer.Option(help="The version to fine-tune; default: the active one.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print every event as a line of JSON.")] = False,
) -> None:
    """Fine-tune a copy of a version with stored drawings, and evaluate both on drawings that were held back."""
    request = prepare(FineTuneRequest(base or active_name(), tuple(writer or ())))
    get_ready()
    version = _perform_here(request, None, as_json=as_json)
    if not as_json:
        print_teaching(version)


def _print_waiting(other: RunStatus) -> None:
    print(f"waiting for {other.id} to end", file=sys.stderr)
