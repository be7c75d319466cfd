"""The frame around every page: title, width, links to the other pages."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

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

PAGE, COME = "page", "has_just_come"

STYLE = """<style>
.stMainBlockContainer { max-width: 58rem; padding-top: 3.25rem; padding-bottom: 3rem; }
.stMainBlockContainer h1 { font-size: 1.5rem; padding: 0.25rem 0; } /* leaves room for the canvas's own tools */
.stMainBlockContainer :is(h2, h3) { font-size: 1.2rem; }
[class*="st-key-hidden-"] { position: absolute; } /* takes no room, nor the gap around it */
.st-key-answer { min-width: min(22rem, 100%); flex: 1; } /* beside the board, or below it where that is too narrow */
@media (max-width: 640px) {
  .stMainBlockContainer { padding-left: 1rem; padding-right: 1rem; }
}
/* Streamlit's own captions, and white on a primary colour that is bright enough for text on black, are hard to read */
[data-testid="stCaptionContainer"] { opacity: .8; }
.stApp [data-testid="stBaseButton-primary"] { background: light-dark(#1d4ed8, #2563eb); border-color: transparent; }
.stApp [data-testid="stBaseButton-primary"]:disabled { background: light-dark(#e5e7eb, #374151);
  color: light-dark(#4b5563, #d1d5db); }
.stApp [data-testid="stBaseButton-primary"]:hover { filter: brightness(.9); }
.st-key-demo { background: color-mix(in srgb, #3b82f6 10%, transparent); border-color: #3b82f6; padding: .5rem 1rem; }
.st-key-navigation button { min-height: 0; padding: .25rem .5rem; }
@media (min-width: 641px) { .st-key-demo { flex-wrap: nowrap; } }
@media (max-width: 640px) { /* one row of navigation, and the answer seen without scrolling */
  .st-key-navigation { gap: .25rem; }
  .st-key-navigation span:has(> [data-testid="stIconMaterial"]) { display: none; }
  .st-key-navigation :is(a, button) { padding-left: .35rem; padding-right: .35rem; }
  .st-key-demo { gap: .5rem; padding: .5rem .75rem; }
  .stMainBlockContainer:has(.st-key-demo):has(.st-key-draw-and-answer) h1 { font-size: 1rem; padding: 0; }
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
.rivals h2 { margin: 0; padding: 0; font-size: .95rem; }
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
.clickable .gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(6.8rem, 1fr)); }
.gallery button img { margin: 0 auto; }
.gallery button { all: unset; cursor: pointer; text-align: center; font-size: .8rem; border-radius: .25rem; }
.gallery button span { display: block; }
.gallery .misread img { outline: 3px solid light-dark(#c2410c, #fb923c); outline-offset: 1px; }
.gallery .misread span { font-weight: 700; margin-top: .25rem; }
.matrix { border-collapse: separate; border-spacing: 1px; width: 100%; table-layout: fixed; font-size: .85rem;
  font-variant-numeric: tabular-nums; text-align: center; --few: light-dark(#eef3fd, #1e293b);
  --many: light-dark(#1d4ed8, #2563eb); }
.matrix caption { caption-side: top; text-align: left; font-size: .85rem; opacity: .85; padding-bottom: .25rem; }
.matrix :is(th, td) { padding: 0; height: 2rem; border: 0; text-align: center; font-weight: 400; }
.matrix th { font-weight: 700; }
.matrix tbody td { color: light-dark(#000, #fff);
  background: color-mix(in srgb, var(--many) var(--shade), var(--few)); }
.matrix tbody td.dark { color: #fff; }
.matrix button { all: unset; cursor: pointer; display: block; width: 100%; line-height: 2rem; }
.matrix button[aria-pressed="true"] { box-shadow: inset 0 0 0 3px #f97316; font-weight: 700; }
.pairs-title { font-size: .85rem; opacity: .85; margin: .5rem 0 .25rem; }
.pairs { display: flex; flex-wrap: wrap; gap: .35rem; }
.pairs button { all: unset; cursor: pointer; font-size: .85rem; padding: .2rem .6rem; border-radius: 1rem;
  border: 1px solid color-mix(in srgb, currentColor 30%, transparent); }
.pairs button[aria-pressed="true"] { border-color: #f97316; box-shadow: inset 0 0 0 1px #f97316; }
.clickable button:hover { box-shadow: inset 0 0 0 2px #f97316; }
.clickable button:focus-visible { outline: 3px solid #3b82f6; outline-offset: 1px; }
.closer { display: flex; flex-wrap: wrap; gap: 1rem 1.5rem; align-items: center; }
.closer figure { margin: 0; text-align: center; }
.closer img { width: 240px; image-rendering: pixelated; border-radius: .5rem; }
.closer > div { flex: 1; min-width: 15rem; }
.asked-for { display: flex; align-items: baseline; gap: 1rem; }
.asked-for p { font-size: 1.5rem; margin: 0; white-space: nowrap; }
@media (min-width: 641px) { .asked-for p:first-child { min-width: 280px; } } /* clear of the canvas's own tools */
@media (max-width: 640px) { .asked-for .read { align-self: flex-start; } }
.asked-for .read { font-size: 1rem; white-space: normal; }
.asked-for .read b { font-size: 1.1rem; margin: 0; vertical-align: 0; }
.asked-for .read.right b { color: light-dark(#15803d, #4ade80); }
.asked-for .read.wrong b { color: light-dark(#c2410c, #fb923c); }
.asked-for b { font-size: 3.5rem; line-height: 1; vertical-align: -.1em; margin-left: .25rem; }
.st-key-labels button { min-width: 2.25rem; padding: .25rem .5rem; min-height: 2.25rem; }
.why { font-size: 1.2rem; margin: .5rem 0 0; padding: 0; }
.key { margin: .25rem 0 .5rem; font-size: .9rem; }
.key span { display: inline-block; width: 1.1rem; height: .8rem; border-radius: .2rem; margin: 0 .25rem 0 .9rem; }
.key span:first-child { margin-left: 0; }
.key .for { background: #1d4ed8; }
.key .against { background: repeating-linear-gradient(-45deg, #ea580c 0 4px, #cbced6 4px 6px); }
.key .nothing { background: #cbced6; }
.reasons { display: grid; grid-template-columns: repeat(3, 1fr); gap: 1rem; }
.reasons figure { margin: 0; }
.reasons img { width: 100%; max-width: 280px; border-radius: .5rem; display: block;
  border: 1px solid color-mix(in srgb, currentColor 15%, transparent); }
.reasons figcaption { font-size: .9rem; margin-top: .35rem; }
.method { font-size: .85rem; margin-top: .5rem; }
.seen { display: flex; gap: 1rem; align-items: center; margin-top: 1rem; }
.seen img { width: 112px; height: 112px; image-rendering: pixelated; border-radius: .25rem; flex: none; }
.seen p { margin: 0; opacity: .85; font-size: .9rem; }
@media (max-width: 640px) {
  .answer .digit { font-size: 6.5rem; }
  .reasons { grid-template-columns: 1fr; gap: .75rem; }
  .reasons figure { display: flex; gap: .75rem; align-items: center; }
  .reasons img { width: 45%; }
  .answer.unsure .digit { font-size: 4.5rem; }
  .answer { min-height: 6.5rem; }
}
</style>"""


def plain(text: str) -> str:
    """What a visitor wrote, such as a name, for a label or Markdown, where it is to be read as it was written."""
    escaped = re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", text)
    # addresses become links all the same, unless something that cannot be seen stands in their midst
    return re.sub(r"(?<=\\:)(?=\\/\\/)|(?<=www)(?=\\\.)|(?<=@)", "\u2060", escaped, flags=re.IGNORECASE)


def begin_page(title: str) -> None:
    """Must come first on every page."""
    st.set_page_config(page_title=f"{title} · Digit reader", page_icon="✍️", layout="wide")
    st.html(STYLE)
    st.session_state[COME] = st.session_state.get(PAGE) != title
    st.session_state[PAGE] = title
    with st.container(horizontal=True, vertical_alignment="center", key="navigation"):
        for page, label, icon in PAGES:
            st.page_link(page, label=label, icon=icon)
        offer_demo()
    take_up_visit()
    with st.container(), errors_in_words():  # always there: were what follows moved, the canvas would begin anew, empty
        take_part(next(page for page, label, _ in PAGES if label == title))


def has_just_come() -> bool:
    """Whether this is the first run of the page since the visitor came to it."""
    return bool(st.session_state[COME])


@contextmanager
def errors_in_words() -> Iterator[None]:
    """What the core finds wrong becomes a sentence on the page, never a traceback.

    A fragment needs its own, as Streamlit catches what leaves one.
    """
    try:
        yield
    except MnistCoreError as error:
        st.error(str(error))
