"""The least a page with this canvas can do: say that something was drawn. The answering benchmark compares with it."""

import hashlib

import streamlit as st
from streamlit_drawable_canvas import st_canvas

drawn = st_canvas(
    stroke_width=20,
    stroke_color="#111111",
    background_color="#ffffff",
    width=280,
    height=280,
    return_image_data=True,
    key="canvas",
)
st.html(f'<p id="echo">{hashlib.sha256(drawn.image_bytes or b"").hexdigest()}</p>')
