"""Look closely at one image: large, with its probabilities, the reasons and the training digits most like it."""

import streamlit as st

from mnist_core.evaluation.answers import Answers
from mnist_core.explanation.pictures import to_png
from mnist_core.images.framing import Drawing
from mnist_core.network.calibration import ACCEPTED
from pages.ui.layout import errors_in_words
from pages.ui.loaders import Reader
from pages.ui.widgets.answer import STRICTNESS, answer_card, data_uri
from pages.ui.widgets.board import board
from pages.ui.widgets.why import show_nearest, show_why


@st.dialog("A closer look", width="medium")
@errors_in_words()
def look_closer(reader: Reader, found: Answers, place: int) -> None:
    """Show, over the page, all about the image at `place` among those that were classified."""
    frame, label, name = found.images.images[place], found.images.labels[place], found.images.name
    prediction = reader.classifier.predict_frame(frame, accept=st.session_state.get(STRICTNESS, ACCEPTED))
    drawing = Drawing.of_frame(frame)
    outcome = "correctly classified" if prediction.digit == label else f"classified as {prediction.digit}"
    title = f"{name}, image {place + 1:,}, a {label}"
    st.html(
        f"""<div class="closer"><figure><img src="{data_uri(frame)}" alt="{title}">
<figcaption><b>A {label}, {outcome}</b></figcaption></figure><div>{answer_card(prediction, drawing)}</div></div>"""
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{title}. 28 × 28 pixels, as the network gets them.", width="stretch")
        if st.button("Open in the canvas", icon=":material/draw:", type="primary"):
            origin = f"{title}. It is framed again here, so the answer may differ. Draw on it, or clear."
            board().put(frame, origin[0].upper() + origin[1:])
            st.switch_page("app.py")
    show_why(reader, prediction, drawing, to_png(255 - frame), truth=int(label))
    st.markdown("**The training digits most like this one**")
    show_nearest(reader, frame)
