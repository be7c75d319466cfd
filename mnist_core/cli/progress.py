"""How a command shows what a run is doing: a bar on a terminal, plain lines in a pipe, JSON for a program."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from mnist_core.recipes import Recipe
from mnist_core.runs.execution import in_words
from mnist_core.runs.folder import Emit, Event


@contextmanager
def watcher(recipe: Recipe | None, *, as_json: bool) -> Iterator[Emit]:
    """Something to tell events to, fitting where the output goes; `recipe` is None where nothing is trained."""
    if as_json:
        yield lambda event: print(json.dumps(event), flush=True)
    elif sys.stdout.isatty():
        with Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[detail]}"),
            TimeRemainingColumn(),
        ) as progress:
            yield _Bars(progress, recipe)
    else:
        yield lambda event: _print_line(event, recipe)


class _Bars:
    """Feeds a terminal's progress bars."""

    def __init__(self, progress: Progress, recipe: Recipe | None) -> None:
        self.progress = progress
        self.recipe = recipe
        self.tasks: dict[str, TaskID] = {}

    def __call__(self, event: Event) -> None:
        match event["event"]:
            case "download":
                detail = f"{event['bytes'] / 1e6:.1f} MB"
                self._show(f"Downloading {event['file']}", event["bytes"], event["bytes_total"], detail)
            case "step":
                detail = f"loss {event['loss']:.4f}  {event['images_per_second']:,.0f} images/s"
                self._show("Training", event["images_seen"], event["images_total"], detail)
            case "teaching":
                self._show("Teaching", event["step"], event["steps"], f"loss {event['loss']:.4f}")
            case "epoch":
                self.progress.console.print(in_words(event, self.recipe))
            case "evaluating":
                self._show("Training", 1, 1, "")

    def _show(self, description: str, done: float, total: float, detail: str) -> None:
        if description not in self.tasks:
            self.tasks[description] = self.progress.add_task(description, detail=detail)
        task = self.tasks[description]
        self.progress.update(task, completed=done, total=total or None, detail=detail)


def _print_line(event: Event, recipe: Recipe | None) -> None:
    words = in_words(event, recipe)
    if words and event["event"] not in ("finished", "failed", "cancelled"):  # the command says that in its own way
        print(words, flush=True)
