"""Show the answer beside the board, as one piece of HTML: a chart library would take longer than the network."""

import base64
from collections.abc import Mapping
from html import escape

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from mnist_core import Prediction
from mnist_core.evaluation.evaluation import Evaluation
from mnist_core.evaluation.pen_strokes import NonDigitsEvaluation
from mnist_core.evaluation.statistics import wilson_interval, with_interval
from mnist_core.explanation.pictures import to_png
from mnist_core.images.framing import Drawing
from mnist_core.images.structure import declined
from mnist_core.network.calibration import ACCEPTED, SHARES, SURE_CONFIDENCE
from mnist_core.network.classifier import percent
from mnist_core.versions.records import Record
from pages.ui.layout import plain

STRICTNESS = "strictness"
RIVAL, NO_RIVAL = "rival", ""
WAITING = """<div class="answer waiting" role="status"><div><b>Draw a digit, 0 to 9, on the white paper.</b><br>
The answer appears here each time you lift the pen.</div></div>"""


def show_answer(
    prediction: Prediction,
    drawing: Drawing,
    versions: tuple[str, str] = ("", ""),
    rival: Prediction | None = None,
) -> None:
    """Show the digit, how sure, what may be wrong, ten probability bars, and the frame the network saw.

    With the answer of a `rival`, both stand side by side under the names of their `versions`.
    """
    notes = "".join(f"<li>{problem}</li>" for problem in drawing.problems)
    noted = f'<ul class="problems" role="alert">{notes}</ul>' if notes else ""
    answers = f"{headline(prediction, drawing)}{noted}{_probabilities(prediction)}"
    if rival is not None:
        sides = zip(versions, (prediction, rival), strict=True)
        cards = "".join(
            f"<section><h2>{escape(name)}</h2>{answer_card(given, drawing)}</section>" for name, given in sides
        )
        answers = f'{noted}<div class="rivals">{cards}</div>'
    st.html(
        f"""{answers}
<div class="seen"><img src="{data_uri(drawing.frame)}" alt="The drawing as the network sees it, 28 by 28 pixels">
<p><b>What the network sees.</b> Your ink, redrawn with an even pen, scaled to fit 20 × 20 pixels and centred by its
weight in 28 × 28, as the digits it learned from were made.</p></div>"""
    )


def answer_card(prediction: Prediction, drawing: Drawing) -> str:
    """Return HTML: the answer, how sure, and ten probability bars."""
    return headline(prediction, drawing) + _probabilities(prediction)


def _probabilities(prediction: Prediction) -> str:
    return f'<div class="bars" role="list" aria-label="Probability of each digit">{_bars(prediction)}</div>'


def headline(prediction: Prediction, drawing: Drawing | None = None) -> str:
    """Return HTML that says one of three things: a digit, two possible digits, or that this looks like no digit.

    With the `drawing`, the last one comes with the reasons in it, if there are any.
    """
    digit, second = prediction.digit, prediction.runner_up
    likely, next_likely = percent(prediction.confidence), percent(prediction.probabilities[second])
    if not prediction.accepted:
        clause = declined(drawing.reasons if drawing else ())
        state, shown, spoken = "refused", "?", f"Answer: {clause}"
        title, detail = "Not a digit", f"{clause[0].upper()}{clause[1:]}. If it is one: {digit}, {likely}."
    elif not prediction.sure:
        state, spoken = "unsure", f"Answer: not sure, {digit} or {second}"
        shown = f"{digit}<span>or</span>{second}"
        title, detail = "Not sure", f"It may be {_article(digit)}, {likely}, or {_article(second)}, {next_likely}."
    else:
        state, shown, spoken = "certain", str(digit), f"Answer: {digit}"
        title, detail = f"It is {_article(digit)}. {likely}", f"Next: {second}, {next_likely}"
    return f"""<div class="answer {state}" role="status" aria-live="polite">
<div class="digit" aria-label="{spoken}">{shown}</div>
<div><div class="sure">{title}</div><div class="next">{detail}</div></div></div>"""


def _article(digit: int) -> str:
    return f"an {digit}" if digit == 8 else f"a {digit}"


def choose_strictness(record: Record) -> None:
    """Show a dial for how readily drawings are answered, and what its setting leads to."""
    with st.expander("When does it decline to answer?"):
        share = st.select_slider(
            "Share of MNIST's digits that it must accept",
            SHARES,
            ACCEPTED,
            format_func=lambda share: f"{share:.1%}".replace(".0%", "%"),
            key=STRICTNESS,
            persist_state="session",
            help="To the left it declines sooner, to the right it answers nearly everything. The threshold is set on "
            "the validation images.",
        )
        st.markdown(_consequences(record, SHARES.index(share)))


def _consequences(record: Record, place: int) -> str:
    """Say how much is answered, how much of that is correct, and what is declined, at one setting of the dial."""
    drawings = record.drawings[0] if record.drawings else None
    judged = drawings.digits if drawings else record.evaluation
    coverage = judged.coverage[place]
    what = f"{'digits drawn by other people' if drawings else 'images'} ({judged.on})"
    lines = [f"Of {judged.images:,} {what}, {with_interval(coverage.answered, judged.images)} would be answered"]
    if coverage.answered:
        lines.append(f"and {with_interval(coverage.correct, coverage.answered)} of these answers would be correct.")
    declined = [f"- {_declined(part, place)}" for part in drawings.non_digits] if drawings else []
    if declined:
        declined.insert(0, "\n\nWhat other people drew the same way that is no digit:\n")
    return " ".join(lines) + "\n".join(declined)


def _declined(part: NonDigitsEvaluation, place: int) -> str:
    """Say how many non-digits of one kind are declined, and how many called a digit, at one setting of the dial."""
    refused, sure = part.refused[place], part.sure[place]
    intervals = " and ".join(wilson_interval(count, part.images).percent() for count in (refused, sure))
    kind = plain(part.kind)
    return (
        f"{refused / part.images:.1%} of the {kind} would be declined, {sure / part.images:.1%} called a digit with a "
        f"confidence of {SURE_CONFIDENCE:.0%} or more ({part.images:,} {kind}; 95% intervals {intervals})."
    )


def show_waiting() -> None:
    """Show what to do before the first stroke."""
    st.html(WAITING)


def choose_rival(titles: Mapping[str, str]) -> None:
    """Let the visitor choose a version that answers beside the active one; `titles` by name."""
    if st.session_state.get(RIVAL, NO_RIVAL) not in (NO_RIVAL, *titles):  # it was deleted or made active
        st.session_state[RIVAL] = NO_RIVAL
        st.rerun()
    st.selectbox(
        "Compare with",
        [NO_RIVAL, *titles],
        format_func=lambda name: titles.get(name, "no other version"),
        key=RIVAL,
        persist_state="session",
        help="Another version classifies the same drawing, and its answer stands beside that of the active one",
    )


def show_version(name: str, record: Record) -> None:
    """Show which version answers, and how accurate it is."""
    figures = [_accuracy(record.evaluation, "images")]
    if record.drawings:
        figures.append(_accuracy(record.drawings[0].digits, "digits drawn by other people"))
    harder = "" if record.drawings else " Your drawings may be harder."
    st.caption(f"Answered by **{plain(name)}**, which is correct on {' and on '.join(figures)}.{harder}")


def _accuracy(evaluation: Evaluation, what: str) -> str:
    share = with_interval(evaluation.correct, evaluation.images, 2)
    return f"{share} of {evaluation.images:,} {what} ({evaluation.on})"


def _bars(prediction: Prediction) -> str:
    rows = []
    for digit, share in enumerate(prediction.probabilities):
        best = prediction.accepted and digit == prediction.digit
        label = f"<b>{digit}</b>" if best else f"{digit}"
        rows.append(
            f'<div role="listitem" style="display: contents"><span>{label}</span>'
            f'<div class="track"><div class="bar{" best" if best else ""}" style="width: {share:.1%}"></div></div>'
            f'<span class="share">{percent(share)}</span></div>'
        )
    return "".join(rows)


def data_uri(picture: NDArray[np.uint8]) -> str:
    """Return a picture (H, W) or (H, W, 3) for an image's `src`."""
    return png_uri(to_png(picture))


def png_uri(png: bytes) -> str:
    """Return a PNG file for an image's `src`."""
    return "data:image/png;base64," + base64.b64encode(png).decode()
