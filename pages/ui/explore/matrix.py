"""The confusion matrix as a table, which screen readers can read and visitors can click."""

import math
from collections.abc import Sequence

import streamlit as st

from mnist_core.evaluation.answers import confused_pairs
from mnist_core.evaluation.evaluation import Evaluation
from pages.ui.widgets.clickable import clickable
from pages.ui.wording import counted

ALL_MISTAKES = "mistakes"
WHITE_TEXT_SHADE = 0.8  # from 0 to 1; darker cells need white text


def confusion_matrix(confusion: Sequence[Sequence[int]], *, shares: bool = False) -> None:
    """Show the matrix with true digits as rows and answers as columns: counts, or percentages of each row."""
    st.html(_table(confusion, shares=shares, picked=None, buttons=False))


def clickable_matrix(evaluation: Evaluation, *, shares: bool, key: str) -> str:
    """Show the matrix with a button in each cell, and below it one for each of the most confused pairs of digits.

    Returns what was pressed last: `ALL_MISTAKES`, or a cell's label and answer, such as "4-9".
    """
    state = f"picked-{key}"
    picked: str = st.session_state.setdefault(state, ALL_MISTAKES)
    pairs = "".join(
        _button(
            f"{label}-{answer}",
            picked,
            f"{label} classified as {answer} <b>{count}</b>",
            f"{label} classified as {answer}: {count}",
        )
        for label, answer, count in confused_pairs(evaluation)
    )
    mistakes = evaluation.images - evaluation.correct
    everything = _button(ALL_MISTAKES, picked, f"All mistakes <b>{mistakes:,}</b>", f"All mistakes: {mistakes}")
    table = _table(evaluation.confusion, shares=shares, picked=picked, buttons=True)
    clickable(
        f'{table}<p class="pairs-title">Most frequent mistakes</p><div class="pairs">{pairs}{everything}</div>',
        key=key,
        on_pick=lambda value: st.session_state.update({state: value}),
    )
    return picked


def _table(confusion: Sequence[Sequence[int]], *, shares: bool, picked: str | None, buttons: bool) -> str:
    digits = "".join(f'<th scope="col">{digit}</th>' for digit in range(len(confusion)))
    rows = []
    for label, counts in enumerate(confusion):
        cells = []
        for answer, count in enumerate(counts):
            share = count / max(1, sum(counts))
            shade = math.sqrt(share)  # makes a few mistakes visible beside a diagonal of a thousand images
            text = (f"{share:.1%}" if shares else f"{count}") if count else ""
            inside = text
            if buttons and count:
                name = f"{label} classified as {answer}: {counted(count, 'image')}"
                inside = _button(f"{label}-{answer}", picked, text, name)
            dark = ' class="dark"' if shade > WHITE_TEXT_SHADE else ""
            cells.append(f'<td{dark} style="--shade: {shade:.0%}">{inside}</td>')
        rows.append(f'<tr><th scope="row">{label}</th>{"".join(cells)}</tr>')
    images = sum(map(sum, confusion))
    return f"""<table class="matrix" aria-label="Confusion matrix of {images:,} images">
<caption>Down: the true digit. Across: the answer.</caption>
<thead><tr><td></td>{digits}</tr></thead><tbody>{"".join(rows)}</tbody></table>"""


def _button(value: str, picked: str | None, text: str, name: str) -> str:
    pressed = "true" if value == picked else "false"
    return f'<button type="button" data-pick="{value}" aria-pressed="{pressed}" aria-label="{name}">{text}</button>'
