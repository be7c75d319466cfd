"""Small letters as hands write them, but for those that look like a digit: b, g, i, j, l, o, q, s and z; and a B."""

from collections.abc import Callable
from functools import wraps

import numpy as np

from mnist_core.training.non_digits.pen import Kind, Rng, Stroke, Strokes, chance, curve, joined, line, slanted


class Writer:
    """How one writer forms letters. The x-height is from 0 to 1; ascenders go to about -0.9, descenders to 1.8."""

    def __init__(self, rng: Rng) -> None:
        """Choose everything at random."""
        self.rng = rng
        self.width = rng.uniform(0.75, 1.1)
        self.ascender, self.descender = rng.uniform(-1.1, -0.6), rng.uniform(1.5, 2.0)
        self.hook = rng.uniform(0.05, 0.35)  # at the end of a letter, towards the next one
        self.joins = chance(rng, 0.55)
        self.slant = max(0, rng.normal(0.1, 0.2))

    def chance(self, share: float) -> bool:
        return chance(self.rng, share)

    def around(self, middle: float, most: float) -> float:
        """Return a random number that differs from `middle` by up to `most`."""
        return float(self.rng.uniform(middle - most, middle + most))

    def joined(self, *strokes: Stroke) -> Strokes:
        """Return the strokes as one if this writer joins them."""
        return joined(strokes) if self.joins else list(strokes)

    def bowl(self) -> Stroke:
        """Return the round part of a and d."""
        w = self.width
        begin = (w * 0.9, self.around(0.19, 0.11))
        return curve(begin, (w * 0.5, 0), (0, 0.45), (w * 0.2, 0.95), (w * 0.6, 0.9), (w * 0.9, 0.4))

    def arch(self) -> Stroke:
        """Return the round part of h and n."""
        w = self.width
        end = (w * (0.8 + self.hook), 0.95)
        return curve((0, 0.4), (w * 0.35, 0.02), (w * 0.75, 0.1), (w * 0.8, 0.6), (w * 0.8, 1), end)

    def tall_stem(self) -> Stroke:
        """Return the stem of h and k, straight or as a loop."""
        if self.chance(0.65):
            return line((self.around(0, 0.05), self.ascender), (0, 1))
        top = self.ascender
        return curve((-0.15, 0.5), (0.2, -0.3), (0.15, top), (0, top * 0.6), (0, 0.3), (0, 1))


def a(writer: Writer) -> Strokes:
    w, begin = writer.width, (writer.width * 0.92, writer.around(0, 0.11))
    if writer.chance(0.5):
        return writer.joined(writer.bowl(), line(begin, (w * 0.92, 0.85)))
    return writer.joined(writer.bowl(), curve(begin, (w * 0.9, 0.6), (w * 0.98, 0.95), (w + writer.hook, 0.85)))


def a_with_roof(writer: Writer) -> Strokes:
    """Write an a as it is printed, in one or two strokes; its bowl is larger than the loop of a two."""
    w, roof, top = writer.width, writer.around(-0.2, 0.2), writer.around(0.33, 0.08)
    right = (w * 0.88, roof + 0.35)
    begin = ((writer.around(0.1, 0.1), roof + writer.around(0.2, 0.15)), (w * 0.5, roof), right)
    end = (w * (0.9 + writer.hook), 1)
    if writer.chance(0.5):
        bowl = curve((w * 0.85, top + 0.15), (w * 0.4, top), (0, 0.7), (w * 0.35, 1), (w * 0.85, 0.75))
        return [curve(*begin, (w * 0.85, 0.9), end), bowl]
    bowl_points = ((w * 0.88, 0.75), (w * 0.5, 1), (0.02, 0.85), (0.1, top + 0.1), (w * 0.5, top))
    return [curve(*begin, *bowl_points, (w * 0.88, top + 0.25), end)]


def capital_b(writer: Writer) -> Strokes:
    """Write a B; its straight back with a corner at each end is all that tells it from an 8."""
    w, waist = writer.width * writer.around(1.3, 0.25), writer.around(-0.05, 0.15)
    upper = curve((0, -1), (w * 0.5, -1), (w * writer.around(0.85, 0.1), (waist - 1) / 2), (w * 0.5, waist), (0, waist))
    lower = curve((0, waist), (w * 0.55, waist), (w, (waist + 1) / 2), (w * 0.55, 1), (0, 1))
    return writer.joined(line((0, -1), (0, 1)), upper, lower)


def d(writer: Writer) -> Strokes:
    w, top = writer.width, writer.ascender
    if not writer.joins:
        return [writer.bowl(), line((w * 0.95, top), (w * 0.92, 1))]
    end = (w + writer.hook, 0.9)
    stem = curve((w * 0.9, 0.4), (w * 0.93, -0.2), (w * 0.95, top), (w * 0.93, 0.3), (w * 0.93, 0.9), end)
    return joined([writer.bowl(), stem])


def e(writer: Writer) -> Strokes:
    w = writer.width
    eye = ((0.05, 0.55), (w * 0.6, 0.5), (w * 0.85, 0.3), (w * 0.5, 0))
    return [curve(*eye, (0.05, 0.4), (w * 0.25, 0.95), (w * 0.6, 1), (w * (0.8 + writer.hook), 0.75))]


def f(writer: Writer) -> Strokes:
    w, top = writer.width, writer.ascender
    if writer.chance(0.3):  # a loop above and one below
        up = ((0, 0.5), (0.5, -0.3), (0.4, -0.9), (0.15, -0.6))
        return [curve(*up, (0.1, 0.6), (0.1, 1.6), (-0.15, 1.4), (0.1, 0.8), (0.6, 0.5))]
    stem = curve((w * 0.8, top + 0.2), (w * 0.5, top), (w * 0.3, -0.3), (w * 0.3, 1))
    return [stem, line((-0.05, writer.around(0.1, 0.1)), (w * 0.7, 0.05))]


def h(writer: Writer) -> Strokes:
    return writer.joined(writer.tall_stem(), writer.arch())


def k(writer: Writer) -> Strokes:
    w, middle = writer.width, writer.around(0.45, 0.15)
    legs = [line((w * 0.7, writer.around(0, 0.13)), (0.03, middle)), line((0.1 * w, middle - 0.03), (w * 0.8, 1))]
    if writer.chance(0.4):
        legs = [curve((0, 0.4), (w * 0.5, 0), (w * 0.5, 0.35), (0.1, 0.5), (w * 0.5, 0.7), (w * 0.85, 1))]
    strokes = [writer.tall_stem(), *legs]
    return strokes if writer.chance(0.8) else joined(strokes)


def m(writer: Writer) -> Strokes:
    w = writer.width * writer.around(0.65, 0.15)
    stem = line((0, writer.around(0.08, 0.08)), (0, 1))
    arch = curve((0, 0.4), (w * 0.4, 0.02), (w * 0.85, 0.2), (w * 0.9, 1))
    return writer.joined(stem, arch, arch + np.array([w * 0.9, 0]))


def n(writer: Writer) -> Strokes:
    return writer.joined(line((0, writer.around(0.05, 0.05)), (0, 1)), writer.arch())


def p(writer: Writer) -> Strokes:
    w = writer.width
    bowl = curve((0, 0.25), (w * 0.5, 0), (w * 0.9, 0.4), (w * 0.6, 0.95), (0, 0.8))
    return writer.joined(line((0, writer.around(0, 0.1)), (writer.around(0, 0.08), writer.descender)), bowl)


def r(writer: Writer) -> Strokes:
    if writer.chance(0.3):
        return [curve((-0.3, 0.9), (0.15, 0), (0.25, 0.15), (0.65, 0.15), (0.55, 0.6), (0.7, 1), (1, 0.85))]
    return writer.joined(
        line((0, 0), (0, 1)), curve((0, 0.45), (writer.width * 0.3, 0.05), (writer.width * 0.75, 0.12))
    )


def t(writer: Writer) -> Strokes:
    w, top = writer.width, writer.ascender
    stem = line((w * 0.4, top), (w * 0.4, 1))
    if writer.chance(0.6):
        stem = curve((w * 0.4, top), (w * 0.38, 0.5), (w * 0.45, 0.95), (w * 0.8, 0.9))
    return [stem, line((0, writer.around(-0.15, 0.25)), (w * 0.85, writer.around(-0.15, 0.25)))]


def u(writer: Writer) -> Strokes:
    w = writer.width
    return writer.joined(
        curve((0, 0), (0.02, 0.7), (w * 0.4, 1), (w * 0.85, 0.6), (w * 0.87, 0)), line((w * 0.88, 0), (w * 0.9, 1))
    )


def v(writer: Writer) -> Strokes:
    w = writer.width
    if writer.chance(0.5):
        return [line((0, 0), (w * 0.45, 1), (w * 0.9, 0))]
    return [curve((0, 0), (w * 0.3, 0.8), (w * 0.5, 0.95), (w * 0.85, 0.1), (w * (1 + writer.hook), 0.1))]


def w(writer: Writer) -> Strokes:
    points = np.array([(0, 0), (1, 1), (2, writer.around(0.28, 0.22)), (3, 1), (4, 0)])
    if writer.chance(0.5):
        points = curve((0, 0), (0.8, 0.85), (1.3, 0.9), (2, 0.2), (2.6, 0.9), (3.2, 0.85), (4, 0))
    return [points * (writer.around(0.4, 0.1), 1)]


def x(writer: Writer) -> Strokes:
    w = writer.width
    falling = line((0, 0), (w, 1))
    if writer.chance(0.3):
        falling = curve((0, 0.1), (0.3, 0), (w * 0.5, 0.5), (w * 0.8, 1), (w * 1.1, 0.85))
    return [falling, line((w, 0), (0, 1))]


def y(writer: Writer) -> Strokes:
    """Write a y with a straight, a curved or a looped tail."""
    w, low = writer.width, writer.descender
    left, tail = line((0, 0), (w * 0.45, 0.9)), line((w * 0.95, 0), (w * 0.1, low))
    if writer.chance(0.6):
        left = curve((0, 0), (0.1, 0.7), (w * 0.45, 0.85), (w * 0.85, 0.4))
    if writer.chance(0.3):
        tail = curve(
            (w * 0.9, 0), (w * 0.9, 1.2), (w * 0.6, low), (w * 0.35, low - 0.2), (w * 0.8, 1.05), (w * 1.3, 0.7)
        )
    elif writer.chance(0.6):
        tail = curve((w * 0.9, 0), (w * 0.85, 0.9), (w * 0.6, low), (w * 0.1, low * 0.92))
    return writer.joined(left, tail)


def _kind(letter: Callable[[Writer], Strokes]) -> Kind:
    """Return the function that draws the letter as some writer would."""

    @wraps(letter)
    def kind(rng: Rng) -> Strokes:
        writer = Writer(rng)
        return slanted(letter(writer), writer.slant)

    return kind


_SHARES = {
    a: 4,
    a_with_roof: 3,
    capital_b: 3,
    d: 2,
    e: 2,
    f: 1,
    h: 2,
    k: 2,
    m: 1,
    n: 2,
    p: 1,
    r: 2,
    t: 2,
    u: 1,
    v: 1,
    w: 1,
    x: 1,
    y: 3,
}
LETTERS: dict[Kind, float] = {_kind(letter): share for letter, share in _SHARES.items()}
"""Each kind, and how often it is drawn relative to the others."""
