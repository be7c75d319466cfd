"""All versions in a list, with what there is to say of each in a line."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mnist_core.evaluation.evaluation import Evaluation
from mnist_core.evaluation.pen_strokes import DrawingsEvaluation
from mnist_core.recipes import TAUGHT, Recipe
from mnist_core.versions.active import active_name
from mnist_core.versions.labels import NOTHING, labels
from mnist_core.versions.records import Record
from mnist_core.versions.registry import Version, all_versions, version

SHIPPED_NOTES = {
    "article": "Exactly as the article trains.",
    "robust": "The article's network, trained on distorted digits.",
    "best": "A wider network, trained at length on distorted digits.",
}


@dataclass(frozen=True)
class Entry:
    """A version in the list."""

    version: Version
    title: str
    """What people call it."""
    note: str
    active: bool
    """Whether it answers now."""

    @property
    def name(self) -> str:
        """What `promote` and all others take."""
        return self.version.name

    @property
    def record(self) -> Record:
        """Where it comes from and what it is worth."""
        return self.version.record

    @property
    def drawings(self) -> DrawingsEvaluation | None:
        """What it scores on people's drawings at the usual setting of the canvas, where somebody measured that."""
        return self.record.drawings[0] if self.record.drawings else None

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
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
    """Every version that can be read, one's own, the latest first, then the shipped ones."""
    active, known = active_name(), labels()
    listed = []
    for found in all_versions():
        label = known.get(found.name, NOTHING)
        title = label.title or _title(found)
        listed.append(Entry(found, title, label.note or _note(found), found.name == active))
    return listed


def title_of(name: str) -> str:
    """What people call the version of that name.

    Raises:
        WeightsError: there is none.
    """
    label = labels().get(name, NOTHING)
    return label.title or _title(version(name))


def recipe_in_words(recipe: Recipe) -> str:
    """The named recipe, and the fields that were changed, such as `quick: epochs 8, hidden 30,20`."""
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
    """Whose drawings these are, in words; all, where no writer is named."""
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
        "interval_95": [evaluation.interval.low, evaluation.interval.high],
    }
