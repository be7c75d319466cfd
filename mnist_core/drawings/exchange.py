"""Drawings that travel: a zip file with a table, a PNG of each, and the digits in MNIST's own form.

    drawings.csv                  a line for each drawing, with all that is kept of it; frames in base64
    png/<id>.png                  its ink
    drawings-images-idx3-ubyte    the frames of those labelled 0 to 9, in the table's order, as MNIST's files are
    drawings-labels-idx1-ubyte    their labels
    strokes.gz                    the pen's points of those labelled 0 to 9, as `strokes.read_characters` takes them

The import reads the table and the PNGs; the last three are for other programs. The table has the strokes as they were
kept: the canvas's own objects, with colours and curves.
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

from mnist_core.drawings.drawing import DIGITS, LARGEST_PNG, LONGEST_STROKES, StoredDrawing
from mnist_core.drawings.store import DrawingStore
from mnist_core.errors import DatasetError, StoreError

TABLE, IMAGES, LABELS = "drawings.csv", "drawings-images-idx3-ubyte", "drawings-labels-idx1-ubyte"
STROKES = "strokes.gz"
MOST_DRAWINGS = 100_000
LARGEST = 1_000_000_000
"""Bytes of all files together, unpacked."""
LONGEST_CELL = LONGEST_STROKES + 1
COLUMNS = tuple(field.name for field in fields(StoredDrawing))

_FORMULA = "'=+-@"
"""A spreadsheet would compute what begins so; it gets an apostrophe before it, which the import takes away."""
_DAMAGE = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, struct.error)


@dataclass(frozen=True)
class Imported:
    """What came of an import."""

    added: int
    skipped: int
    """Their ids were there already; these drawings stay as they were."""


def to_zip(store: DrawingStore, writers: Sequence[str] | None = None) -> bytes:
    """The drawings of these writers (`None`: of all), as `from_zip` takes them.

    Raises:
        StoreError: there are more than one file may hold, or the store fails.
    """
    content, table = io.BytesIO(), io.StringIO(newline="")
    lines = csv.DictWriter(table, COLUMNS)
    lines.writeheader()
    frames, labels, characters, size = bytearray(), bytearray(), bytearray(), 0
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, drawing in enumerate(store.each(writers), 1):
            # the strokes twice, once as points; the rest of a drawing takes less than 3000 bytes
            size += len(drawing.png) + 2 * len(drawing.strokes.encode()) + 3000
            if number > MOST_DRAWINGS or size > LARGEST:
                raise StoreError("That is more than one file may hold. Export some of the writers at a time.")
            archive.writestr(f"png/{drawing.id}.png", drawing.png, zipfile.ZIP_STORED)  # packed already
            lines.writerow(_to_cells(drawing))
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
    """Keep the drawings of a file that `to_zip` has made, all or none; those whose ids are there already stay.

    Raises:
        DatasetError: it is damaged, too large, or no such file; nothing was kept.
        StoreError: the store fails; nothing was kept.
    """
    read = 0

    def counted(archive: zipfile.ZipFile) -> Iterator[StoredDrawing]:
        nonlocal read
        for drawing in _drawings(archive):
            read += 1
            if read > MOST_DRAWINGS:
                raise DatasetError(_TOO_MUCH)
            yield drawing

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _check_sizes(archive)
            added = store.add_all(counted(archive))
    except _DAMAGE as error:
        raise DatasetError(f"The file cannot be read ({error}). {_REMEDY}") from error
    return Imported(added, read - added)


def _check_sizes(archive: zipfile.ZipFile) -> None:
    """Before anything is unpacked; what is read later is no longer than is said here, or its checksum is wrong."""
    held = archive.infolist()
    names = Counter(file.filename for file in held)
    if TABLE not in names:
        raise DatasetError(f"The file holds no {TABLE}. {_REMEDY}")
    if twice := [name for name, times in names.items() if times > 1]:
        raise DatasetError(f"The file holds {twice[0]!r:.80} twice. {_REMEDY}")
    if len(held) > MOST_DRAWINGS + 4 or sum(file.file_size for file in held) > LARGEST:
        raise DatasetError(_TOO_MUCH)


def _drawings(archive: zipfile.ZipFile) -> Iterator[StoredDrawing]:
    csv.field_size_limit(max(csv.field_size_limit(), LONGEST_CELL))  # a setting of the whole process
    number = 1
    with archive.open(TABLE) as table:
        lines = csv.DictReader(io.TextIOWrapper(table, "utf-8-sig", newline=""))
        try:
            if set(lines.fieldnames or ()) != set(COLUMNS):
                raise DatasetError(f"{TABLE} does not have the columns {', '.join(COLUMNS)}. {_REMEDY}")
            for number, cells in enumerate(lines, 2):  # noqa: B007
                drawing = _from_cells(cells, archive)
                drawing.check()
                yield drawing
        except (KeyError, ValueError, TypeError, AttributeError, csv.Error, *_DAMAGE) as error:
            raise DatasetError(f"{TABLE}, line {number}, cannot be read ({error}). {_REMEDY}") from error


def _points(strokes: str) -> list[list[list[float]]]:
    """Where the pen was, stroke by stroke; empty where not only a pen drew, as on an example, or nobody knows."""
    try:
        held = json.loads(strokes)
        paths = [_pen(stroke["path"]) if isinstance(stroke, dict) else stroke for stroke in held]
        return [[[float(x), float(y)] for x, y in path] for path in paths]
    except (ValueError, TypeError, LookupError, OverflowError):
        return []


def _pen(path: Sequence[Sequence[Any]]) -> list[Sequence[Any]]:
    """The points from which the canvas made a path: its curves have them for control, and it ends at the last."""
    return [*(command[1:3] for command in path if command[0] == "Q"), path[-1][-2:]]


def _to_cells(drawing: StoredDrawing) -> dict[str, str]:
    """A line of the table; the PNG is named, not held."""
    cells = {name: str(getattr(drawing, name)) for name in COLUMNS if name not in ("png", "frame")}
    for name in ("writer", "version"):
        if cells[name].startswith(tuple(_FORMULA)):
            cells[name] = f"'{cells[name]}"
    return cells | {
        "time": drawing.time.isoformat(),
        "accepted": "yes" if drawing.accepted else "no",
        "confidence": repr(drawing.confidence),
        "png": f"png/{drawing.id}.png",
        "frame": base64.b64encode(drawing.frame).decode(),
    }


def _from_cells(cells: Mapping[str, str], archive: zipfile.ZipFile) -> StoredDrawing:
    """What `_to_cells` wrote down."""
    picture = archive.getinfo(cells["png"])
    if picture.file_size > LARGEST_PNG:
        raise DatasetError(f"{picture.filename} is larger than {LARGEST_PNG:,} bytes. {_REMEDY}")
    try:
        frame = base64.b64decode(cells["frame"], validate=True)
    except binascii.Error as error:
        raise ValueError("its frame is not in base64") from error
    return StoredDrawing(
        id=cells["id"],
        time=datetime.fromisoformat(cells["time"]),
        writer=cells["writer"].removeprefix("'"),
        label=int(cells["label"]),
        png=archive.read(picture),
        strokes=cells["strokes"],
        frame=frame,
        digit=int(cells["digit"]),
        confidence=float(cells["confidence"]),
        accepted={"yes": True, "no": False}[cells["accepted"]],
        version=cells["version"].removeprefix("'"),
    )


_TOO_MUCH = (
    f"The file holds more than {MOST_DRAWINGS:,} drawings, or unpacks to more than {LARGEST:,} bytes. "
    "Nothing was imported; import it in pieces."
)
_REMEDY = "Give a zip file as the export makes it. Nothing was imported."
