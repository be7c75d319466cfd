"""Images of digits beside each other, each with a line below."""

import base64
from collections.abc import Sequence
from html import escape

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from mnist_core.pictures import to_png


def digit_gallery(images: NDArray[np.uint8], lines: Sequence[str]) -> None:
    """Images (n, 28, 28), light ink on black, enlarged, with a line each."""
    figures = "".join(
        f'<figure><img src="data:image/png;base64,{base64.b64encode(to_png(image)).decode()}" '
        f'alt="{escape(line)}"><figcaption>{escape(line)}</figcaption></figure>'
        for image, line in zip(images, lines, strict=True)
    )
    st.html(f'<div class="gallery">{figures}</div>')
