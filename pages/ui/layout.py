"""The frame around every page: title, width, links to the other pages."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from mnist_core import MnistCoreError

PAGES = (
    ("app.py", "Draw", ":material/draw:"),
    ("pages/1_Train.py", "Train", ":material/model_training:"),
)

STYLE = """<style>
.stMainBlockContainer { max-width: 58rem; padding-top: 3.25rem; padding-bottom: 3rem; }
.stMainBlockContainer h1 { font-size: 1.9rem; padding: 0.25rem 0; }
.st-key-answer { min-width: min(22rem, 100%); flex: 1; } /* beside the board, or below it where that is too narrow */
@media (max-width: 640px) {
  .stMainBlockContainer { padding-left: 1rem; padding-right: 1rem; }
  .stMainBlockContainer h1 { font-size: 1.5rem; }
}
</style>"""


def begin_page(title: str) -> None:
    """Must come first on every page."""
    st.set_page_config(page_title=f"{title} · Digit reader", page_icon="✍️", layout="wide")
    st.html(STYLE)
    with st.container(horizontal=True, key="navigation"):
        for page, label, icon in PAGES:
            st.page_link(page, label=label, icon=icon)


@contextmanager
def errors_in_words() -> Iterator[None]:
    """What the core finds wrong becomes a sentence on the page, never a traceback.

    A fragment needs its own, as Streamlit catches what leaves one.
    """
    try:
        yield
    except MnistCoreError as error:
        st.error(str(error))
