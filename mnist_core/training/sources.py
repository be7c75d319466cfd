"""What is distorted in a training: maps of the images, their lines, other ways to write them, and non-digits."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from mnist_core.images.datasets import LabelledImages
from mnist_core.recipes import Recipe
from mnist_core.training.non_digits.pieces import make_pieces
from mnist_core.training.non_digits.processes import draw_non_digits
from mnist_core.training.skeletons import FINE, enlarged_twice, line_maps
from mnist_core.training.variants import DIGITS_WITH_VARIANTS, write_differently

MOST_NON_DIGITS = 120_000
NON_DIGITS_PER_IMAGE = 2.25
"""Non-digits for each training image; fewer if there would be more than `MOST_NON_DIGITS`, or than are ever shown."""
DRAWN = 0.8
"""Share of the non-digits that are drawn; the others are made of digits."""


class Sources(NamedTuple):
    """What is distorted."""

    maps: Tensor
    """Maps (m, 56, 56) uint8 of the n images, then, as far as the recipe needs them, line maps: of the n images, of
    their variants, and of non-digits."""
    variant_of: Tensor
    """For each image (n,) the place of its variant, or -1."""
    non_digits_from: int
    """The place of the first non-digit."""


def make_sources(recipe: Recipe, data: LabelledImages) -> Sources:
    """Make what a recipe distorts; the same recipe and data give the same, also when a training is resumed."""
    generator = torch.Generator().manual_seed(recipe.seed)
    labels, count = torch.from_numpy(data.labels), len(data)
    drawn, pieces = count_non_digits(recipe, count)
    has_variant = torch.isin(labels, torch.tensor(DIGITS_WITH_VARIANTS)) & bool(recipe.variants)
    variable = torch.nonzero(has_variant)[:, 0]
    sizes = [count, count if recipe.redrawn or recipe.non_digits else 0, len(variable), drawn + pieces]
    maps = torch.empty(sum(sizes), FINE, FINE, dtype=torch.uint8)
    images, lines, variants, non_digits = torch.split(maps, sizes)
    images.copy_(torch.from_numpy(enlarged_twice(data.images)))
    if len(lines):
        lines.copy_(torch.from_numpy(line_maps(data.images)))
    if len(variants):
        variants.copy_(write_differently(lines[variable], labels[variable], generator))
    if len(non_digits):
        non_digits[:drawn].copy_(torch.from_numpy(draw_non_digits(drawn, recipe.seed)))
        non_digits[drawn:].copy_(make_pieces(lines, labels, pieces, generator))
    variant_of = torch.full_like(labels, -1)
    variant_of[variable] = torch.arange(len(variable)) + len(images) + len(lines)
    return Sources(maps, variant_of, len(maps) - len(non_digits))


def count_non_digits(recipe: Recipe, images: int) -> tuple[int, int]:
    """Return how many non-digits are drawn and how many are made of digits, for a training with `images` images."""
    ever_shown = math.ceil(recipe.non_digits * images * recipe.epochs)
    count = min(MOST_NON_DIGITS, math.ceil(NON_DIGITS_PER_IMAGE * images), ever_shown)
    drawn = math.ceil(DRAWN * count)
    return drawn, count - drawn
