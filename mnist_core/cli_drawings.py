"""`mnist-core drawings`: the drawings that people confirmed or corrected; list, export, import, delete."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from mnist_core.augmentation import NOT_A_DIGIT
from mnist_core.drawing_files import from_zip, to_zip
from mnist_core.drawing_store import DrawingStore
from mnist_core.errors import DatasetError, StoreError
from mnist_core.files import write_atomically
from mnist_core.stored_drawing import StoredDrawing

drawings = typer.Typer(no_args_is_help=True, help="Drawings that people confirmed or corrected: list, export, delete.")
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
WriterOption = Annotated[
    list[str] | None,
    typer.Option("--writer", metavar="NAME", help="Only this writer's ('' for those without a name); repeatable."),
]
LISTED = 20


@drawings.command(name="list")
def list_drawings(
    writer: WriterOption = None,
    every: Annotated[bool, typer.Option("--all", help=f"All of them, not only the latest {LISTED}.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List drawings, the latest first."""
    with DrawingStore() as store:
        found = store.find(writer, limit=None if every else LISTED)
        count, place = store.count(writer), store.place
    if as_json:
        print(json.dumps([_in_short(drawing) for drawing in found]))
        return
    table = Table(title=f"{len(found):,} of {count:,} drawings in {place}", title_justify="left")
    table.add_column("id", no_wrap=True, min_width=36)  # whole, for copying
    for heading in ("time (UTC)", "writer", "is", "was read as", "by"):
        table.add_column(heading)
    for drawing in found:
        label = "no digit" if drawing.label == NOT_A_DIGIT else str(drawing.label)
        answer = f"{drawing.digit} ({drawing.confidence:.1%}){'' if drawing.accepted else ', declined'}"
        table.add_row(drawing.id, f"{drawing.time:%Y-%m-%d %H:%M:%S}", drawing.writer, label, answer, drawing.version)
    Console(markup=False, emoji=False).print(table)


@drawings.command()
def export(
    to: Annotated[Path, typer.Option("--to", help="The zip file to write.")],
    writer: WriterOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write drawings to a zip file: a PNG each, a table, and the digits in MNIST's form."""
    with DrawingStore() as store:
        count = store.count(writer)
        if not count:
            raise StoreError(f"There are no such drawings in {store.place}. `mnist-core drawings list` shows them.")
        content = to_zip(store, writer)
    try:
        write_atomically(to, content)
    except OSError as error:
        raise StoreError(f"{to} cannot be written ({error}). Choose another file.") from error
    said = {"file": str(to), "drawings": count, "bytes": len(content)}
    print(json.dumps(said) if as_json else f"{to}: {count:,} drawings, {len(content):,} bytes")


@drawings.command(name="import")
def import_command(file: Path, as_json: JsonOption = False) -> None:
    """Add the drawings of a file that `export` has made; those that are here already stay as they are."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise DatasetError(f"{file} cannot be read ({error}). Give a file that `export` has made.") from error
    with DrawingStore() as store:
        came = from_zip(store, content)
    said = f"{came.added:,} drawings added, {came.skipped:,} were here already"
    print(json.dumps({"added": came.added, "skipped": came.skipped}) if as_json else said)


@drawings.command()
def delete(
    ids: Annotated[list[str] | None, typer.Argument(metavar="ID...", help="As `list` shows them.")] = None,
    writer: WriterOption = None,
    every: Annotated[bool, typer.Option("--all", help="Every drawing of everybody.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Delete drawings for good: by their ids, all of a writer, or all; asks first."""
    if sum((bool(ids), writer is not None, every)) != 1:
        raise typer.BadParameter("give either ids, or --writer NAME, or --all")
    with DrawingStore() as store:
        found = len([id for id in ids if store.get(id)]) if ids else store.count(writer)
        if not yes:
            _ask(found)
        if ids:
            deleted = store.delete(ids)
        else:
            deleted = store.delete_all() if every else sum(store.delete_writer(name) for name in writer or ())
    print(json.dumps({"deleted": deleted}) if as_json else f"{deleted:,} drawings deleted")


def _ask(count: int) -> None:
    """A person at a terminal is asked; a program has to say --yes.

    Raises:
        StoreError: nobody wants it.
    """
    sentence = f"{count:,} drawings will be deleted, and cannot be brought back."
    if not sys.stdin.isatty():
        raise StoreError(f"{sentence} Add --yes to delete them.")
    if not typer.confirm(f"{sentence} Delete them?"):
        raise StoreError("Nothing was deleted.")


def _in_short(drawing: StoredDrawing) -> dict[str, Any]:
    """All but what is large."""
    short = {name: value for name, value in vars(drawing).items() if name not in ("png", "strokes", "frame")}
    return short | {"time": drawing.time.isoformat()}
