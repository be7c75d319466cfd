"""The settings of a training as a link: read when a visit begins, kept in the address bar."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from mnist_core import RECIPES, Recipe
from mnist_core.errors import RecipeError
from mnist_core.fields import NUMBERS, WHOLE_NUMBERS
from mnist_core.images.datasets import DATA_NAMES, DataName, mnist_is_here
from mnist_core.recipes import named_recipe
from pages.ui import demo
from pages.ui.train.settings import GROUPS, MOST_LAYERS, MOST_UNITS, RECIPE, fill

DATA, PROBLEM = "data", "link-problem"
FIRST_RECIPE = "quick"
NOTHING = "none"
"""An empty value in a link."""


def read_link() -> None:
    """When a visit begins, set all widgets as the link says; without one, as it suits this machine."""
    if RECIPE in st.session_state:
        return
    recipe, data, problem = RECIPES[FIRST_RECIPE], _first_data(), ""
    try:
        recipe, data = from_query({name: value for name, value in st.query_params.items() if name != demo.DEMO})
    except RecipeError as error:
        problem = f"The link's settings do not work, so these are the usual ones. {error}"
    st.session_state[RECIPE], st.session_state[DATA] = recipe.named_after.name, data
    fill(recipe)
    st.session_state[PROBLEM] = (problem, recipe, data)


def keep_link(recipe: Recipe, data: DataName) -> None:
    """Let the address bar say what is set; and tell, until something is changed, if the link did not work."""
    problem, *usual = st.session_state[PROBLEM]
    if problem and usual == [recipe, data]:
        st.warning(problem)
    query = to_query(recipe, data) | demo.address()
    if st.query_params.to_dict() != query:
        st.query_params.from_dict(query)


def link(recipe: Recipe, data: DataName) -> str:
    """An address that opens the page with these settings."""
    query = to_query(recipe, data) or {RECIPE: recipe.name, DATA: data}
    return f"{st.context.url or ''}?{urlencode(query, safe=',')}"


def to_query(recipe: Recipe, data: DataName) -> dict[str, str]:
    """The settings as a link has them: what differs; nothing at all where the page begins like that."""
    if recipe == RECIPES[FIRST_RECIPE] and data == _first_data():
        return {}
    changes = {
        field: ",".join(map(str, value)) if isinstance(value, list) else str(value) or NOTHING
        for field, value in recipe.changes.items()
    }
    return {RECIPE: recipe.named_after.name, DATA: data, **changes}


def from_query(query: Mapping[str, str]) -> tuple[Recipe, DataName]:
    """The settings that a link has.

    Raises:
        RecipeError: it has unknown ones, or values that do not work, or more than a visitor may ask for.
    """
    values = dict(query)
    recipe, name = named_recipe(values.pop(RECIPE, FIRST_RECIPE)), values.pop(DATA, _first_data())
    data = next((known for known in DATA_NAMES if known == name), None)
    if data is None:
        raise RecipeError(f"data: there is no {name!r}. Choose one of: {', '.join(DATA_NAMES)}.")
    for field in values:
        if field not in Recipe.field_names():
            raise RecipeError(f"{field}: no recipe has such a field. Remove it.")
    changed = recipe.override(**{field: _read(field, text) for field, text in values.items()})
    _check_for_visitors(changed)
    return changed, data


def _check_for_visitors(changed: Recipe) -> None:
    """Refuse what the widgets do not take."""
    if len(changed.hidden) > MOST_LAYERS or max(changed.hidden) > MOST_UNITS:
        raise RecipeError(f"hidden: on this page a network has at most {MOST_LAYERS} layers of {MOST_UNITS} units.")
    for setting in (setting for group in GROUPS.values() for setting in group):
        field, value = setting.field, getattr(changed, setting.field)
        if not setting.step and value not in setting.choices:
            raise RecipeError(f"{field}: there is no {value!r}. Choose one of: {', '.join(setting.choices)}.")
        if setting.step and value > setting.bounds[1]:
            raise RecipeError(f"{field}: on this page at most {setting.bounds[1]:g}.")


def _read(field: str, text: str) -> Any:
    """A value as a link has it."""
    try:
        if field == "hidden":
            return tuple(int(units) for units in text.split(","))
        if field in WHOLE_NUMBERS:
            return int(text)
        if field in NUMBERS:
            return float(text)
        return "" if text == NOTHING else text
    except ValueError:
        return text  # the recipe says what is wrong with it


def _first_data() -> DataName:
    return "mnist" if mnist_is_here() else "sample"
