"""Random distortions of whole batches of tensors, on the device they lie on.

A digit is bent, turned and slanted, then framed again as a drawing is (scaled to its box, centred by its mass), all in
one resampling; so that what the network learns from looks as drawings do when they reach it.
"""

import math

import torch
from torch import Tensor
from torch.nn.functional import grid_sample, pad

from mnist_core.images.datasets import NOT_A_DIGIT, LabelledImages
from mnist_core.images.framing import BOX, FRAME
from mnist_core.recipes import Recipe
from mnist_core.training import parallel
from mnist_core.training.skeletons import REACH, UNITS, enlarged_twice, line_maps
from mnist_core.training.variants import non_digits, write_differently

PEN_WIDTHS = 1.9, 3.0
"""Of redrawn digits, in pixels of the frame: around what framing gives a drawing."""
MOST_NON_DIGITS = 20_000

# Simard, Steinkraus & Platt 2003 blur random displacements with a Gaussian of 4 pixels. Here the displacements sit on a
# grid as wide as that, which gives the same smooth fields from far fewer numbers.
BUMPS, BUMP_SIGMA = 7, 4.0
BUMP_CENTRES = torch.linspace(-FRAME / 2, FRAME / 2, BUMPS)

COARSE = 20
"""Points a side at which a bent digit is looked at to find its box and mass."""
COARSE_STEP = 1.8
BLUR = torch.eye(FRAME) / 2 + torch.ones(FRAME - 1).diag(1) / 4 + torch.ones(FRAME - 1).diag(-1) / 4


def shift_batch(images: Tensor, most: int, generator: torch.Generator) -> Tensor:
    """Move all images (n, 28, 28) of a batch by the same random number of pixels, at most `most` either way.

    One move for a whole batch costs a slice instead of a resampling, and over many batches teaches the same:
    that a digit stays what it is when it stands a pixel further on. What leaves the frame is lost; black follows.
    """
    if most == 0:
        return images
    right, down = torch.randint(0, 2 * most + 1, (2,), generator=generator).tolist()
    height, width = images.shape[1:]
    return pad(images, (most, most, most, most))[:, down : down + height, right : right + width]


class Augmenter:
    """Distorts the images of a data set by a recipe, a batch at a time."""

    def __init__(self, recipe: Recipe, data: LabelledImages, device: torch.device) -> None:
        """Find the lines of all images first: about half a second for a thousand."""
        self.recipe = recipe
        self.generator = torch.Generator(device).manual_seed(recipe.seed + parallel.rank())
        self.images = torch.from_numpy(data.images).to(device)
        self.labels = torch.from_numpy(data.labels).to(device)
        self.count = len(data)
        maps, variant_of, self.non_digits_from = _sources(recipe, data)
        self.maps, self.variant_of = maps.to(device), variant_of.to(device)
        self.bumps, self.blur = BUMP_CENTRES.to(device), BLUR.to(device)

    def __call__(self, chosen: Tensor) -> tuple[Tensor, Tensor]:
        """Distorted images (n, 28, 28) with values in [0, 1], and their labels (n,), of the images at `chosen` (n,).

        Shapes that are no digit have the label `NOT_A_DIGIT`.
        """
        labels = self.labels.index_select(0, chosen)
        source, is_digit = self._choose_sources(chosen)
        frames = self._distort(source)
        if self.recipe.untouched:
            untouched = is_digit & (self._random(len(chosen)) < self.recipe.untouched)
            kept = torch.nonzero(untouched)[:, 0]
            frames[kept] = self.images.index_select(0, chosen[kept]).float() / 255
        return frames, torch.where(is_digit, labels, NOT_A_DIGIT)

    def _choose_sources(self, chosen: Tensor) -> tuple[Tensor, Tensor]:
        """Which map each image is made from, and whether that is a digit."""
        recipe, size = self.recipe, len(chosen)
        draw = self._random(3, size)
        source = torch.where(draw[0] < recipe.redrawn, chosen + self.count, chosen)
        if recipe.variants:
            variant = self.variant_of.index_select(0, chosen)
            written = (source >= self.count) & (variant >= 0) & (draw[1] < recipe.variants)
            source = torch.where(written, variant, source)
        if not recipe.non_digits:
            return source, torch.ones_like(source, dtype=torch.bool)
        is_digit = draw[2] >= recipe.non_digits
        shapes = torch.randint(
            self.non_digits_from, len(self.maps), (size,), generator=self.generator, device=source.device
        )
        return torch.where(is_digit, source, shapes), is_digit

    def _distort(self, source: Tensor) -> Tensor:
        """Bend, turn and slant the maps at `source` (n,), frame what comes out as a drawing is framed: (n, 28, 28)."""
        recipe, size = self.recipe, len(source)
        maps = self.maps.index_select(0, source).float()[:, None]
        is_line = source >= self.count
        radius = self._uniform(PEN_WIDTHS[0] / 2, PEN_WIDTHS[1] / 2, size)
        warp = self._random_warp(size)

        def look(x: Tensor, y: Tensor, scale: Tensor) -> Tensor:
            """Ink, not yet cut to [0, 1], at the points of a grid given by positions (n, k) along both axes."""
            gain = torch.where(is_line, 1 / UNITS / scale, 1 / 255)
            offset = torch.where(is_line, 0.5 + radius - REACH / scale, 0.0)
            values = grid_sample(maps, _bent(warp, x, y, self.bumps), padding_mode="zeros", align_corners=False)[:, 0]
            return torch.addcmul(offset[:, None, None], values, gain[:, None, None])

        coarse = ((torch.arange(COARSE, device=maps.device) - (COARSE - 1) / 2) * COARSE_STEP).expand(size, COARSE)
        x, y, longer = _mass_and_size(look(coarse, coarse, torch.ones_like(radius)), coarse[0])
        scale = longer.clamp(8, 36) / BOX * torch.exp(self._normal(size) * recipe.scale)
        x, y = x + self._normal(size) * recipe.translation, y + self._normal(size) * recipe.translation
        grid = (torch.arange(FRAME, device=maps.device) + 0.5 - FRAME / 2) * scale[:, None]
        frames = look(grid + x[:, None], grid + y[:, None], scale)
        if recipe.thickness:
            changed = torch.nonzero(~is_line & (self._random(size) < recipe.thickness))[:, 0]
            frames[changed] = self._thicken(frames[changed])
        return frames.clamp_(0, 1)

    def _random_warp(self, size: int) -> Tensor:
        """Random maps of coordinates: weights (n, 2, k, k) of the products of the terms of `_terms` in y and x."""
        recipe = self.recipe
        angle = self._uniform(-1, 1, size) * math.radians(recipe.rotation)
        slant = self._uniform(-1, 1, size) * recipe.shear
        wide = torch.exp(self._uniform(-1, 1, size) * recipe.stretch / 2)
        cos, sin = angle.cos(), angle.sin()
        warp = torch.zeros(size, 2, BUMPS + 2, BUMPS + 2, device=angle.device)
        strength = recipe.elastic * self._random(size)
        warp[:, :, :BUMPS, :BUMPS] = self._normal(size, 2, BUMPS, BUMPS) * strength[:, None, None, None]
        # turn · slant · stretch; `BUMPS` is the place of the constant term, the one after it that of x or y itself
        warp[:, 0, BUMPS, BUMPS + 1] = cos * wide
        warp[:, 0, BUMPS + 1, BUMPS] = (cos * slant - sin) / wide
        warp[:, 1, BUMPS, BUMPS + 1] = sin * wide
        warp[:, 1, BUMPS + 1, BUMPS] = (sin * slant + cos) / wide
        return warp / (FRAME / 2)

    def _thicken(self, frames: Tensor) -> Tensor:
        """Change the strokes' thickness: blur, and cut at another level than the half."""
        blurred = self.blur @ frames.clamp(0, 1) @ self.blur
        inked = (blurred * blurred).sum((1, 2)) / blurred.sum((1, 2)).clamp(min=1e-3)
        level = (self._uniform(0.25, 0.75, len(frames)) * inked.clamp(max=0.9))[:, None, None]
        steepness = torch.maximum(self._uniform(1.3, 2.5, len(frames))[:, None, None], 0.52 / level)
        return (blurred - level) * steepness + 0.5

    def _random(self, *shape: int) -> Tensor:
        return torch.rand(*shape, generator=self.generator, device=self.generator.device)

    def _uniform(self, low: float, high: float, size: int) -> Tensor:
        return self._random(size) * (high - low) + low

    def _normal(self, *shape: int) -> Tensor:
        return torch.randn(*shape, generator=self.generator, device=self.generator.device)


def _sources(recipe: Recipe, data: LabelledImages) -> tuple[Tensor, Tensor, int]:
    """Everything that is distorted: maps (m, 56, 56) of the images, then of their lines, of variants and of shapes that
    are no digit, as far as the recipe has them; for each image the place of its variant, or -1; and where the
    shapes begin that are no digit."""
    making = torch.Generator().manual_seed(recipe.seed)
    labels = torch.from_numpy(data.labels)
    maps = [torch.from_numpy(enlarged_twice(data.images))]
    variant_of = torch.full_like(labels, -1)
    if recipe.redrawn or recipe.non_digits:
        lines = torch.from_numpy(line_maps(data.images))
        maps.append(lines)
        if recipe.variants:
            variable = torch.nonzero(labels.unsqueeze(1).eq(torch.tensor((0, 1, 7))).any(1))[:, 0]
            variant_of[variable] = torch.arange(len(variable)) + 2 * len(labels)
            maps.append(write_differently(lines[variable], labels[variable], making))
        if recipe.non_digits:
            maps.append(non_digits(lines, labels, min(MOST_NON_DIGITS, len(labels)), making))
    return torch.cat(maps), variant_of, sum(map(len, maps)) - len(maps[-1])


def _terms(positions: Tensor, centres: Tensor) -> Tensor:
    """What a map of coordinates is made of along one axis (n, k, terms): bumps, one, and the position itself."""
    bumps = torch.exp(-((positions[..., None] - centres) ** 2) / (2 * BUMP_SIGMA**2))
    return torch.cat([bumps, torch.ones_like(positions)[..., None], positions[..., None]], dim=-1)


def _bent(warp: Tensor, x: Tensor, y: Tensor, centres: Tensor) -> Tensor:
    """Where the points of grids at positions (n, k) along both axes come from: (n, k, k, 2), for `grid_sample`."""
    size, points = x.shape
    terms = warp.shape[-1]
    rows = _terms(y, centres) @ warp.permute(0, 2, 1, 3).reshape(size, terms, 2 * terms)
    bent = rows.view(size, 2 * points, terms) @ _terms(x, centres).transpose(1, 2)
    return bent.view(size, points, 2, points).permute(0, 1, 3, 2)


def _mass_and_size(ink: Tensor, positions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Centre of mass, x and y (n,), and the longer side of the box (n,) of ink on a grid at `positions` (k,)."""
    x0, x1 = _extent(ink.amax(1), positions)
    y0, y1 = _extent(ink.amax(2), positions)
    ink = ink.clamp(0, 1)
    mass = ink.sum((1, 2)).clamp(min=1e-3)
    x, y = (ink.sum(1) @ positions) / mass, (ink.sum(2) @ positions) / mass
    return x, y, torch.maximum(x1 - x0, y1 - y0)


def _extent(profile: Tensor, positions: Tensor) -> tuple[Tensor, Tensor]:
    """Where profiles (n, k) first and last cross one half, between the points of the grid."""
    step, last = positions[1] - positions[0], profile.shape[1] - 1

    def crossing(first: Tensor, outside: Tensor) -> Tensor:
        inside_value, outside_value = (profile.gather(1, place[:, None])[:, 0] for place in (first, outside))
        return step * ((inside_value - 0.5) / (inside_value - outside_value).clamp(min=1e-3)).clamp(0, 1)

    inked = (profile >= 0.5).byte()
    first, final = inked.argmax(1), last - inked.flip(1).argmax(1)
    low = positions[first] - crossing(first, (first - 1).clamp(min=0))
    high = positions[final] + crossing(final, (final + 1).clamp(max=last))
    return low, high
