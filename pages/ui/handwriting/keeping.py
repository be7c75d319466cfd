"""Ask a visitor what a drawing was and, once, whether it may be kept; `keeper` does the keeping."""

import json
import unicodedata
from collections.abc import Callable
from time import time

import streamlit as st

from mnist_core import Prediction
from mnist_core.images.datasets import NOT_A_DIGIT
from pages.ui.handwriting.keeper import keeper, stored
from pages.ui.layout import plain
from pages.ui.widgets.board import Board
from pages.ui.widgets.browser import remember
from pages.ui.wording import counted

LABEL, WRITER, SWITCH = "labels", "writer", "keep-my-drawings"
REMEMBERED = "consent-remembered"
NAME_LENGTH = 60
LABELS = {**{digit: str(digit) for digit in range(10)}, NOT_A_DIGIT: "Not a digit"}
WHAT_IS_KEPT = (
    "Kept, so that the network can learn from it: the drawing, your label, the network's answer, the time, and your "
    "name if you give one. {where} you can see, export and delete all of it; so can everybody who opens this app."
)
ABOUT_CONSENT = WHAT_IS_KEPT.format(where="Under My handwriting")


def ask_what_it_was(current: Board, version: str, prediction: Prediction) -> None:
    """Show buttons for all digits and "not a digit"; one press labels the drawing and, with consent, keeps it."""
    if current.origin or current.png is None:  # an example is nobody's handwriting
        return
    mine = keeper()
    id = mine.id_of(current.png)
    asking = {mine.asking.id: mine.asking.label} if mine.asking else {}
    st.markdown(_what_it_was(id))
    st.session_state[LABEL] = mine.labels.get(id, asking.get(id))
    st.pills(  # one element: eleven buttons would take the server as long as the network does
        "Label of this drawing",
        list(LABELS),
        format_func=LABELS.__getitem__,
        key=LABEL,
        on_change=_say,
        args=[current, version, prediction],
        disabled=mine.consent is False,
        label_visibility="collapsed",
    )
    if mine.asking is not None:
        ask_for_consent(ABOUT_CONSENT)
    elif mine.consent is not None:
        show_switch(f"Keep my drawings as {plain(mine.writer)}" if mine.writer else "Keep my drawings", ABOUT_CONSENT)
    show_unsaved()


def _what_it_was(id: str) -> str:
    """Return the question, or what is known of a drawing."""
    mine = keeper()
    if mine.consent is False:
        return (
            "**From now on nothing is kept**, so these buttons are off until you switch keeping on again. What was "
            "kept before stays under My handwriting until you delete it."
        )
    if id not in mine.labels:
        return "**What did you draw?** Your answer lets the network learn from it."
    said, writer = LABELS[mine.labels[id]].lower(), mine.writers[id]
    whose = "" if writer == mine.writer else f", kept as {plain(writer)}" if writer else ", kept without a name"
    noted = f"Noted: {said}{whose}." if mine.is_saved(id) else f"Noted here, not saved yet: {said}{whose}."
    return f"**{noted}** Press another if that was wrong."


def _say(current: Board, version: str, prediction: Prediction) -> None:
    label = st.session_state[LABEL]
    if label is not None:  # pressing the same again takes nothing back
        keeper().keep(stored(current, version, prediction, label))


def ask_for_consent(about: str, *, name: bool = True, on_answer: Callable[[bool], None] | None = None) -> None:
    """Ask whether drawings may be kept and, unless the page does so elsewhere, under which `name`."""
    with st.container(border=True, key="consent"):
        st.markdown(f"**May your drawings be kept?** {about} You can change your mind at any time.")
        with st.container(horizontal=True, vertical_alignment="bottom"):
            if name:
                ask_for_name(220)
            st.button("Keep them", type="primary", on_click=_consent, args=[True, on_answer])
            st.button("No, thanks", on_click=_consent, args=[False, on_answer])
        writer = keeper().writer
        st.caption(f"They would be kept as {plain(writer)}." if writer else "They would be kept without a name.")


def ask_for_name(width: int) -> None:
    """Show a field for the name under which drawings are kept."""
    st.session_state[WRITER] = keeper().writer
    st.text_input("Your name (optional)", key=WRITER, width=width, on_change=_take_name)


def _take_name() -> None:
    mine = keeper()
    mine.writer, mine.at = _name(str(st.session_state[WRITER])), time()


def _name(text: str) -> str:
    """Return a name that can be kept. The field itself sets no limit, as it would drop a longer name silently."""
    shown = "".join(letter for letter in " ".join(text.split()) if unicodedata.category(letter) not in ("Cc", "Cs"))
    return shown[:NAME_LENGTH].strip()


def show_switch(label: str, help: str | None = None) -> None:
    """Show a switch for whether drawings are kept."""
    st.session_state[SWITCH] = bool(keeper().consent)
    st.toggle(label, key=SWITCH, on_change=_switch, help=help)


def remember_consent() -> None:
    """Have the browser remember the answer and the name, for all its tabs and the next visit.

    So nobody is asked twice, and consent withdrawn in one tab counts in the others.
    """
    mine = keeper()
    st.session_state[REMEMBERED] = mine.at
    answer = {"keep": mine.consent, "writer": mine.writer, "at": mine.at}
    remember("consent", None if mine.consent is None else json.dumps(answer), for_good=True, on_found=_as_before)


def rerun_if_consent_changed() -> None:
    """Run the whole page again if a fragment took an answer that the browser should remember."""
    if st.session_state[REMEMBERED] != keeper().at:
        st.rerun()


def _as_before(answer: str) -> None:
    """Take over the answer given in an earlier visit, or just now in another tab."""
    try:
        before = json.loads(answer)
        consent, writer, at = bool(before["keep"]), _name(str(before["writer"])), float(before.get("at", time()))
    except (ValueError, TypeError, KeyError):
        return
    mine = keeper()
    if mine.consent is not None and at < mine.at:
        return
    mine.writer = mine.writer or writer  # a name given here stays: another tab may belong to another writer
    mine.answer(consent)
    mine.at = at


def _consent(given: bool, on_answer: Callable[[bool], None] | None) -> None:
    _take_name()  # it may have been typed just before the press
    keeper().answer(given)
    if on_answer is not None:
        on_answer(given)


def _switch() -> None:
    keeper().answer(bool(st.session_state[SWITCH]))


def show_unsaved() -> None:
    """Show why a drawing could not be saved and a button to try again; until then it stays in the page."""
    mine = keeper()
    if mine.problem:
        waiting = len(mine.unsaved)
        stay = f" {counted(waiting, 'drawing')} {'stay' if waiting > 1 else 'stays'} in this page until saved."
        st.error(mine.problem + (stay if waiting else ""))
        if waiting:
            st.button("Save now", icon=":material/save:", on_click=mine.save, key="save-now")
