"""Options that several commands share, and how typed text becomes what the core takes."""

from pathlib import Path
from typing import Annotated, Any

import typer

from mnist_core.errors import RecipeError
from mnist_core.images.datasets import DATA_NAMES, DataName
from mnist_core.recipes import FIELDS, Recipe, named_recipe

DataOption = Annotated[
    str,
    typer.Option("--data", help="'mnist' (downloaded on first use) or 'sample' (5,000 digits, no network)."),
]
WeightsOption = Annotated[
    Path | None,
    typer.Option("--weights", help="Folder of a version; the active version without it.", show_default=False),
]
SettingsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="FIELD=VALUE",
        help=f"Change any field of the recipe, such as rotation=15; repeatable. Fields: {', '.join(FIELDS)}.",
        show_default=False,
    ),
]


def field_option(field: str, *names: str) -> Any:
    """Return the option that changes one field of a recipe, with the help of the field's declaration."""
    info = FIELDS[field]
    metavar = "|".join(info.choices) if info.choices else "UNITS,…" if info.kind is tuple else None
    return typer.Option(*names, help=info.help, metavar=metavar, show_default=False)


def recipe_from(name: str, options: dict[str, Any], settings: list[str] | None) -> Recipe:
    """Return the named recipe with the fields that options and `--set FIELD=VALUE` change.

    Raises:
        RecipeError: there is no such recipe or field, or a value does not work.
    """
    typed = {field: FIELDS[field].parse(value) if isinstance(value, str) else value for field, value in options.items()}
    return named_recipe(name).override(**typed).override(**_fields(settings or []))


def _fields(settings: list[str]) -> dict[str, Any]:
    values = {}
    for setting in settings:
        field, equals, text = setting.partition("=")
        if not equals or field not in FIELDS:
            raise RecipeError(f"--set {setting}: give FIELD=VALUE with one of: {', '.join(FIELDS)}.")
        values[field] = FIELDS[field].parse(text)
    return values


def data_name(name: str) -> DataName:
    """Return the name of a data set.

    Raises:
        typer.BadParameter: there is no such data set.
    """
    for known in DATA_NAMES:
        if name == known:
            return known
    raise typer.BadParameter(f"there is no data set {name!r}; choose one of: {', '.join(DATA_NAMES)}")
