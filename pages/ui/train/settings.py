"""A form with every field of a recipe, made from the fields' own declarations."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from mnist_core import RECIPES, Recipe
from mnist_core.files import SHIPPED
from mnist_core.recipes import FIELDS

RECIPE, LAYERS = "recipe", "setting-layers"
MOST_LAYERS = 5  # of a network that a visitor may train
UNITS_OF_NEW_LAYER = 100
WIDGET_WIDTH = 152  # two fit side by side on a phone, four on a large screen

CHOICE_LABELS: Mapping[str, str] = {
    "": "none",
    "bce": "binary cross-entropy",
    "ce": "cross-entropy",
    "adam": "Adam",
    "adamw": "AdamW",
    "sgd": "SGD with momentum",
    "muon": "Muon",
    "best": "best epoch",
    "last": "last epoch",
}


def reset_settings() -> None:
    """Set all widgets to the chosen recipe."""
    fill(RECIPES[st.session_state[RECIPE]])


def fill(recipe: Recipe) -> None:
    """Set all widgets to a recipe."""
    for field, info in FIELDS.items():
        if info.kind is not tuple:
            st.session_state[key_of(field)] = info.kind(getattr(recipe, field))
    st.session_state[LAYERS] = len(recipe.hidden)
    for layer in range(MOST_LAYERS):
        units = recipe.hidden[layer] if layer < len(recipe.hidden) else UNITS_OF_NEW_LAYER
        st.session_state[f"{LAYERS}-{layer}"] = units


def all_settings() -> Recipe:
    """Draw a widget for every field, by groups, and return the recipe that they make.

    Raises:
        RecipeError: the fields do not go together.
    """
    values: dict[str, Any] = {}
    for group in dict.fromkeys(info.group for info in FIELDS.values()):
        st.markdown(f"**{group}**")
        with st.container(horizontal=True):
            for field, info in FIELDS.items():
                if info.group == group:
                    values[field] = _layers() if info.kind is tuple else _widget(field)
    recipe = RECIPES[st.session_state[RECIPE]]
    return recipe.override(**{field: value for field, value in values.items() if value != getattr(recipe, field)})


def key_of(field: str) -> str:
    """Return the key of a field's widget."""
    return f"setting-{field}"


def choices_of(field: str) -> tuple[str, ...]:
    """Return what visitors choose from; empty for a number."""
    return ("", *_shipped_versions()) if field == "teacher" else FIELDS[field].choices


def most_of(field: str) -> float:
    """Return the largest number that visitors may ask for."""
    info = FIELDS[field]
    return info.most if info.form_most is None else info.form_most


def _layers() -> tuple[int, ...]:
    common: dict[str, Any] = {"persist_state": "session", "width": WIDGET_WIDTH}
    info, most_units = FIELDS["hidden"], int(most_of("hidden"))
    help = "How many layers lie between the pixels and the answer."
    count = st.number_input(info.label, 1, MOST_LAYERS, key=LAYERS, help=help, **common)
    return tuple(
        st.number_input(f"Units in layer {layer + 1}", 1, most_units, key=f"{LAYERS}-{layer}", **common)
        for layer in range(count)
    )


def _widget(field: str) -> Any:
    """Draw the widget of a field and return its value."""
    info, key, applies = FIELDS[field], key_of(field), _applies(field)
    if not applies:  # a value without effect must neither be refused nor make the recipe look changed
        st.session_state[key] = getattr(Recipe(), field)
    common: dict[str, Any] = {"key": key, "help": info.help, "width": WIDGET_WIDTH, "persist_state": "session"}
    common["disabled"] = not applies
    if choices := choices_of(field):
        return st.selectbox(info.label, choices, format_func=lambda choice: CHOICE_LABELS.get(choice, choice), **common)
    kind = info.kind  # Streamlit wants all numbers of a widget to be of one type
    numbers = (info.least, most_of(field), info.step or (1 if kind is int else 0.05))
    least, most, step = map(kind, numbers)
    if kind is int:
        return st.number_input(info.label, least, most, step=step, **common)
    value = st.number_input(info.label, least, most, step=step, format="%g", **common)
    return float(f"{value:.6g}")  # the buttons add up to 0.30000000000000004


def _applies(field: str) -> bool:
    """Return whether a field has an effect, with the other widgets as they are."""
    if not FIELDS[field].needs:
        return True
    other, *values = FIELDS[field].needs
    chosen = st.session_state[key_of(other)]
    return chosen in values if values else chosen > 0


def _shipped_versions() -> list[str]:
    return sorted(path.parent.name for path in SHIPPED.glob("*/model.json"))
