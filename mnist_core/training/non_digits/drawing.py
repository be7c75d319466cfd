"""Drawings of all kinds that are no digit, as line maps (see `skeletons`).

A network that is shown them in training, with the answer "none of the digits", also declines what it was not shown
(outlier exposure, Hendrycks, Mazeika & Dietterich 2019).
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from mnist_core.training.non_digits.beings import BEINGS
from mnist_core.training.non_digits.fonts import PRINTED
from mnist_core.training.non_digits.hand import by_hand, draw_lines
from mnist_core.training.non_digits.letters import LETTERS
from mnist_core.training.non_digits.pen import Kind
from mnist_core.training.non_digits.shapes import SHAPES
from mnist_core.training.non_digits.symbols import SYMBOLS
from mnist_core.training.non_digits.things import THINGS
from mnist_core.training.skeletons import maps_of_lines

GROUPS: tuple[tuple[Mapping[Kind, float], float], ...] = (
    (SHAPES, 0.31),
    (BEINGS, 0.13),
    (THINGS, 0.13),
    (LETTERS, 0.17),
    (SYMBOLS, 0.15),
    (PRINTED, 0.11),
)
"""The tables of kinds, and the share of all drawings that each of them gets."""
SHARES: Mapping[Kind, float] = {
    kind: share * weight / sum(kinds.values()) for kinds, share in GROUPS for kind, weight in kinds.items()
}
"""Every kind with its share of all drawings."""
CHUNK = 250
"""Drawings that share a random generator. Chunks do not depend on each other, so that they can be drawn in parallel."""


def draw_chunk(seed: int, number: int, size: int = CHUNK) -> NDArray[np.uint8]:
    """Return the chunk of that number, counted from 0, of a seed's line maps (250, 56, 56), or its first `size`."""
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(number,)))
    kinds, shares = list(SHARES), np.array(list(SHARES.values()))
    chosen = rng.choice(len(kinds), CHUNK, p=shares / shares.sum())
    return maps_of_lines(np.stack([draw_lines(by_hand(kinds[place](rng), rng)) for place in chosen[:size]]))
