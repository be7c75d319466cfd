"""The settings of a training as a link: read when a visit begins, then kept in the address bar."""

from collections.abc import Mapping
from urllib.parse import urlencode

import streamlit as st

from mnist_core import RECIPES, Recipe
from mnist_core.errors import RecipeError
from mnist_core.images.datasets import DATA_NAMES, DataName, mnist_is_here
from mnist_core.recipes import FIELDS, named_recipe, refusal
from pages.ui import demo
from pages.ui.train.settings import MOST_LAYERS, RECIPE, choices_of, fill, most_of

DATA, PROBLEM = "data", "link-problem"
FIRST_RECIPE = "quick"
NOTHING = "none"
"""What a link says for an empty value."""


def read_link() -> None:
    """When a visit begins, set all widgets as the link says, or else as it suits this machine."""
    if RECIPE in st.session_state:
        return
    recipe, data, problem = RECIPES[FIRST_RECIPE], _first_data(), ""
    try:
        recipe, data = from_query({name: value for name, value in st.query_params.items() if name != demo.DEMO})
    except RecipeError as error:
        problem = f"The link's settings do not work, so these are the defaults. {error}"
    st.session_state[RECIPE], st.session_state[DATA] = recipe.named_after.name, data
    fill(recipe)
    st.session_state[PROBLEM] = (problem, recipe, data)


def keep_link(recipe: Recipe, data: DataName) -> None:
    """Show the settings in the address bar; warn of a link that did not work until a setting changes."""
    problem, *defaults = st.session_state[PROBLEM]
    if problem and defaults == [recipe, data]:
        st.warning(problem)
    query = to_query(recipe, data) | demo.address()
    if st.query_params.to_dict() != query:
        st.query_params.from_dict(query)


def link(recipe: Recipe, data: DataName) -> str:
    """Return an address that opens the page with these settings."""
    query = to_query(recipe, data) or {RECIPE: recipe.name, DATA: data}
    return f"{st.context.url or ''}?{urlencode(query, safe=',')}"


def to_query(recipe: Recipe, data: DataName) -> dict[str, str]:
    """Return the settings as a link says them: what was changed, or nothing if the page starts like that."""
    if recipe == RECIPES[FIRST_RECIPE] and data == _first_data():
        return {}
    changes = {
        field: ",".join(map(str, value)) if isinstance(value, list) else str(value) or NOTHING
        for field, value in recipe.changes.items()
    }
    return {RECIPE: recipe.named_after.name, DATA: data, **changes}


def from_query(query: Mapping[str, str]) -> tuple[Recipe, DataName]:
    """Return the settings that a link says.

    Raises:
        RecipeError: a setting is unknown, its value does not work, or it is more than a visitor may ask for.
    """
    values = dict(query)
    recipe, name = named_recipe(values.pop(RECIPE, FIRST_RECIPE)), values.pop(DATA, _first_data())
    data = next((known for known in DATA_NAMES if known == name), None)
    if data is None:
        raise RecipeError(f"data: there is no {name!r}. Choose one of: {', '.join(DATA_NAMES)}.")
    for field, text in values.items():
        if field not in FIELDS:
            raise RecipeError(refusal(field, text))
    changed = recipe.override(
        **{field: "" if text == NOTHING else FIELDS[field].parse(text) for field, text in values.items()}
    )
    _check_for_visitors(changed)
    return changed, data


def _check_for_visitors(recipe: Recipe) -> None:
    """Refuse what the form's widgets do not take."""
    if len(recipe.hidden) > MOST_LAYERS or max(recipe.hidden) > most_of("hidden"):
        units = most_of("hidden")
        raise RecipeError(f"hidden: on this page a network has at most {MOST_LAYERS} layers of {units} units.")
    for field, info in FIELDS.items():
        value, choices = getattr(recipe, field), choices_of(field)
        if choices and value not in choices:
            raise RecipeError(f"{field}: there is no {value!r}. Choose one of: {', '.join(choices)}.")
        if info.kind in (int, float) and value > most_of(field):
            raise RecipeError(f"{field}: on this page at most {most_of(field):g}.")


def _first_data() -> DataName:
    return "mnist" if mnist_is_here() else "sample"
