import dataclasses

import pytest

from mnist_core import RECIPES, Recipe
from mnist_core.errors import RecipeError
from mnist_core.recipes import named_recipe


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
    assert Recipe.from_dict(recipe.to_dict()) == recipe


def test_unknown_field_is_refused() -> None:
    with pytest.raises(RecipeError, match="wings"):
        Recipe.from_dict({**Recipe().to_dict(), "wings": 2})


def test_unknown_recipe_lists_the_known_ones() -> None:
    with pytest.raises(RecipeError, match="article, quick, robust, best"):
        named_recipe("slow")
