"""The answer beside the board, as one piece of HTML: it must be there the moment the pen lifts, and a chart library
would take longer to draw than the network takes to think."""

import base64
import io

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image

from mnist_core import Prediction
from mnist_core.registry import Record


def show_answer(prediction: Prediction, frame: NDArray[np.uint8]) -> None:
    """The digit, how sure, ten probability bars, and the frame the network saw."""
    ranked = np.argsort(prediction.probabilities)[::-1]
    second = int(ranked[1])
    st.html(
        f"""<div class="answer" role="status" aria-live="polite">
<div class="digit" aria-label="Answer: {prediction.digit}">{prediction.digit}</div>
<div><div class="sure">{percent(prediction.confidence)} sure</div>
<div class="next">next: {second}, {percent(prediction.probabilities[second])}</div></div></div>
<div class="bars" role="list" aria-label="Probability of each digit">{_bars(prediction)}</div>
<div class="seen"><img src="{_data_uri(frame)}" alt="The drawing as the network sees it, 28 by 28 pixels">
<p><b>What the model sees.</b> Your ink, cut out, scaled to fit 20 × 20 pixels and centred by its weight in
28 × 28, the way the digits it learned from were made.</p></div>"""
    )


def show_waiting() -> None:
    """What stands there before the first stroke."""
    st.html(
        """<div class="answer waiting" role="status"><div><b>Draw a digit, 0 to 9, on the white paper.</b><br>
The answer appears here each time you lift the pen.</div></div>"""
    )


def show_version(name: str, record: Record) -> None:
    """Which version answers, and what it is worth."""
    evaluation = record.evaluation
    low, high = evaluation.interval.low, evaluation.interval.high
    st.caption(
        f"Answered by **{name}**: right on {evaluation.accuracy:.2%} of {evaluation.images:,} images "
        f"({evaluation.on}; 95% interval {low:.2%} to {high:.2%}). Your drawings may be harder."
    )


def percent(share: float) -> str:
    """A probability for people: never rounded up to certainty or down to impossibility."""
    if share > 0.999:
        return "> 99.9%"
    if share < 0.001:
        return "< 0.1%"
    return f"{share:.1%}"


def _bars(prediction: Prediction) -> str:
    rows = []
    for digit, share in enumerate(prediction.probabilities):
        best = digit == prediction.digit
        label = f"<b>{digit}</b>" if best else f"{digit}"
        rows.append(
            f'<div role="listitem" style="display: contents"><span>{label}</span>'
            f'<div class="track"><div class="bar{" best" if best else ""}" style="width: {share:.1%}"></div></div>'
            f'<span class="share">{percent(share)}</span></div>'
        )
    return "".join(rows)


def _data_uri(frame: NDArray[np.uint8]) -> str:
    png = io.BytesIO()
    Image.fromarray(frame).save(png, "PNG")
    return "data:image/png;base64," + base64.b64encode(png.getvalue()).decode()
