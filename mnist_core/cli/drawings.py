"""`mnist-core drawings`: list, export, import and delete the drawings that people confirmed or corrected."""

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
    typer.Option(
        "--writer", metavar="NAME", help="Only drawings by this writer ('' for those without a name); repeatable."
    ),
]
LISTED_BY_DEFAULT = 20
ID_LETTERS_SHOWN, MIN_ID_LETTERS = 8, 4
"""Letters of an id in the list, and the fewest that name a drawing."""


@drawings.command(name="list")
def list_drawings(
    writer: WriterOption = None,
    every: Annotated[
        bool, typer.Option("--all", help=f"List all of them, not only the latest {LISTED_BY_DEFAULT}.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """List drawings, the latest first."""
    with DrawingStore() as store:
        _check_writers(store, writer)
        found = store.find(writer, limit=None if every else LISTED_BY_DEFAULT)
        count, place = store.count(writer), store.place
    if as_json:
        print(json.dumps([_summary(drawing) for drawing in found]))
        return
    console = Console(markup=False, emoji=False, highlight=False)
    console.print(f"{len(found):,} of {count:,} drawings in {place}")
    if not found:
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))  # each line within 80 letters
    for heading in ("id", "time (UTC)", "is", "classified as", "by", "writer"):
        table.add_column(heading, no_wrap=heading not in ("by", "writer"), overflow="fold")
    for drawing in found:
        table.add_row(*_cells(drawing))
    console.print(table)


def _cells(drawing: StoredDrawing) -> tuple[str, ...]:
    answer = f"{drawing.digit} ({percent(drawing.confidence)})" if drawing.accepted else f"declined ({drawing.digit})"
    return (
        drawing.id[:ID_LETTERS_SHOWN],
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
    every: Annotated[bool, typer.Option("--all", help="Export every writer's drawings, which is the default.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Write drawings to a zip file: a PNG of each, a table, and the digits in MNIST's format."""
    if every and writer is not None:
        raise typer.BadParameter("give either --writer NAME or --all")
    with DrawingStore() as store:
        _check_writers(store, writer)
        count = store.count(writer)
        if not count:
            raise StoreError(f"There are no drawings in {store.place}. Save some on the Draw page, or import some.")
        content = to_zip(store, writer)
    try:
        write_atomically(to, content)
    except OSError as error:
        raise StoreError(f"{to} cannot be written ({error}). Choose another file.") from error
    said = {"file": str(to), "drawings": count, "bytes": len(content)}
    print(json.dumps(said) if as_json else f"{to}: {_drawings_in_words(count)}, {len(content):,} bytes")


@drawings.command(name="import")
def import_command(file: Path, as_json: JsonOption = False) -> None:
    """Import drawings from a zip file that `export` wrote; those that are stored already are skipped."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise DatasetError(f"{file} cannot be read ({error}). Give a file that `export` wrote.") from error
    with DrawingStore() as store:
        imported = from_zip(store, content)
    said = f"{imported.added:,} drawings added, {imported.skipped:,} skipped, as they are stored already"
    print(json.dumps({"added": imported.added, "skipped": imported.skipped}) if as_json else said)


@drawings.command()
def delete(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="ID...", help="Ids, or their first letters, as `list` shows them.")
    ] = None,
    writer: WriterOption = None,
    every: Annotated[bool, typer.Option("--all", help="Delete every writer's drawings.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Delete without asking.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Delete drawings for good: by their ids, all of a writer, or all.

    Asks first on a terminal; elsewhere --yes is needed.
    """
    if sum((bool(ids), writer is not None, every)) != 1:
        raise typer.BadParameter("give either ids, or --writer NAME, or --all")
    with DrawingStore() as store:
        try:
            _check_writers(store, writer)
            full_ids = {_full_id(store, id) for id in ids or ()}
        except StoreError:
            # an earlier attempt may have deleted them but left traces in the files; this removes those
            store.delete([])
            raise
        if not yes:
            _confirm(len(full_ids) if ids else store.count(writer))
        if ids:
            deleted = store.delete(full_ids)
        else:
            deleted = store.delete_all() if every else sum(store.delete_writer(name) for name in writer or ())
    print(json.dumps({"deleted": deleted}) if as_json else f"{_drawings_in_words(deleted)} deleted")


def _check_writers(store: DrawingStore, names: list[str] | None) -> None:
    """Check that each writer has drawings, so that a typo is noticed.

    Raises:
        StoreError: one has none.
    """
    known = store.writers() if names else {}
    for name in names or ():
        if name not in known:
            others = ", ".join(map(repr, known)) or "none"
            raise StoreError(f"There are no drawings by {name!r} in {store.place}. The writers there: {others}.")


def _full_id(store: DrawingStore, beginning: str) -> str:
    """Return the id with this beginning.

    Raises:
        StoreError: there is none, or several.
    """
    if len(beginning) < MIN_ID_LETTERS:
        raise StoreError(f"{beginning!r} is too short for an id. Give at least its first {MIN_ID_LETTERS} letters.")
    found = store.ids(beginning.lower(), limit=2)
    if not found:
        raise StoreError(f"There is no drawing {beginning!r}. `mnist-core drawings list --all` shows all ids.")
    if len(found) > 1:
        raise StoreError(f"The ids of several drawings begin with {beginning!r}. Give more of it.")
    return found[0]


def _confirm(count: int) -> None:
    """Ask at the terminal whether to delete.

    Raises:
        StoreError: the answer is no, or nobody can be asked.
    """
    sentence = f"{_drawings_in_words(count)} will be deleted, and cannot be brought back."
    if not sys.stdin.isatty():
        raise StoreError(f"{sentence} Add --yes to delete them.")
    if not typer.confirm(f"{sentence} Delete them?", err=True):  # standard output may be JSON for a program
        raise StoreError("Nothing was deleted.")


def _drawings_in_words(count: int) -> str:
    return f"{count:,} drawing{'' if count == 1 else 's'}"


def _summary(drawing: StoredDrawing) -> dict[str, Any]:
    """Return the values of a drawing without ink, strokes and frame."""
    short = {name: value for name, value in vars(drawing).items() if name not in ("png", "strokes", "frame")}
    return short | {"time": drawing.time.isoformat()}
