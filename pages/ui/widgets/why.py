"""Why the network answers as it does: the ink that speaks for each answer, and the training digits most like it."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from mnist_core import Prediction
from mnist_core.explanation.contributions import explain, strongest_region
from mnist_core.explanation.pictures import spoken_ink
from mnist_core.images.framing import Window
from pages.ui import loaders
from pages.ui.loaders import Reader
from pages.ui.widgets.answer import data_uri
from pages.ui.widgets.gallery import digit_gallery

NEAREST = 5
MARGIN = 0.08
"""Of white paper around the ink, as a share of its longer side."""
METHOD = """For one drawing the network is a plain sum: each pixel's ink times its weight through the units that are
active. These are its terms, exactly, for one digit beside the average of all ten, or for one digit less another
(gradient × input, Shrikumar et al. 2016; in such networks the same as layer-wise relevance propagation, Bach et al.
2015). Only ink that is there is coloured; a gap can decide as well."""


def show_why(
    reader: Reader,
    prediction: Prediction,
    frame: NDArray[np.uint8],
    ink: NDArray[np.float32],
    window: Window,
    truth: int | None = None,
) -> None:
    """Three pictures of the drawing: what speaks for the answer, for its rival, and for the one over the other.

    The rival is the true digit, where that is known and not the answer; else the runner-up. `ink` (H, W), 0 to 1, is
    the drawing, and `window` says where in it the frame (28, 28) lies.
    """
    digit, rival, called = prediction.digit, prediction.runner_up, "the runner-up"
    if truth is not None and truth != digit:
        rival, called = truth, "the true digit"
    explanation = explain(reader.classifier.model, frame)
    ink, window = _close_up(ink, window)
    preferred = explanation.prefers(digit, rival)
    where, against = strongest_region(preferred), strongest_region(-preferred)
    more = f"More {digit} than {rival} because of the blue ink{_above_all(where)}."
    less = f"The orange ink{_above_all(against)}, would rather be a {rival}." if against else ""
    pictures = (
        (f"For {digit}", explanation.speaks_for(digit), f"What speaks for the answer, {digit}, and what against it."),
        (f"For {rival}", explanation.speaks_for(rival), f"The same for {called}, {rival}."),
        (f"{digit} rather than {rival}", preferred, f"{more} {less}"),
    )
    figures = "".join(
        f'<figure><img src="{data_uri(spoken_ink(ink, window, spoken))}" alt="{title}: {line}">'
        f"<figcaption><b>{title}</b><br>{line}</figcaption></figure>"
        for title, spoken, line in pictures
    )
    st.html(
        f"""<h2 class="why">Why {digit}{"?" if prediction.sure else f", or {rival}?"}</h2>
<p class="key"><span class="for"></span> speaks for it <span class="against"></span> speaks against it
<span class="nothing"></span> says little</p>
<div class="reasons">{figures}</div>
<details class="method"><summary>How this is worked out</summary>{METHOD}</details>"""
    )


def show_nearest(reader: Reader, frame: NDArray[np.uint8]) -> None:
    """The training digits that are most like a frame to the network."""
    exemplars = loaders.exemplars(reader)
    nearest = exemplars.nearest(reader.classifier.model, frame, NEAREST)
    images = exemplars.images
    digit_gallery(
        images.images[[neighbour.place for neighbour in nearest]],
        [f"{images.labels[neighbour.place]}, {neighbour.similarity:.0%} alike" for neighbour in nearest],
    )
    st.caption(
        f"Of {len(images):,} digits ({images.name}), those that the last hidden layer sees most alike: by the cosine "
        "between what its units make of both. Below each, the digit that it is."
    )


def _close_up(ink: NDArray[np.float32], window: Window) -> tuple[NDArray[np.float32], Window]:
    """The square part of a drawing that has all its ink, however small that was drawn."""
    (top, bottom), (left, right) = (np.flatnonzero(ink.any(axis=axis))[[0, -1]] for axis in (1, 0))
    reach = round(max(bottom - top, right - left) * (0.5 + MARGIN)) + 1
    top, left = (top + bottom) // 2, (left + right) // 2  # the middle, and with the margin around it the corner
    around = np.pad(ink, reach)[top : top + 2 * reach, left : left + 2 * reach]
    return around, Window(window.top - top + reach, window.left - left + reach, window.scale)


def _above_all(where: str) -> str:
    return f", above all {'in' if where == 'middle' else 'at'} the {where}" if where else ""
