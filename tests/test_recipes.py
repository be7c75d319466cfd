import dataclasses
import json
import re

import pytest
import typer.main
from pydantic import TypeAdapter, ValidationError

from mnist_core import RECIPES, Recipe
from mnist_core.cli import app
from mnist_core.cli.options import recipe_from
from mnist_core.errors import RecipeError
from mnist_core.recipes import FIELDS, named_recipe
from pages.ui.train import settings


def test_article_recipe_is_the_articles() -> None:
    article = RECIPES["article"]
    assert article.layer_sizes == (784, 100, 100, 10)
    assert (article.loss, article.learning_rate, article.schedule) == ("bce", 0.001, "constant")
    assert (article.batch_size, article.epochs, article.shift) == (32, 10, 0)


@pytest.mark.parametrize("name", ["quick", "robust"])
def test_other_recipes_train_the_same_network(name: str) -> None:
    assert RECIPES[name].layer_sizes == RECIPES["article"].layer_sizes


def test_best_fits_into_what_is_shipped() -> None:
    assert RECIPES["best"].parameter_count <= 2_000_000


def test_only_recipes_that_distort_images_one_by_one_say_so() -> None:
    assert {name for name, recipe in RECIPES.items() if recipe.augments} == {"robust", "best"}


@pytest.mark.parametrize(
    ("hidden", "parameters"),
    [((100, 100), 784 * 100 + 100 + 100 * 100 + 100 + 100 * 10 + 10), ((100,), 78_500 + 1_010), ((1,), 785 + 20)],
)
def test_parameter_count_follows_the_layers(hidden: tuple[int, ...], parameters: int) -> None:
    assert Recipe(hidden=hidden).parameter_count == parameters


@pytest.mark.parametrize(
    ("field", "nonsense"),
    [
        ("epochs", 0),
        ("epochs", 2.5),
        ("epochs", True),
        ("batch_size", 0),
        ("batch_size", -32),
        ("learning_rate", -0.001),
        ("learning_rate", 0),
        ("learning_rate", float("nan")),
        ("learning_rate", "fast"),
        ("hidden", (100, 0)),
        ("hidden", ()),
        ("hidden", 100),
        ("loss", "hinge"),
        ("schedule", "sometimes"),
        ("shift", -1),
        ("seed", -1),
        ("rotation", -1),
        ("elastic", "much"),
        ("untouched", 1.5),
        ("non_digits", 1),
        ("weight_decay", 0.1),
        ("variants", 0.5),
        ("optimizer", "sgd2"),
        ("precision", "float8"),
        ("teacher", None),
        ("name", ""),
    ],
)
def test_nonsense_is_refused_with_the_fields_name(field: str, nonsense: object) -> None:
    with pytest.raises(RecipeError, match=field):
        dataclasses.replace(Recipe(), **{field: nonsense})


def test_changed_recipe_does_not_pass_for_the_original() -> None:
    assert RECIPES["article"].override(epochs=2).name == "article (changed)"


def test_another_seed_or_no_change_keeps_the_name() -> None:
    assert RECIPES["article"].override(seed=7, epochs=10, loss=None).name == "article"


def test_recipe_survives_json() -> None:
    recipe = RECIPES["quick"].override(hidden=(50, 40, 30), seed=3)
    written = json.dumps(recipe.to_dict())
    assert Recipe.from_dict(json.loads(written)) == recipe
    assert TypeAdapter(Recipe).validate_json(written) == recipe, "records read recipes with pydantic"


def test_unknown_field_is_refused() -> None:
    with pytest.raises(RecipeError, match=r"wings: 2 does not work\. No recipe has such a field"):
        Recipe.from_dict({**Recipe().to_dict(), "wings": 2})
    with pytest.raises(ValidationError):
        TypeAdapter(Recipe).validate_python({**Recipe().to_dict(), "wings": 2})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"epochs": "4"}, "epochs: '4' does not work. Give a whole number from 1 to 10000."),
        ({"epochs": 10_001}, "epochs: 10001 does not work. Give a whole number from 1 to 10000."),
        ({"learning_rate": True}, "learning_rate: True does not work. Give a number from 1e-09 to 10."),
        ({"hidden": [100, 1.5]}, "Give 1 to 8 layers, such as 100,100; units from 1 to 8192."),
        ({"loss": "hinge"}, "loss: 'hinge' does not work. Choose one of: bce, ce."),
        ({"teacher": None}, "teacher: None does not work. Give the name of a version."),
        ({"name": 5}, "name: 5 does not work. Give the recipe a short name."),
        ({"variants": 0.5}, "variants: only redrawn digits have any."),
    ],
)
def test_a_written_recipe_with_a_wrong_value_is_refused_in_words(changes: dict[str, object], words: str) -> None:
    with pytest.raises(RecipeError, match=re.escape(words)):
        Recipe.from_dict({**Recipe().to_dict(), **changes})


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(Recipe) if field.name != "name"])
def test_one_declaration_is_all_that_a_field_needs(field: str) -> None:
    info = FIELDS[field]
    assert info.label
    assert info.help.endswith(".")
    assert info.choices or info.least < info.most or field == "teacher", "it has choices or bounds"
    train = typer.main.get_command(app.app).commands["train"]
    assert field in next(option for option in train.params if "--set" in option.opts).help
    value = getattr(RECIPES["article"], field)
    typed = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
    assert getattr(recipe_from("article", {}, [f"{field}={typed}"]), field) == value
    if info.kind in (int, float):
        assert info.least <= value <= settings.most_of(field) <= info.most
    elif field != "hidden":
        assert value in settings.choices_of(field)


def test_unknown_recipe_lists_the_known_ones() -> None:
    with pytest.raises(RecipeError, match="article, quick, robust, best"):
        named_recipe("slow")
