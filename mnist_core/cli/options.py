"""What several commands take, and how what was typed becomes what the core takes."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from mnist_core.errors import RecipeError
from mnist_core.images.datasets import DATA_NAMES, DataName
from mnist_core.recipes import Recipe

DataOption = Annotated[
    str,
    typer.Option("--data", help="'mnist' (downloaded on first use) or 'sample' (5,000 digits, no network)."),
]
WeightsOption = Annotated[
    Path | None,
    typer.Option("--weights", help="Folder of a version; without it the active one.", show_default=False),
]


def layers(hidden: str | None) -> tuple[int, ...] | None:
    """Units with commas between, such as 100,100.

    Raises:
        RecipeError: they are no such thing.
    """
    if hidden is None:
        return None
    try:
        return tuple(int(units) for units in hidden.split(","))
    except ValueError as error:
        raise RecipeError(
            f"hidden: {hidden!r} does not work. Give whole numbers with commas between, such as 100,100."
        ) from error


def fields(settings: list[str]) -> dict[str, Any]:
    """The recipe's fields given as FIELD=VALUE, with values in JSON or plain words."""
    values = {}
    for setting in settings:
        field, equals, value = setting.partition("=")
        if not equals or field not in Recipe.field_names():
            raise RecipeError(f"--set {setting}: give FIELD=VALUE with one of: {', '.join(Recipe.field_names())}.")
        try:
            values[field] = json.loads(value)
        except ValueError:
            values[field] = value
    return values


def data_name(name: str) -> DataName:
    """One of the names of images.

    Raises:
        typer.BadParameter: there are none of that name.
    """
    for known in DATA_NAMES:
        if name == known:
            return known
    raise typer.BadParameter(f"there are no images called {name!r}; choose one of: {', '.join(DATA_NAMES)}")
