"""The table of all versions on the Models page."""

from datetime import datetime

import pandas as pd
import streamlit as st

from mnist_core import Evaluation
from mnist_core.versions.catalogue import Entry, recipe_in_words
from pages.ui import loaders

MOST_EVALUATED = 20  # of one's own versions, on corrected drawings: each new drawing evaluates all of these again
SCROLLS_PAST_ROWS, SCROLLING_HEIGHT = 10, 390

MEASURED = (
    ("test", "Test images", "Share of the test images classified correctly"),
    ("drawings", "Drawings", "Share of people's drawings classified correctly, where measured"),
    (
        "kept",
        "Corrected drawings",
        "Share classified correctly of the drawings that people confirmed or corrected",
    ),
)
"""The shares that the table shows: name of the column, its title, and its explanation."""


def show_table(listed: list[Entry]) -> None:
    """Show one row per version; a click on a heading sorts."""
    on_corrected = _on_corrected_drawings(listed)
    st.dataframe(
        pd.DataFrame([_row(entry, on_corrected) for entry in listed]),
        hide_index=True,
        placeholder="–",
        height="content" if len(listed) <= SCROLLS_PAST_ROWS else SCROLLING_HEIGHT,
        column_config={
            "active": st.column_config.TextColumn("Active", help="This version answers on the Draw page"),
            "version": "Version",
            **{key: column for place in range(len(MEASURED)) for key, column in _measured_columns(place).items()},
            "recipe": st.column_config.TextColumn("Recipe", help="The named recipe, and what differs from it"),
            "created": st.column_config.DatetimeColumn("Trained", format="D MMM YYYY, HH:mm"),
            "parameters": st.column_config.NumberColumn("Parameters", format="localized"),
            "kilobytes": st.column_config.NumberColumn("Size", format="%d kB", help="Size of the weights on disk"),
            "seconds": st.column_config.NumberColumn("Training", format="%d s", help="How long training took"),
            "epoch": st.column_config.TextColumn("Epoch", help="The epoch that these weights are from"),
            "note": "Note",
        },
    )


def _measured_columns(place: int) -> dict[str, object]:
    """Return the three columns of a measured share: the share, its interval, and what it was measured on."""
    name, title, explanation = MEASURED[place]
    apart = " " * place  # two columns must not have the same title
    return {
        name: st.column_config.NumberColumn(title, format="%.2f%%", help=explanation),
        f"{name} interval": st.column_config.TextColumn(f"95% interval{apart}", help="Of that share"),
        f"{name} on": st.column_config.TextColumn(f"of{apart}", help="How many images, and which"),
    }


def _on_corrected_drawings(listed: list[Entry]) -> dict[str, Evaluation] | None:
    """Return evaluations on corrected drawings by version name; None where there are no such drawings."""
    drawings = loaders.kept_drawings()
    if drawings is None:
        return None
    chosen = [entry for entry in listed if entry.active or entry.version.shipped or entry in listed[:MOST_EVALUATED]]
    evaluations = {
        entry.name: loaders.on_kept_drawings(entry.record.weights_sha256, entry.version.folder, drawings)
        for entry in chosen
    }
    return {name: evaluation for name, evaluation in evaluations.items() if evaluation is not None}


def _row(entry: Entry, on_corrected: dict[str, Evaluation] | None) -> dict[str, object]:
    record = entry.record
    corrected = {} if on_corrected is None else _figures("kept", on_corrected.get(entry.name))
    if corrected.get("kept on") and record.learned_from_drawings:
        corrected["kept on"] = f"{corrected['kept on']}; trained on some"
    return {
        "active": "● active" if entry.active else "",
        "version": entry.title,
        **_figures("test", record.evaluation),
        **_figures("drawings", entry.drawings.digits if entry.drawings else None),
        **corrected,
        "recipe": recipe_in_words(record.recipe),
        "parameters": record.recipe.parameter_count,
        "kilobytes": round(entry.version.bytes / 1000),
        "seconds": round(record.duration_seconds),
        "epoch": None if record.teaching else f"{record.epoch} of {record.recipe.epochs}",
        "created": datetime.fromisoformat(record.created),
        "note": entry.note,
    }


def _figures(name: str, evaluation: Evaluation | None) -> dict[str, object]:
    if evaluation is None:
        return {name: None, f"{name} interval": "", f"{name} on": ""}
    return {
        name: 100 * evaluation.accuracy,
        f"{name} interval": evaluation.interval.percent(2),
        f"{name} on": f"{evaluation.images:,}, {evaluation.on}",
    }
