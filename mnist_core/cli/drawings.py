"""`mnist-core drawings`: the drawings that people confirmed or corrected; list, export, import, delete."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from mnist_core.drawings.drawing import StoredDrawing
from mnist_core.drawings.exchange import from_zip, to_zip
from mnist_core.drawings.store import DrawingStore
from mnist_core.errors import DatasetError, StoreError
from mnist_core.files import write_atomically
from mnist_core.images.datasets import NOT_A_DIGIT
from mnist_core.network.classifier import percent

drawings = typer.Typer(
    no_args_is_help=True, help="Drawings that people confirmed or corrected: list, export, import, delete."
)
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
WriterOption = Annotated[
    list[str] | None,
    typer.Option("--writer", metavar="NAME", help="Only this writer's ('' for those without a name); repeatable."),
]
LISTED = 20
SHOWN, FEWEST = 8, 4
"""Letters of an id that are shown, and that must be given at least."""


@drawings.command(name="list")
def list_drawings(
    writer: WriterOption = None,
    every: Annotated[bool, typer.Option("--all", help=f"All of them, not only the latest {LISTED}.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List drawings, the latest first."""
    with DrawingStore() as store:
        _check_writers(store, writer)
        found = store.find(writer, limit=None if every else LISTED)
        count, place = store.count(writer), store.place
    if as_json:
        print(json.dumps([_in_short(drawing) for drawing in found]))
        return
    console = Console(markup=False, emoji=False, highlight=False)
    console.print(f"{len(found):,} of {count:,} drawings in {place}")
    if not found:
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))  # each line within 80 letters
    for heading in ("id", "time (UTC)", "is", "was read as", "by", "writer"):
        table.add_column(heading, no_wrap=heading not in ("by", "writer"), overflow="fold")
    for drawing in found:
        table.add_row(*_cells(drawing))
    console.print(table)


def _cells(drawing: StoredDrawing) -> tuple[str, ...]:
    answer = f"{drawing.digit} ({percent(drawing.confidence)})" if drawing.accepted else f"declined ({drawing.digit})"
    return (
        drawing.id[:SHOWN],
        f"{drawing.time:%Y-%m-%d %H:%M}",
        "no digit" if drawing.label == NOT_A_DIGIT else str(drawing.label),
        answer,
        drawing.version,
        drawing.writer,
    )


@drawings.command()
def export(
    to: Annotated[Path, typer.Option("--to", help="The zip file to write.")],
    writer: WriterOption = None,
    every: Annotated[bool, typer.Option("--all", help="Every drawing of everybody, as without --writer.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Write drawings to a zip file: a PNG each, a table, and the digits in MNIST's form."""
    if every and writer is not None:
        raise typer.BadParameter("give either --writer NAME or --all")
    with DrawingStore() as store:
        _check_writers(store, writer)
        count = store.count(writer)
        if not count:
            raise StoreError(f"There are no drawings in {store.place}. Keep some on the Draw page, or import some.")
        content = to_zip(store, writer)
    try:
        write_atomically(to, content)
    except OSError as error:
        raise StoreError(f"{to} cannot be written ({error}). Choose another file.") from error
    said = {"file": str(to), "drawings": count, "bytes": len(content)}
    print(json.dumps(said) if as_json else f"{to}: {_some(count)}, {len(content):,} bytes")


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
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="ID...", help="As `list` shows them, or whole as `list --json` does.")
    ] = None,
    writer: WriterOption = None,
    every: Annotated[bool, typer.Option("--all", help="Every drawing of everybody.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Delete drawings for good: by their ids, all of a writer, or all.

    On a terminal it asks first; a program has to say --yes.
    """
    if sum((bool(ids), writer is not None, every)) != 1:
        raise typer.BadParameter("give either ids, or --writer NAME, or --all")
    with DrawingStore() as store:
        try:
            _check_writers(store, writer)
            whole = {_whole(store, id) for id in ids or ()}
        except StoreError:
            store.delete([])  # they may have been deleted, but not yet their traces in the files; now these are
            raise
        if not yes:
            _ask(len(whole) if ids else store.count(writer))
        if ids:
            deleted = store.delete(whole)
        else:
            deleted = store.delete_all() if every else sum(store.delete_writer(name) for name in writer or ())
    print(json.dumps({"deleted": deleted}) if as_json else f"{_some(deleted)} deleted")


def _check_writers(store: DrawingStore, names: list[str] | None) -> None:
    """A typo shall not pass for a writer without drawings.

    Raises:
        StoreError: one has none.
    """
    known = store.writers() if names else {}
    for name in names or ():
        if name not in known:
            others = ", ".join(map(repr, known)) or "none"
            raise StoreError(f"There are no drawings by {name!r} in {store.place}. The writers there: {others}.")


def _whole(store: DrawingStore, beginning: str) -> str:
    """The id that begins so.

    Raises:
        StoreError: none does, or several do.
    """
    if len(beginning) < FEWEST:
        raise StoreError(f"{beginning!r} is too short for an id. Give at least its first {FEWEST} letters.")
    found = store.ids(beginning.lower(), limit=2)
    if not found:
        raise StoreError(f"There is no drawing {beginning!r}. `mnist-core drawings list --all` shows all ids.")
    if len(found) > 1:
        raise StoreError(f"The ids of several drawings begin with {beginning!r}. Give more of it.")
    return found[0]


def _ask(count: int) -> None:
    """A person at a terminal is asked; a program has to say --yes.

    Raises:
        StoreError: nobody wants it.
    """
    sentence = f"{_some(count)} will be deleted, and cannot be brought back."
    if not sys.stdin.isatty():
        raise StoreError(f"{sentence} Add --yes to delete them.")
    if not typer.confirm(f"{sentence} Delete them?", err=True):  # what is printed may be JSON for a program
        raise StoreError("Nothing was deleted.")


def _some(count: int) -> str:
    return f"{count:,} drawing{'' if count == 1 else 's'}"


def _in_short(drawing: StoredDrawing) -> dict[str, Any]:
    """All but what is large."""
    short = {name: value for name, value in vars(drawing).items() if name not in ("png", "strokes", "frame")}
    return short | {"time": drawing.time.isoformat()}
