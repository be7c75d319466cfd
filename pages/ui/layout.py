"""The frame around every page: title, width, links to the other pages."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from mnist_core import MnistCoreError

PAGES = (
    ("app.py", "Draw", ":material/draw:"),
    ("pages/1_Train.py", "Train", ":material/model_training:"),
    ("pages/2_Models.py", "Models", ":material/inventory_2:"),
)

STYLE = """<style>
.stMainBlockContainer { max-width: 58rem; padding-top: 3.25rem; padding-bottom: 3rem; }
.stMainBlockContainer h1 { font-size: 1.5rem; padding: 0.25rem 0; } /* leaves room for the canvas's own tools */
.stMainBlockContainer h3 { font-size: 1.2rem; }
.st-key-answer { min-width: min(22rem, 100%); flex: 1; } /* beside the board, or below it where that is too narrow */
@media (max-width: 640px) {
  .stMainBlockContainer { padding-left: 1rem; padding-right: 1rem; }
}
.answer { display: flex; gap: 1.25rem; align-items: center; min-height: 8.5rem; }
.answer .digit { font-size: 8.5rem; line-height: 1; font-weight: 700; min-width: 5.5rem; text-align: center; }
.answer.unsure .digit { font-size: 6rem; white-space: nowrap; }
.answer.unsure .digit span { font-size: 1.25rem; font-weight: 400; margin: 0 .5rem; vertical-align: middle; }
.answer.refused .digit { opacity: .55; }
.problems { margin: .25rem 0 0; padding: .5rem .75rem .5rem 2rem; border-left: .3rem solid #f97316;
  border-radius: .25rem; background: color-mix(in srgb, #f97316 12%, transparent); }
.answer .sure { font-size: 1.6rem; font-weight: 600; line-height: 1.25; }
.answer .next { opacity: .75; }
.answer.waiting { border: 2px dashed color-mix(in srgb, currentColor 30%, transparent);
  border-radius: .5rem; padding: 0 1.25rem; font-size: 1.1rem; }
.rivals { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; }
.rivals h4 { margin: 0; padding: 0; font-size: .95rem; }
.rivals .answer { flex-direction: column; align-items: flex-start; gap: .25rem; }
.rivals .answer .digit { font-size: 5rem; text-align: left; }
.rivals .answer.unsure .digit { font-size: 3.5rem; }
.rivals .sure { font-size: 1.2rem; }
.rivals .bars { grid-template-columns: 1rem 1fr 3.6rem; }
.bars { display: grid; grid-template-columns: 1rem 1fr 4.5rem; gap: .1rem .6rem; align-items: center;
  font-variant-numeric: tabular-nums; margin: .75rem 0 0; }
.bars .track { background: color-mix(in srgb, currentColor 9%, transparent); border-radius: .25rem; height: .85rem; }
.bars .bar { background: color-mix(in srgb, currentColor 45%, transparent); border-radius: .25rem; height: 100%; }
.bars .bar.best { background: #3b82f6; }
.bars .share { text-align: right; }
.bars b { font-weight: 700; }
.gallery { display: flex; flex-wrap: wrap; gap: .75rem; margin: .25rem 0 1rem; }
.gallery figure { margin: 0; text-align: center; font-size: .8rem; }
.gallery img { width: 72px; height: 72px; image-rendering: pixelated; border-radius: .25rem; display: block; }
.seen { display: flex; gap: 1rem; align-items: center; margin-top: 1rem; }
.seen img { width: 112px; height: 112px; image-rendering: pixelated; border-radius: .25rem; flex: none; }
.seen p { margin: 0; opacity: .85; font-size: .9rem; }
@media (max-width: 640px) {
  .answer .digit { font-size: 6.5rem; }
  .answer.unsure .digit { font-size: 4.5rem; }
  .answer { min-height: 6.5rem; }
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
