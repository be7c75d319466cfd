"""All versions in a list, and what people call them: a title and a note each, in `<weights>/labels.json`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

from filelock import FileLock, Timeout
from pydantic import ConfigDict, TypeAdapter, ValidationError

from mnist_core.errors import WeightsError
from mnist_core.evaluation.evaluation import Evaluation
from mnist_core.evaluation.pen_strokes import DrawingsEvaluation
from mnist_core.files import weights_dir, write_atomically
from mnist_core.recipes import TAUGHT, Recipe
from mnist_core.versions.active import active_name
from mnist_core.versions.records import Record
from mnist_core.versions.registry import Version, all_versions, version

SHIPPED_NOTES = {
    "article": "Exactly as the article trains.",
    "robust": "The article's network, trained on distorted digits.",
    "best": "A wider network, trained at length on distorted digits.",
}
MAX_TITLE, MAX_NOTE = 60, 2000
"""Letters."""


@dataclass(frozen=True)
class Label:
    """The title and the note that people gave a version; empty by default."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    title: str = ""
    note: str = ""


NO_LABEL = Label()
_LABELS = TypeAdapter(dict[str, Label])


@dataclass(frozen=True)
class Entry:
    """A version in the list."""

    version: Version
    title: str
    """The title that people gave it, or one made from its record."""
    note: str
    active: bool
    """Whether it is the active version."""

    @property
    def name(self) -> str:
        """Return the name by which `promote` and other functions find it."""
        return self.version.name

    @property
    def record(self) -> Record:
        """Return where it comes from and what it scores."""
        return self.version.record

    @property
    def drawings(self) -> DrawingsEvaluation | None:
        """Return its evaluation on people's drawings at the usual setting of the canvas; None if there is none."""
        return self.record.drawings[0] if self.record.drawings else None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        record = self.record
        return {
            "name": self.name,
            "title": self.title,
            "note": self.note,
            "active": self.active,
            "shipped": self.version.shipped,
            "created": record.created,
            "recipe": record.recipe.name,
            "changes": record.recipe.changes,
            "layer_sizes": list(record.recipe.layer_sizes),
            "parameters": record.recipe.parameter_count,
            "bytes": self.version.bytes,
            "duration_seconds": record.duration_seconds,
            "epoch": record.epoch,
            "epochs": record.recipe.epochs,
            "validation_accuracy": record.validation_accuracy,
            "test": _figures(record.evaluation),
            "drawings": _figures(self.drawings.digits) if self.drawings else None,
        }


def entries() -> list[Entry]:
    """List all versions whose record can be read: your own, the latest first, then the shipped ones."""
    active, known = active_name(), labels()
    listed = []
    for found in all_versions():
        label = known.get(found.name, NO_LABEL)
        title = label.title or _title(found)
        listed.append(Entry(found, title, label.note or _note(found), found.name == active))
    return listed


def title_of(name: str) -> str:
    """Return what people call a version.

    Raises:
        WeightsError: there is no such version.
    """
    label = labels().get(name, NO_LABEL)
    return label.title or _title(version(name))


def recipe_in_words(recipe: Recipe) -> str:
    """Return the named recipe and the fields that were changed, such as `quick: epochs 8, hidden 30,20`."""
    changes = [
        f"{field} {','.join(map(str, value)) if isinstance(value, list) else value}"
        for field, value in recipe.changes.items()
    ]
    taught = TAUGHT if recipe.name.endswith(TAUGHT) else ""
    return recipe.named_after.name + taught + (f": {', '.join(changes)}" if changes else "")


def _title(found: Version) -> str:
    if found.shipped:
        return found.name
    record = found.record
    name = record.recipe.name
    if record.teaching:
        name = f"{name.removesuffix(TAUGHT)}, taught by {people(record.teaching.writers)}"
    return f"{name}, {datetime.fromisoformat(record.created):%d %b %Y %H:%M:%S}"


def people(writers: Sequence[str]) -> str:
    """Say whose drawings these are; without writers they are everybody's."""
    if not writers:
        return "everybody"
    return " and ".join(writer or "(no name)" for writer in writers) if len(writers) < 3 else f"{len(writers)} people"


def _note(found: Version) -> str:
    return SHIPPED_NOTES.get(found.name, "") if found.shipped else ""


def _figures(evaluation: Evaluation) -> dict[str, Any]:
    return {
        "on": evaluation.on,
        "images": evaluation.images,
        "accuracy": evaluation.accuracy,
        "interval_95": list(evaluation.interval),
    }


def labels() -> Mapping[str, Label]:
    """Return the label of each version that has one; none if the file is missing or damaged."""
    try:
        return _LABELS.validate_json(_labels_file().read_bytes())
    except (OSError, ValidationError):
        return {}


def label_version(name: str, *, title: str | None = None, note: str | None = None) -> None:
    """Give a version a title or a note; `None` leaves one as it is, an empty text removes it.

    Raises:
        WeightsError: there is no such version; the title is taken, or too long; it cannot be written.
    """
    version(name)
    given = {"title": title, "note": note}
    changes = {field: text.strip() for field, text in given.items() if text is not None}
    if len(changes.get("title", "")) > MAX_TITLE or len(changes.get("note", "")) > MAX_NOTE:
        raise WeightsError(f"A title has at most {MAX_TITLE} letters, a note {MAX_NOTE:,}. Shorten it.")
    try:
        with FileLock(weights_dir() / ".labelling", timeout=30):
            known = dict(labels())
            others = {other.name for other in all_versions()} - {name}
            taken = others | {known[other].title for other in others & known.keys()}
            if changes.get("title") and changes["title"] in taken:
                raise WeightsError(f"Another version is called {changes['title']!r} already. Choose another title.")
            known[name] = replace(known.get(name, NO_LABEL), **changes)
            content = {name: asdict(label) for name, label in known.items() if label != NO_LABEL}
            write_atomically(_labels_file(), json.dumps(content, indent=1) + "\n")
    except (OSError, Timeout) as error:
        raise WeightsError(f"{weights_dir()} cannot be written ({error}). Nothing was changed.") from error


def named(text: str) -> str:
    """Return the name of the version that has this title, or this name.

    Raises:
        WeightsError: there is none.
    """
    for name, label in labels().items():
        if text and label.title == text:
            return name
    return version(text).name


def _labels_file() -> Path:
    return weights_dir() / "labels.json"
