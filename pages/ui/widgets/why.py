"""Show why the network answers as it does: which ink speaks for each answer, and the training digits most like it."""

from html import escape

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from mnist_core import Prediction
from mnist_core.explanation.contributions import explain, strongest_region
from mnist_core.explanation.pictures import CONTRIBUTIONS_SIDE, contributions_png
from mnist_core.images.framing import Drawing, Window
from pages.ui import loaders
from pages.ui.loaders import Reader
from pages.ui.widgets.answer import png_uri
from pages.ui.widgets.gallery import digit_gallery

NEAREST = 5
MARGIN = 0.08
"""White paper around the ink in a picture, as a share of the ink's longer side."""
METHOD = """For one drawing the network is a plain sum: each pixel's ink times its weight through the units that are
active. These are its terms, exactly, for one digit compared with the average of all ten, or for one digit minus another
(gradient × input, Shrikumar et al. 2016; in such networks the same as layer-wise relevance propagation, Bach et al.
2015). Only ink that is there is coloured; a gap can decide as well."""


def show_why(reader: Reader, prediction: Prediction, drawing: Drawing, png: bytes, truth: int | None = None) -> None:
    """Show three pictures of the drawing: what speaks for the answer, for its rival, and for one over the other.

    The rival is the true digit, where that is known and not the answer; else the runner-up. `png` is the picture that
    `drawing` was made from, dark ink on white; the browser colours its ink by what lies beneath.
    """
    digit, rival, called = prediction.digit, prediction.runner_up, "the runner-up"
    if truth is not None and truth != digit:
        rival, called = truth, "the true digit"
    explanation = explain(reader.classifier.model, drawing.frame)
    preferred = explanation.prefers(digit, rival)
    where, against = strongest_region(preferred), strongest_region(-preferred)
    more = f"More {digit} than {rival} because of the blue ink{_mostly(where)}."
    less = f"The orange ink speaks for {rival}{_mostly(against)}." if against else ""
    captions = (
        (f"For {digit}", explanation.speaks_for(digit), f"What speaks for the answer, {digit}, and what against it."),
        (f"For {rival}", explanation.speaks_for(rival), f"The same for {called}, {rival}."),
        (f"{digit} rather than {rival}", preferred, f"{more} {less}"),
    )
    view, place = _close_up(drawing)
    figures = "".join(
        f'<figure><div class="spoken-ink"><img src="{png_uri(contributions_png(contributions, view))}" '
        f'alt="{escape(f"{title}: {line}")}"><span></span></div>'
        f"<figcaption><b>{title}</b><br>{line}</figcaption></figure>"
        for title, contributions, line in captions
    )
    st.html(
        f"""<h2 class="why">Why {digit}{"?" if prediction.sure else f", or {rival}?"}</h2>
<p class="key"><span class="for"></span> speaks for it <span class="against"></span> speaks against it
<span class="nothing"></span> says little</p>
<div class="reasons" style="{place}; --drawing: url({png_uri(png)})">{figures}</div>
<details class="method"><summary>How this is worked out</summary>{METHOD}</details>"""
    )


def show_nearest(reader: Reader, frame: NDArray[np.uint8]) -> None:
    """Show the training digits that the network finds most like a frame."""
    exemplars = loaders.exemplars(reader)
    nearest = exemplars.nearest(reader.classifier.model, frame, NEAREST)
    images = exemplars.images
    digit_gallery(
        images.images[[neighbour.place for neighbour in nearest]],
        [f"{images.labels[neighbour.place]}, {neighbour.similarity:.0%} alike" for neighbour in nearest],
    )
    st.caption(
        f"Of {len(images):,} training digits ({images.name}), those that excite the last hidden layer most alike "
        "(cosine similarity of its activations). Below each, its label."
    )


def _close_up(drawing: Drawing) -> tuple[Window, str]:
    """Choose the square of a drawing that holds all its ink, however small it was drawn.

    Returns:
        The grid of pixels that fills this square, laid over the frame; and where the whole drawing lies relative to the
        square, as style for `style.css`.
    """
    box, window = drawing.box, drawing.window
    side = max(box.bottom - box.top, box.right - box.left) * (1 + 2 * MARGIN) + 2
    top, left = (box.top + box.bottom - side) / 2, (box.left + box.right - side) / 2
    view = Window(
        (top - window.top) * window.scale, (left - window.left) * window.scale, CONTRIBUTIONS_SIDE / side / window.scale
    )
    height, width = drawing.size
    lengths = {"left": -left, "top": -top, "width": width, "height": height}  # in shares of the square's width
    return view, "; ".join(f"--{name}: {length / side * 100:.2f}cqw" for name, length in lengths.items())


def _mostly(where: str) -> str:
    return f", mostly {'in' if where == 'middle' else 'at'} the {where}" if where else ""
