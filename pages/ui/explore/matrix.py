"""The confusion matrix, as a table that can be read out, and clicked."""

import math
from collections.abc import Sequence

import streamlit as st

from mnist_core.evaluation.answers import confused_pairs
from mnist_core.evaluation.evaluation import Evaluation
from pages.ui.widgets.clickable import clickable

ALL_MISTAKES = "mistakes"
WHITE_TEXT = 0.8
"""From this shade on, 0 to 1, a cell is too dark for black."""


def confusion_matrix(confusion: Sequence[Sequence[int]], *, shares: bool = False) -> None:
    """A table: rows are true digits, columns answers; counts, or per cent of each row."""
    st.html(_table(confusion, shares=shares, picked=None, buttons=False))


def clickable_matrix(evaluation: Evaluation, *, shares: bool, key: str) -> str:
    """The same with a button in each cell, and below it one for each pair of digits that is often confused.

    Gives what was pressed last: `ALL_MISTAKES`, or a cell's label and answer, such as "4-9".
    """
    place = f"picked-{key}"
    picked: str = st.session_state.setdefault(place, ALL_MISTAKES)
    pairs = "".join(
        _button(
            f"{label}-{answer}",
            picked,
            f"{label} read as {answer} <b>{count}</b>",
            f"{label} read as {answer}: {count}",
        )
        for label, answer, count in confused_pairs(evaluation)
    )
    mistakes = evaluation.images - evaluation.correct
    everything = _button(ALL_MISTAKES, picked, f"All mistakes <b>{mistakes:,}</b>", f"All mistakes: {mistakes}")
    table = _table(evaluation.confusion, shares=shares, picked=picked, buttons=True)
    clickable(
        f'{table}<p class="pairs-title">Confused most often</p><div class="pairs">{pairs}{everything}</div>',
        key=key,
        on_pick=lambda value: st.session_state.update({place: value}),
    )
    return picked


def _table(confusion: Sequence[Sequence[int]], *, shares: bool, picked: str | None, buttons: bool) -> str:
    digits = "".join(f'<th scope="col">{digit}</th>' for digit in range(len(confusion)))
    rows = []
    for label, counts in enumerate(confusion):
        cells = []
        for answer, count in enumerate(counts):
            share = count / max(1, sum(counts))
            shade = math.sqrt(share)  # lets mistakes of a few images be seen beside a diagonal of a thousand
            text = (f"{share:.1%}" if shares else f"{count}") if count else ""
            inside = text
            if buttons and count:
                name = f"{label} read as {answer}: {count} image{'s' if count > 1 else ''}"
                inside = _button(f"{label}-{answer}", picked, text, name)
            dark = ' class="dark"' if shade > WHITE_TEXT else ""
            cells.append(f'<td{dark} style="--shade: {shade:.0%}">{inside}</td>')
        rows.append(f'<tr><th scope="row">{label}</th>{"".join(cells)}</tr>')
    images = sum(map(sum, confusion))
    return f"""<table class="matrix" aria-label="Confusion matrix of {images:,} images">
<caption>Down: the true digit. Across: the answer.</caption>
<thead><tr><td></td>{digits}</tr></thead><tbody>{"".join(rows)}</tbody></table>"""


def _button(value: str, picked: str | None, text: str, name: str) -> str:
    pressed = "true" if value == picked else "false"
    return f'<button type="button" data-pick="{value}" aria-pressed="{pressed}" aria-label="{name}">{text}</button>'
