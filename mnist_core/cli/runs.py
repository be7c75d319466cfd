"""`mnist-core runs`: list runs, follow one, cancel or resume it."""

import json
import time
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from mnist_core.cli.output import print_accuracy, progress_display
from mnist_core.errors import RunError
from mnist_core.runs import jobs
from mnist_core.runs.events import Epoch
from mnist_core.runs.queue import CANCEL_SECONDS, tend_queue
from mnist_core.runs.status import RunStatus, all_runs, find_run, read_run
from mnist_core.versions.registry import read_record

POLL_SECONDS = 0.2

runs = typer.Typer(help="List, follow, cancel and resume runs.")
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="Id of the run, as `mnist-core runs` shows it.")]


@runs.callback(invoke_without_command=True)
def list_runs(context: typer.Context, as_json: JsonOption = False) -> None:
    """List all runs, the latest first."""
    if context.invoked_subcommand is not None:
        return
    if as_json:
        print(json.dumps([summary(run) for run in all_runs()]))
        return
    table = Table()
    for heading in ("run", "state", "recipe", "images", "started", "epochs", "best validation accuracy"):
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
    """Follow a run until it ends. Ctrl-C stops following; the run continues."""
    follow_run(find_run(run), as_json=as_json)


@runs.command()
def cancel(run: RunArgument) -> None:
    """Cancel a run, or remove it from the queue."""
    jobs.cancel(find_run(run), wait_seconds=CANCEL_SECONDS)
    print(f"{run}: {find_run(run).state}")


@runs.command()
def resume(run: RunArgument, as_json: JsonOption = False) -> None:
    """Resume an unfinished run after its last finished epoch, and follow it."""
    follow_run(jobs.resume(find_run(run)), as_json=as_json)


def summary(run: RunStatus) -> dict[str, Any]:
    """Return a run in plain values, ready for JSON; the accuracy is that of the best epoch, not of the last one."""
    epochs, best = run.of(Epoch), run.best_epoch
    return {
        "id": run.id,
        "state": run.state,
        "recipe": run.recipe.to_dict(),
        "data": run.data,
        "created": run.created,
        "epochs_done": epochs[-1].epoch if epochs else 0,
        "best_validation_accuracy": best.validation_accuracy if best else None,
        "resumable_epoch": run.resumable_epoch,
        "message": run.message,
    }


def follow_run(run: RunStatus, *, as_json: bool) -> None:
    """Show the events of a run until it ends.

    Raises:
        RunError: it did not finish.
    """
    shown = 0
    with progress_display(run.recipe, as_json=as_json) as show:
        while True:
            tend_queue()
            run = read_run(run.folder)
            for event in run.events[shown:]:
                show(event)
            shown = len(run.events)
            if run.ended:
                break
            time.sleep(POLL_SECONDS)
    if run.state != "finished":
        raise RunError(run.message)
    if not as_json:
        print_accuracy(read_record(run.folder).evaluation)
        print(f"Saved as runs/{run.id}")
