"""Show images of digits side by side, each with a line below; some galleries can be clicked."""

from collections.abc import Sequence
from html import escape

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pages.ui.widgets.answer import data_uri
from pages.ui.widgets.clickable import clickable


def digit_gallery(images: NDArray[np.uint8], lines: Sequence[str]) -> None:
    """Show images (n, 28, 28), light ink on black, enlarged, with a line each."""
    figures = "".join(
        f"<figure>{_picture(image, line)}<figcaption>{escape(line)}</figcaption></figure>"
        for image, line in zip(images, lines, strict=True)
    )
    st.html(f'<div class="gallery">{figures}</div>')


def clickable_gallery(
    images: NDArray[np.uint8], lines: Sequence[str], places: Sequence[int], *, key: str
) -> int | None:
    """Show images that can be clicked; return the one of `places` (n,) whose image was just clicked, or None."""
    picked = pick_picture(images, lines, [str(place) for place in places], [False] * len(places), key=key)
    return None if picked is None else int(picked)


def pick_picture(
    images: NDArray[np.uint8], lines: Sequence[str], ids: Sequence[str], misread: Sequence[bool], *, key: str
) -> str | None:
    """Show images known by ids, with misclassified ones framed; return the id of the one just clicked, or None."""
    buttons = "".join(
        f'<button type="button" data-pick="{escape(id)}"{" class=misread" if wrong else ""}>{_picture(image, "")}'
        f"<span>{escape(line)}</span></button>"
        for image, line, id, wrong in zip(images, lines, ids, misread, strict=True)
    )
    return clickable(f'<div class="gallery">{buttons}</div>', key=key)


def _picture(image: NDArray[np.uint8], description: str) -> str:
    return f'<img src="{data_uri(image)}" alt="{escape(description)}">'
