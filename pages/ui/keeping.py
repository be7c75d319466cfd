"""Keeping what people drew, with what they say it is: asked once whether that may be, and never lost."""

import hashlib
import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from uuid import uuid4

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from mnist_core import Prediction
from mnist_core.augmentation import NOT_A_DIGIT
from mnist_core.drawing_store import StoredDrawing
from mnist_core.errors import RefusedDrawingError, StoreError
from mnist_core.pictures import to_png
from pages.ui import loaders
from pages.ui.board import Board
from pages.ui.browser import remember
from pages.ui.visit import lasting

WRITER, SWITCH = "writer", "keep-my-drawings"
NAME_LENGTH = 60
LABELS = {**{digit: str(digit) for digit in range(10)}, NOT_A_DIGIT: "Not a digit"}
ABOUT_CONSENT = (
    "Kept for the reader to learn from: the drawing, what you say it is, what the network answered, the time, and your "
    "name if you give one. Under My handwriting you can see, export and delete all of it; so can everybody who opens "
    "this app."
)


@dataclass
class Keeper:
    """What this visitor wants kept, and what of it is still to be saved."""

    consent: bool | None = None
    """None until the visitor was asked."""
    writer: str = ""
    """Under whose name drawings are kept; empty where none was given."""
    ids: dict[str, str] = field(default_factory=dict)
    """By the drawing's checksum, so that pressing twice keeps it once."""
    labels: dict[str, int] = field(default_factory=dict)
    """What the visitor said of each, by id."""
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
        """Save a drawing, or what it is said to be now; without consent, that is asked for first."""
        if self.consent is None:
            self.asking = drawing
        if not self.consent:
            return
        self.labels[drawing.id] = drawing.label
        self.unsaved[drawing.id] = drawing
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
                del self.unsaved[drawing.id]
                self.labels.pop(drawing.id, None)
                self.problem = str(error)
            except StoreError as error:
                self.problem = str(error)
                return

    def answer(self, consent: bool) -> None:
        """The visitor's answer to whether drawings may be kept; it can be changed at any time."""
        self.consent, asked, self.asking = consent, self.asking, None
        if consent and asked is not None:
            self.keep(replace(asked, writer=self.writer))


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


def ask_what_it_was(current: Board, version: str, prediction: Prediction, frame: NDArray[np.uint8]) -> None:
    """Ten buttons and one for what is no digit: one press says what the drawing is and, with consent, keeps it."""
    if current.origin or current.picture is None:  # an example is nobody's handwriting
        return
    mine = keeper()
    said = mine.labels.get(mine.id_of(current.picture))
    if mine.consent is False:
        st.markdown("**What did you draw?** Nothing is kept, as you wished.")
    elif said is None:
        st.markdown("**What did you draw?** One press, and the reader can learn from it.")
    else:
        st.markdown(f"**Noted: {LABELS[said].lower()}.** Press another if that was wrong.")
    with st.container(horizontal=True, gap="xsmall", key="labels"):
        for label, text in LABELS.items():
            st.button(
                text,
                key=f"label-{label}",
                type="primary" if label == said else "secondary",
                on_click=_say,
                args=[current, version, prediction, frame, label],
            )
    ask_for_consent()
    show_unsaved()


def _say(current: Board, version: str, prediction: Prediction, frame: NDArray[np.uint8], label: int) -> None:
    keeper().keep(stored(current, version, prediction, frame, label))


def ask_for_consent() -> None:
    """The question, while it is to be asked; afterwards, a switch to change the answer."""
    mine = keeper()
    if mine.asking is not None:
        with st.container(border=True, key="consent"):
            st.markdown(f"**May your drawings be kept?** {ABOUT_CONSENT} You can change your mind at any time.")
            with st.container(horizontal=True, vertical_alignment="bottom"):
                ask_for_name(220)
                st.button("Keep them", type="primary", on_click=_consent, args=[True])
                st.button("No, thanks", on_click=_consent, args=[False])
    elif mine.consent is not None:
        show_switch(f"Keep my drawings as {mine.writer}" if mine.writer else "Keep my drawings", ABOUT_CONSENT)
    remember_consent()


def ask_for_name(width: int) -> None:
    """A field for the name under which drawings are kept."""
    st.session_state[WRITER] = keeper().writer
    st.text_input("Your name (optional)", key=WRITER, max_chars=NAME_LENGTH, width=width, on_change=_take_name)


def _take_name() -> None:
    keeper().writer = str(st.session_state[WRITER]).strip()


def show_switch(label: str, help: str | None = None) -> None:
    """A switch that says whether drawings are kept."""
    st.session_state[SWITCH] = bool(keeper().consent)
    st.toggle(label, key=SWITCH, on_change=_switch, help=help)


def remember_consent() -> None:
    """Have the browser know the answer, and the name, at the next visit, so that nobody is asked twice."""
    mine = keeper()
    answer = None if mine.consent is None else json.dumps({"keep": mine.consent, "writer": mine.writer})
    remember("consent", answer, overwrite=answer is not None, for_good=True, on_found=_as_before)


def _as_before(answer: str) -> None:
    """Take over what was answered in an earlier visit."""
    try:
        before = json.loads(answer)
        consent, writer = bool(before["keep"]), str(before["writer"])[:NAME_LENGTH]
    except (ValueError, TypeError, KeyError):
        return
    mine = keeper()
    mine.writer = mine.writer or writer
    mine.answer(consent)


def _consent(given: bool) -> None:
    _take_name()  # given in the same breath
    keeper().answer(given)


def _switch() -> None:
    keeper().answer(bool(st.session_state[SWITCH]))


def show_unsaved() -> None:
    """Why a drawing could not be saved, and a button to try again; until then it stays in the page."""
    mine = keeper()
    if mine.problem:
        waiting = len(mine.unsaved)
        count = (
            f" {waiting} drawing{'s stay' if waiting > 1 else ' stays'} in this page until saved." if waiting else ""
        )
        st.error(mine.problem + count)
        if waiting:
            st.button("Save now", icon=":material/save:", on_click=mine.save, key="save-now")
