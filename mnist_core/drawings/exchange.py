"""Export drawings to a zip file, and import them from one.

    drawings.csv                  a line for each drawing with everything that is stored of it; frames in base64
    png/<id>.png                  its ink
    drawings-images-idx3-ubyte    the frames of those labelled 0 to 9, in the table's order, in MNIST's format
    drawings-labels-idx1-ubyte    their labels
    strokes.gz                    the pen's points of those labelled 0 to 9, as `strokes.read_characters` reads them

The import reads the table and the PNGs; the last three are for other programs. The table has the strokes as the canvas
sent them, its own objects with colours and curves.
"""

import base64
import binascii
import csv
import gzip
import io
import json
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from mnist_core.drawings.drawing import DIGITS, MAX_PNG_BYTES, MAX_STROKES_LETTERS, StoredDrawing
from mnist_core.drawings.store import DrawingStore
from mnist_core.errors import DatasetError, StoreError

TABLE, IMAGES, LABELS = "drawings.csv", "drawings-images-idx3-ubyte", "drawings-labels-idx1-ubyte"
STROKES = "strokes.gz"
MAX_DRAWINGS = 100_000
MAX_UNPACKED_BYTES = 1_000_000_000
"""Of all files in the zip together."""
MAX_EXPANSION = 100
"""A file may unpack to this many times its size, so that a small one cannot keep the server busy for minutes."""
FREE_BYTES = 10_000_000
"""That much may come out of any file."""
MAX_CELL_LETTERS = MAX_STROKES_LETTERS + 1
COLUMNS = tuple(field.name for field in fields(StoredDrawing))
DIRECTORY_ENTRY = b"PK\1\2"
"""Begins the entry that a zip file's directory has for each file in it."""

_FORMULA = "'=+-@"
"""A spreadsheet would run text that begins so; the export puts an apostrophe before it, and the import removes it."""
_UNREADABLE = (
    *(KeyError, ValueError, TypeError, AttributeError, OverflowError, csv.Error),
    *(zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, struct.error),
)


@dataclass(frozen=True)
class Imported:
    """How many drawings an import added and skipped."""

    added: int
    skipped: int
    """Drawings whose ids were in the store already; they were left unchanged."""


def to_zip(store: DrawingStore, writers: Sequence[str] | None = None) -> bytes:
    """Export the drawings of these writers (`None`: of all) as a zip file that `from_zip` reads.

    Raises:
        StoreError: there are too many for one file, or the store fails.
    """
    content, table = io.BytesIO(), io.StringIO(newline="")
    rows = csv.DictWriter(table, COLUMNS)
    rows.writeheader()
    frames, labels, characters, size = bytearray(), bytearray(), bytearray(), 0
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, drawing in enumerate(store.each(writers), 1):
            # the strokes appear twice, once as points; the rest of a drawing takes less than 3000 bytes
            size += len(drawing.png) + 2 * len(drawing.strokes.encode()) + 3000
            if number > MAX_DRAWINGS or size > MAX_UNPACKED_BYTES:
                raise StoreError("These are too many drawings for one file. Export some of the writers at a time.")
            archive.writestr(_png_name(drawing.id), drawing.png, zipfile.ZIP_STORED)  # compressed already
            rows.writerow(_to_cells(drawing))
            if drawing.label in DIGITS:
                frames += drawing.frame
                labels.append(drawing.label)
                if points := _points(drawing.strokes):
                    entry = {"label": str(drawing.label), "writer": drawing.writer, "strokes": points}
                    characters += f"{json.dumps(entry)}\n".encode()
        archive.writestr(TABLE, table.getvalue().encode())
        archive.writestr(IMAGES, struct.pack(">4I", 0x803, len(labels), 28, 28) + frames)
        archive.writestr(LABELS, struct.pack(">2I", 0x801, len(labels)) + labels)
        archive.writestr(STROKES, gzip.compress(characters, mtime=0), zipfile.ZIP_STORED)
    return content.getvalue()


def from_zip(store: DrawingStore, content: bytes) -> Imported:
    """Import the drawings of a file that `to_zip` made: all of them, or none where one is damaged.

    Drawings whose ids are in the store already are skipped.

    Raises:
        DatasetError: the file is damaged, too large or of another kind; nothing was imported.
        StoreError: the store fails; nothing was imported.
    """
    read = 0

    def counted(archive: zipfile.ZipFile) -> Iterator[StoredDrawing]:
        nonlocal read
        ids: set[str] = set()
        for number, cells in _rows(archive):
            read += 1
            if read > MAX_DRAWINGS:
                raise DatasetError(_TOO_LARGE)
            if cells["id"] not in ids:
                ids.add(cells["id"])
                yield _to_drawing(number, cells, archive)

    if content.count(DIRECTORY_ENTRY) > MAX_DRAWINGS + 10:  # zipfile would make an object of each
        raise DatasetError(_TOO_LARGE)
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except _UNREADABLE as error:
        raise DatasetError(f"The file cannot be read ({error}). {_REMEDY}") from error
    with archive:
        _check_members(archive, len(content))
        added = store.add_all(counted(archive))
    return Imported(added, read - added)


def _check_members(archive: zipfile.ZipFile, packed_bytes: int) -> None:
    """Check names and sizes before anything is unpacked; no more is read of a file later than it says here.

    Raises:
        DatasetError: a file is missing, appears twice, or is too large.
    """
    members = archive.infolist()
    names = Counter(member.filename for member in members)
    if TABLE not in names:
        raise DatasetError(f"The file holds no {TABLE}. {_REMEDY}")
    if twice := [name for name, times in names.items() if times > 1]:
        raise DatasetError(f"The file holds {twice[0]!r:.80} twice. {_REMEDY}")
    if any(member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for member in members):
        raise DatasetError(f"The file is packed in another way than the export packs it. {_REMEDY}")
    allowed_bytes = min(MAX_UNPACKED_BYTES, FREE_BYTES + MAX_EXPANSION * packed_bytes)
    if len(members) > MAX_DRAWINGS + 4 or sum(member.file_size for member in members) > allowed_bytes:
        raise DatasetError(_TOO_LARGE)


def _rows(archive: zipfile.ZipFile) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Yield the table's rows, each with its line number.

    Raises:
        DatasetError: the table is damaged, or has other columns; the message names the line.
    """
    csv.field_size_limit(max(csv.field_size_limit(), MAX_CELL_LETTERS))  # a setting of the whole process
    number = 1
    try:
        with archive.open(TABLE) as table:
            rows = csv.DictReader(io.TextIOWrapper(table, "utf-8-sig", newline=""))
            if set(rows.fieldnames or ()) != set(COLUMNS):
                raise DatasetError(f"{TABLE} does not have the columns {', '.join(COLUMNS)}. {_REMEDY}")
            for number, cells in enumerate(rows, 2):
                yield number, cells
    except _UNREADABLE as error:
        raise DatasetError(f"{TABLE}, line {number}, cannot be read ({error}). {_REMEDY}") from error


def _to_drawing(number: int, cells: Mapping[str, str], archive: zipfile.ZipFile) -> StoredDrawing:
    """Return the drawing of a row.

    Raises:
        DatasetError: it is damaged, or cannot be saved; the message names the line.
    """
    try:
        drawing = _from_cells(cells, archive)
        drawing.check()
    except _UNREADABLE as error:
        raise DatasetError(f"{TABLE}, line {number}, cannot be read ({error}). {_REMEDY}") from error
    return drawing


def _png_name(id: str) -> str:
    return f"png/{id}.png"


def _points(strokes: str) -> list[list[list[float]]]:
    """Return the pen's points, stroke by stroke; none where something else than a pen drew, such as an example."""
    try:
        parsed = json.loads(strokes)
        paths = [_pen_points(stroke["path"]) if isinstance(stroke, dict) else stroke for stroke in parsed]
        return [[[float(x), float(y)] for x, y in path] for path in paths]
    except (ValueError, TypeError, LookupError, OverflowError):
        return []


def _pen_points(path: Sequence[Sequence[Any]]) -> list[Sequence[Any]]:
    """Return the points of which the canvas made a path: the control points of its curves, and its end."""
    return [*(command[1:3] for command in path if command[0] == "Q"), path[-1][-2:]]


def _to_cells(drawing: StoredDrawing) -> dict[str, str]:
    """Return a row of the table; it has the PNG's name in the zip file."""
    cells = {name: str(getattr(drawing, name)) for name in COLUMNS if name not in ("png", "frame")}
    for name in ("writer", "version"):
        if cells[name].startswith(tuple(_FORMULA)):
            cells[name] = f"'{cells[name]}"
    return cells | {
        "time": drawing.time.isoformat(),
        "accepted": "yes" if drawing.accepted else "no",
        "confidence": repr(drawing.confidence),
        "png": _png_name(drawing.id),
        "frame": base64.b64encode(drawing.frame).decode(),
    }


def _from_cells(cells: Mapping[str, str], archive: zipfile.ZipFile) -> StoredDrawing:
    """Return the drawing from which `_to_cells` made a row."""
    if cells["png"] != _png_name(cells["id"]):
        raise ValueError(f"its PNG is not {_png_name(cells['id'])!r:.60}")
    picture = archive.getinfo(cells["png"])
    if picture.file_size > MAX_PNG_BYTES:
        raise ValueError(f"{picture.filename} is larger than {MAX_PNG_BYTES:,} bytes")
    try:
        frame = base64.b64decode(cells["frame"], validate=True)
    except binascii.Error as error:
        raise ValueError("its frame is not in base64") from error
    with archive.open(picture) as file:
        png = file.read(picture.file_size + 1)  # `archive.read` would unpack all that is there, whatever its size
    return StoredDrawing(
        id=cells["id"],
        time=datetime.fromisoformat(cells["time"]),
        writer=cells["writer"].removeprefix("'"),
        label=int(cells["label"]),
        png=png,
        strokes=cells["strokes"],
        frame=frame,
        digit=int(cells["digit"]),
        confidence=float(cells["confidence"]),
        accepted={"yes": True, "no": False}[cells["accepted"]],
        version=cells["version"].removeprefix("'"),
    )


_TOO_LARGE = (
    f"The file holds more than {MAX_DRAWINGS:,} drawings, or unpacks to more than {MAX_UNPACKED_BYTES:,} bytes or "
    f"{MAX_EXPANSION} times its size. Nothing was imported; import it in pieces."
)
_REMEDY = "Choose a zip file that was exported here. Nothing was imported."
