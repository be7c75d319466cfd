"""Random distortions of whole batches of images, on their device.

A digit is bent, rotated and slanted, then framed again like a drawing (scaled to its box, centred by its mass), all in
one resampling. Training images so look like the frames of drawings that the network will see.
"""

import math

import torch
from torch import Tensor
from torch.nn.functional import grid_sample, pad

from mnist_core.images.datasets import NOT_A_DIGIT, LabelledImages
from mnist_core.images.framing import BOX, FRAME
from mnist_core.recipes import Recipe
from mnist_core.training import parallel
from mnist_core.training.skeletons import REACH, UNITS
from mnist_core.training.sources import make_sources

PEN_WIDTHS = 1.9, 3.0
"""Narrowest and widest pen of redrawn digits, in pixels of the frame: about the widths of framed drawings."""

# Simard, Steinkraus & Platt (2003) blur random displacements with a Gaussian of 4 pixels. Here the displacements lie on
# a grid with that spacing, which gives equally smooth fields from far fewer random numbers.
BUMPS, BUMP_SIGMA = 7, 4.0
BUMP_CENTRES = torch.linspace(-FRAME / 2, FRAME / 2, BUMPS)

COARSE = 20
"""Points per side of the coarse grid on which the box and mass of a bent digit are found."""
COARSE_STEP = 1.8  # pixels of the frame
BLUR = torch.eye(FRAME) / 2 + torch.ones(FRAME - 1).diag(1) / 4 + torch.ones(FRAME - 1).diag(-1) / 4


def shift_batch(images: Tensor, most: int, generator: torch.Generator) -> Tensor:
    """Shift all images (n, 28, 28) of a batch by the same random number of pixels, at most `most` in each direction.

    One shift for a whole batch costs a slice instead of a resampling, and over many batches the network still learns
    that a shifted digit is the same digit. Ink that leaves the frame is lost; black fills the gap.
    """
    if most == 0:
        return images
    right, down = torch.randint(0, 2 * most + 1, (2,), generator=generator).tolist()
    height, width = images.shape[1:]
    return pad(images, (most, most, most, most))[:, down : down + height, right : right + width]


class Augmenter:
    """Distorts batches of the images of a data set, as a recipe says."""

    def __init__(self, recipe: Recipe, data: LabelledImages, device: torch.device) -> None:
        """Prepare maps of all images, with the lines of redrawn ones: about half a second per thousand images.

        With non-digits it takes longer; they are drawn by all cores.
        """
        self.recipe = recipe
        self.generator = torch.Generator(device).manual_seed(recipe.seed + parallel.rank())
        self.images = torch.from_numpy(data.images).to(device)
        self.labels = torch.from_numpy(data.labels).to(device)
        self.count = len(data)
        sources = make_sources(recipe, data)
        self.maps, self.variant_of = sources.maps.to(device), sources.variant_of.to(device)
        self.non_digits_from = sources.non_digits_from
        self.bumps, self.blur = BUMP_CENTRES.to(device), BLUR.to(device)

    def __call__(self, chosen: Tensor) -> tuple[Tensor, Tensor]:
        """Return distorted images (n, 28, 28) with values in [0, 1] and their labels (n,) for the places `chosen` (n,).

        Non-digits have the label `NOT_A_DIGIT`.
        """
        labels = self.labels.index_select(0, chosen)
        source, is_digit = self._choose_sources(chosen)
        frames = self._distort(source)
        if self.recipe.untouched:
            untouched = is_digit & (self._random(len(chosen)) < self.recipe.untouched)
            kept = torch.nonzero(untouched)[:, 0]
            frames[kept] = self.images.index_select(0, chosen[kept]).float() / 255
        return frames, torch.where(is_digit, labels, NOT_A_DIGIT)

    def some_non_digits(self, count: int) -> Tensor:
        """Return distorted non-digits (count, 28, 28), none twice if there are as many; none if the recipe has none."""
        there = len(self.maps) - self.non_digits_from
        places = torch.arange(count if there else 0, device=self.maps.device) % max(there, 1)
        return self._distort(self.non_digits_from + places)

    def _choose_sources(self, chosen: Tensor) -> tuple[Tensor, Tensor]:
        """Return the place (n,) of the map that each image is made from, and whether it is a digit (n,)."""
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
        non_digits = torch.randint(
            self.non_digits_from, len(self.maps), (size,), generator=self.generator, device=source.device
        )
        return torch.where(is_digit, source, non_digits), is_digit

    def _distort(self, source: Tensor) -> Tensor:
        """Bend, rotate and slant the maps at `source` (n,) and frame the results like drawings: (n, 28, 28)."""
        recipe, size = self.recipe, len(source)
        maps = self.maps.index_select(0, source).float()[:, None]
        is_line = source >= self.count
        radius = self._uniform(PEN_WIDTHS[0] / 2, PEN_WIDTHS[1] / 2, size)
        warp = self._random_warp(size)

        def sample_ink(x: Tensor, y: Tensor, scale: Tensor) -> Tensor:
            """Return the ink, not yet clamped to [0, 1], on grids given by positions (n, k) along both axes."""
            gain = torch.where(is_line, 1 / UNITS / scale, 1 / 255)
            offset = torch.where(is_line, 0.5 + radius - REACH / scale, 0.0)
            values = grid_sample(maps, _bent(warp, x, y, self.bumps), padding_mode="zeros", align_corners=False)[:, 0]
            return torch.addcmul(offset[:, None, None], values, gain[:, None, None])

        coarse = ((torch.arange(COARSE, device=maps.device) - (COARSE - 1) / 2) * COARSE_STEP).expand(size, COARSE)
        x, y, longer = _mass_and_size(sample_ink(coarse, coarse, torch.ones_like(radius)), coarse[0])
        scale = longer.clamp(8, 36) / BOX * torch.exp(self._normal(size) * recipe.scale)
        x, y = x + self._normal(size) * recipe.translation, y + self._normal(size) * recipe.translation
        grid = (torch.arange(FRAME, device=maps.device) + 0.5 - FRAME / 2) * scale[:, None]
        frames = sample_ink(grid + x[:, None], grid + y[:, None], scale)
        if recipe.thickness:
            changed = torch.nonzero(~is_line & (self._random(size) < recipe.thickness))[:, 0]
            frames[changed] = self._thicken(frames[changed])
        return frames.clamp_(0, 1)

    def _random_warp(self, size: int) -> Tensor:
        """Return random coordinate maps: weights (n, 2, k, k) of the products of `_terms` of y with those of x."""
        recipe = self.recipe
        angle = self._uniform(-1, 1, size) * math.radians(recipe.rotation)
        slant = self._uniform(-1, 1, size) * recipe.shear
        width = torch.exp(self._uniform(-1, 1, size) * recipe.stretch / 2)
        cos, sin = angle.cos(), angle.sin()
        warp = torch.zeros(size, 2, BUMPS + 2, BUMPS + 2, device=angle.device)
        strength = recipe.elastic * self._random(size)
        warp[:, :, :BUMPS, :BUMPS] = self._normal(size, 2, BUMPS, BUMPS) * strength[:, None, None, None]
        # rotation · slant · stretch; term `BUMPS` is the constant, the term after it x or y itself
        warp[:, 0, BUMPS, BUMPS + 1] = cos * width
        warp[:, 0, BUMPS + 1, BUMPS] = (cos * slant - sin) / width
        warp[:, 1, BUMPS, BUMPS + 1] = sin * width
        warp[:, 1, BUMPS + 1, BUMPS] = (sin * slant + cos) / width
        return warp / (FRAME / 2)

    def _thicken(self, frames: Tensor) -> Tensor:
        """Change the thickness of strokes: blur them and threshold at a random level."""
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


def _terms(positions: Tensor, centres: Tensor) -> Tensor:
    """Return the terms (n, k, terms) of a coordinate map along one axis: bumps, 1, and the position itself."""
    bumps = torch.exp(-((positions[..., None] - centres) ** 2) / (2 * BUMP_SIGMA**2))
    return torch.cat([bumps, torch.ones_like(positions)[..., None], positions[..., None]], dim=-1)


def _bent(warp: Tensor, x: Tensor, y: Tensor, centres: Tensor) -> Tensor:
    """Return where grids with positions (n, k) along both axes are sampled: (n, k, k, 2) for `grid_sample`."""
    size, points = x.shape
    terms = warp.shape[-1]
    rows = _terms(y, centres) @ warp.permute(0, 2, 1, 3).reshape(size, terms, 2 * terms)
    bent = rows.view(size, 2 * points, terms) @ _terms(x, centres).transpose(1, 2)
    return bent.view(size, points, 2, points).permute(0, 1, 3, 2)


def _mass_and_size(ink: Tensor, positions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return x and y of the centre of mass (n,) and the longer side of the box (n,) of ink on a grid at `positions`."""
    x0, x1 = _extent(ink.amax(1), positions)
    y0, y1 = _extent(ink.amax(2), positions)
    ink = ink.clamp(0, 1)
    mass = ink.sum((1, 2)).clamp(min=1e-3)
    x, y = (ink.sum(1) @ positions) / mass, (ink.sum(2) @ positions) / mass
    return x, y, torch.maximum(x1 - x0, y1 - y0)


def _extent(profile: Tensor, positions: Tensor) -> tuple[Tensor, Tensor]:
    """Return where profiles (n, k) first and last cross one half, interpolated between the grid's points."""
    step, last = positions[1] - positions[0], profile.shape[1] - 1

    def crossing(first: Tensor, outside: Tensor) -> Tensor:
        inside_value, outside_value = (profile.gather(1, place[:, None])[:, 0] for place in (first, outside))
        return step * ((inside_value - 0.5) / (inside_value - outside_value).clamp(min=1e-3)).clamp(0, 1)

    inked = (profile >= 0.5).byte()
    first, final = inked.argmax(1), last - inked.flip(1).argmax(1)
    low = positions[first] - crossing(first, (first - 1).clamp(min=0))
    high = positions[final] + crossing(final, (final + 1).clamp(max=last))
    return low, high
