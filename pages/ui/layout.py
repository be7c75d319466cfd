"""Lay out what all pages share: title, styles, links to the other pages, errors in words."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import streamlit as st

from mnist_core import MnistCoreError
from pages.ui.demo import offer_demo, take_part
from pages.ui.visit import take_up_visit

PAGES = (
    ("app.py", "Draw", ":material/draw:"),
    ("pages/1_Train.py", "Train", ":material/model_training:"),
    ("pages/2_Models.py", "Models", ":material/inventory_2:"),
    ("pages/3_Look_inside.py", "Look inside", ":material/hub:"),
    ("pages/4_My_handwriting.py", "My handwriting", ":material/edit:"),
)

PAGE, JUST_ARRIVED = "page", "just_arrived"

STYLE = Path(__file__).with_name("style.css")


def plain(text: str) -> str:
    """Escape what a visitor wrote, such as a name, so that Markdown shows it as it was written."""
    escaped = re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", text)
    # addresses would still become links; an invisible letter inside them prevents that
    return re.sub(r"(?<=\\:)(?=\\/\\/)|(?<=www)(?=\\\.)|(?<=@)", "\u2060", escaped, flags=re.IGNORECASE)


def begin_page(title: str) -> None:
    """Set the title, load the styles and draw the navigation; comes first on every page."""
    st.set_page_config(page_title=f"{title} · Digit reader", page_icon="✍️", layout="wide")
    st.html(STYLE)
    st.session_state[JUST_ARRIVED] = st.session_state.get(PAGE) != title
    st.session_state[PAGE] = title
    with st.container(horizontal=True, vertical_alignment="center", key="navigation"):
        for page, label, icon in PAGES:
            st.page_link(page, label=label, icon=icon)
        offer_demo()
    take_up_visit()
    with st.container(), errors_in_words():  # always there: if what follows moved, the canvas would start again, empty
        take_part(next(page for page, label, _ in PAGES if label == title))


def has_just_come() -> bool:
    """Return whether this is the first run of the page since the visitor came to it."""
    return bool(st.session_state[JUST_ARRIVED])


@contextmanager
def errors_in_words() -> Iterator[None]:
    """Show an error of the core as a sentence on the page instead of a traceback.

    Each fragment needs its own, since Streamlit catches what leaves a fragment.
    """
    try:
        yield
    except MnistCoreError as error:
        st.error(str(error))
