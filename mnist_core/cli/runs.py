"""`mnist-core runs`: list training runs, watch one, cancel or resume it."""

import json
import time
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from mnist_core.cli.output import print_accuracy
from mnist_core.cli.progress import watcher
from mnist_core.errors import RunError
from mnist_core.runs import jobs
from mnist_core.runs.queue import CANCEL_SECONDS, tend_queue
from mnist_core.runs.status import RunStatus, all_runs, find_run, read_run
from mnist_core.versions.registry import read_record

LOOK_SECONDS = 0.2

runs = typer.Typer(help="Training runs: list, follow, cancel, resume.")
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="Its id, as `mnist-core runs` shows it.")]


@runs.callback(invoke_without_command=True)
def list_runs(context: typer.Context, as_json: JsonOption = False) -> None:
    """List all runs, the latest first."""
    if context.invoked_subcommand is not None:
        return
    if as_json:
        print(json.dumps([summary(run) for run in all_runs()]))
        return
    table = Table()
    for heading in ("run", "state", "recipe", "images", "begun", "epochs", "best validation accuracy"):
        table.add_column(heading)
    for run in all_runs():
        figures = summary(run)
        best = figures["best_validation_accuracy"]
        table.add_row(
            run.id,
            run.state,
            run.recipe.name,
            run.data,
            run.created,
            f"{figures['epochs_done']}/{run.recipe.epochs}",
            "" if best is None else f"{best:.2%}",
        )
    Console().print(table)


@runs.command()
def follow(run: RunArgument, as_json: JsonOption = False) -> None:
    """Watch a run to its end; Ctrl-C only looks away."""
    follow_run(find_run(run), as_json=as_json)


@runs.command()
def cancel(run: RunArgument) -> None:
    """Stop a run, or take it out of the queue."""
    jobs.cancel(find_run(run), wait_seconds=CANCEL_SECONDS)
    print(f"{run}: {find_run(run).state}")


@runs.command()
def resume(run: RunArgument, as_json: JsonOption = False) -> None:
    """Let an unfinished run go on after the last epoch it finished, and watch it."""
    follow_run(jobs.resume(find_run(run)), as_json=as_json)


def summary(run: RunStatus) -> dict[str, Any]:
    """What there is to say of a run in a line, as plain values; the best epoch's figures, not the last one's."""
    epochs = run.of("epoch")
    return {
        "id": run.id,
        "state": run.state,
        "recipe": run.recipe.to_dict(),
        "data": run.data,
        "created": run.created,
        "epochs_done": epochs[-1]["epoch"] if epochs else 0,
        "best_validation_accuracy": max((epoch["validation_accuracy"] for epoch in epochs), default=None),
        "resumable_epoch": run.resumable_epoch,
        "message": run.message,
    }


def follow_run(run: RunStatus, *, as_json: bool) -> None:
    """Show what a run tells until it ends.

    Raises:
        RunError: it did not finish.
    """
    told = 0
    with watcher(run.recipe, as_json=as_json) as show:
        while True:
            tend_queue()
            run = read_run(run.folder)
            for event in run.events[told:]:
                show(event)
            told = len(run.events)
            if run.ended:
                break
            time.sleep(LOOK_SECONDS)
    if run.state != "finished":
        raise RunError(run.message)
    if not as_json:
        print_accuracy(read_record(run.folder).evaluation)
        print(f"Saved as runs/{run.id}")
