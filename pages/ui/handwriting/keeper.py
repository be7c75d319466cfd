"""What a visitor wants kept of what they drew, until the store has it; nothing of it is lost, nor kept against their
will."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from time import time
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from mnist_core import Prediction
from mnist_core.drawings.store import StoredDrawing
from mnist_core.errors import RefusedDrawingError, StoreError
from mnist_core.explanation.pictures import to_png
from mnist_core.images.datasets import NOT_A_DIGIT
from pages.ui import loaders
from pages.ui.visit import lasting
from pages.ui.widgets.board import Board


@dataclass
class Keeper:
    """What this visitor wants kept, and what of it is still to be saved."""

    consent: bool | None = None
    """None until the visitor was asked."""
    writer: str = ""
    """Under whose name drawings are kept; empty where none was given."""
    at: float = 0
    """When these two were answered: of what several tabs say, the latest counts."""
    ids: dict[str, str] = field(default_factory=dict)
    """By the drawing's checksum, so that pressing twice keeps it once."""
    labels: dict[str, int] = field(default_factory=dict)
    """What the visitor said of each, by id."""
    writers: dict[str, str] = field(default_factory=dict)
    """Under whose name each of these is kept, which stays when the visitor takes another name."""
    unsaved: dict[str, StoredDrawing] = field(default_factory=dict)
    """By id, until the store has them."""
    asking: StoredDrawing | None = None
    """To be kept if the visitor consents."""
    problem: str = ""
    """Why the store failed."""

    def id_of(self, picture: NDArray[np.uint8]) -> str:
        """The id under which a drawing (SIDE, SIDE, 4) is kept."""
        return self.ids.setdefault(hashlib.sha256(picture.tobytes()).hexdigest(), str(uuid4()))

    def keep(self, drawing: StoredDrawing) -> None:
        """Save a drawing, or what it is said to be now, whoever's it is; without consent, that is asked for first."""
        if self.consent is None:
            self.asking = drawing
        if not self.consent:
            return
        self.labels[drawing.id] = drawing.label
        self.unsaved[drawing.id] = replace(drawing, writer=self.writers.setdefault(drawing.id, drawing.writer))
        self.save()

    def save(self) -> None:
        """Save what is to be saved, the oldest first; what cannot be saved now stays."""
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
        """The visitor's answer to whether drawings may be kept; it can be changed at any time."""
        self.consent, self.at, asked, self.asking = consent, time(), self.asking, None
        if consent and asked is not None:
            self.keep(replace(asked, writer=self.writer))
        if not consent:  # nor may be saved later what could not be saved before
            self.forget(list(self.unsaved))
            self.problem = ""

    def correct(self, id: str, label: int) -> None:
        """Know that a kept drawing was relabelled elsewhere."""
        if id in self.labels:
            self.labels[id] = label

    def forget(self, ids: Iterable[str]) -> None:
        """Know nothing more of drawings that were deleted, or are not to be kept."""
        for id in ids:
            for known in (self.labels, self.writers, self.unsaved):
                known.pop(id, None)

    def forget_writer(self, writer: str) -> None:
        """The same for all drawings of a writer."""
        self.forget([id for id, name in self.writers.items() if name == writer])

    def is_saved(self, id: str) -> bool:
        """Whether a drawing of this visit is in the store."""
        return id in self.labels and id not in self.unsaved


def keeper() -> Keeper:
    """This visitor's keeper."""
    return lasting("keeper", Keeper)


def stored(
    current: Board, version: str, prediction: Prediction, frame: NDArray[np.uint8], label: int = NOT_A_DIGIT
) -> StoredDrawing:
    """The drawing on a board, which must not be empty, as it is kept."""
    assert current.picture is not None
    return StoredDrawing(
        id=keeper().id_of(current.picture),
        time=datetime.now(UTC),
        writer=keeper().writer,
        label=label,
        png=to_png(current.picture),
        strokes=json.dumps(current.strokes),
        frame=frame.tobytes(),
        digit=prediction.digit,
        confidence=prediction.confidence,
        accepted=prediction.accepted,
        version=version,
    )
