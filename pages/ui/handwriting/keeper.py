"""Keep what a visitor wants kept of their drawings until the store has it; nothing is lost, or kept without consent."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from time import time
from uuid import uuid4

from mnist_core import Prediction
from mnist_core.drawings.store import StoredDrawing
from mnist_core.errors import RefusedDrawingError, StoreError
from mnist_core.images.datasets import NOT_A_DIGIT
from pages.ui import loaders
from pages.ui.visit import lasting
from pages.ui.widgets.board import Board


@dataclass
class Keeper:
    """What this visitor wants kept, and what of it is not saved yet."""

    consent: bool | None = None
    """None until the visitor was asked."""
    writer: str = ""
    """The name under which drawings are kept; may be empty."""
    at: float = 0
    """When these two were answered; of several tabs, the latest answer counts."""
    ids: dict[str, str] = field(default_factory=dict)
    """By the checksum of the drawing, so that pressing twice keeps it once."""
    labels: dict[str, int] = field(default_factory=dict)
    """The label the visitor gave to each, by id."""
    writers: dict[str, str] = field(default_factory=dict)
    """The name under which each is kept; it stays when the visitor changes their name."""
    unsaved: dict[str, StoredDrawing] = field(default_factory=dict)
    """Drawings by id, until the store has them."""
    asking: StoredDrawing | None = None
    """The drawing to keep if the visitor consents."""
    problem: str = ""
    """Why saving failed; empty if it did not."""

    def id_of(self, png: bytes) -> str:
        """Return the id under which a drawing is kept, the same for the same picture."""
        return self.ids.setdefault(hashlib.sha256(png).hexdigest(), str(uuid4()))

    def keep(self, drawing: StoredDrawing) -> None:
        """Save a drawing, or its new label if it is saved already; without consent, ask for that first."""
        if self.consent is None:
            self.asking = drawing
        if not self.consent:
            return
        self.labels[drawing.id] = drawing.label
        self.unsaved[drawing.id] = replace(drawing, writer=self.writers.setdefault(drawing.id, drawing.writer))
        self.save()

    def save(self) -> None:
        """Save all unsaved drawings, the oldest first; those that cannot be saved now stay."""
        self.problem = ""
        for drawing in list(self.unsaved.values()):
            try:
                store = loaders.drawing_store()
                if store.get(drawing.id) is None:
                    store.add(drawing)
                else:
                    store.relabel(drawing.id, drawing.label)
                del self.unsaved[drawing.id]
            except RefusedDrawingError as error:
                self.forget([drawing.id])
                self.problem = str(error)
            except StoreError as error:
                self.problem = str(error)
                return

    def answer(self, consent: bool) -> None:
        """Take the visitor's answer to whether drawings may be kept; it can be changed at any time."""
        self.consent, self.at, asked, self.asking = consent, time(), self.asking, None
        if consent and asked is not None:
            self.keep(replace(asked, writer=self.writer))
        if not consent:  # drawings that could not be saved yet must not be saved later
            self.forget(list(self.unsaved))
            self.problem = ""

    def correct(self, id: str, label: int) -> None:
        """Take over the new label of a drawing that was relabelled elsewhere."""
        if id in self.labels:
            self.labels[id] = label

    def forget(self, ids: Iterable[str]) -> None:
        """Forget drawings that were deleted, or must not be kept."""
        for id in ids:
            for known in (self.labels, self.writers, self.unsaved):
                known.pop(id, None)

    def forget_writer(self, writer: str) -> None:
        """Forget all drawings of a writer."""
        self.forget([id for id, name in self.writers.items() if name == writer])

    def is_saved(self, id: str) -> bool:
        """Return whether a drawing of this visit is in the store."""
        return id in self.labels and id not in self.unsaved


def keeper() -> Keeper:
    """Return this visitor's keeper."""
    return lasting("keeper", Keeper)


def stored(current: Board, version: str, prediction: Prediction, label: int = NOT_A_DIGIT) -> StoredDrawing:
    """Return the drawing on a board, which must not be empty, in the form in which it is kept."""
    assert current.png is not None
    return StoredDrawing(
        id=keeper().id_of(current.png),
        time=datetime.now(UTC),
        writer=keeper().writer,
        label=label,
        png=current.png,
        strokes=json.dumps(current.strokes),
        frame=current.frame().tobytes(),
        digit=prediction.digit,
        confidence=prediction.confidence,
        accepted=prediction.accepted,
        version=version,
    )
