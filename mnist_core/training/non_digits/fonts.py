"""Letters and symbols of the Hershey fonts, which were made for pens: each character is a few strokes.

Letters that look like a digit are left out: G, O, Q, Z, b, g, q and so on; in script also B, J and L, in Greek also Θ,
Φ, δ, σ and others.
"""

from functools import cache

import numpy as np
from HersheyFonts import HersheyFonts

from mnist_core.training.non_digits.pen import Kind, Rng, Strokes

UPRIGHT_LETTERS = "ABCDEFHJKLMNPRTUVWXYadefhkmnprtuvwxy"
SCRIPT_LETTERS = "ACDEFHKMNPRTUVWXYadefhkmnprtuvwxy"
ITALIC_LETTERS = "AACDEFHKLMNPRTUVWXYaaadefhkmnprtuvwxy"
GREEK_LETTERS = "ACDEKLNPRTWXaekmptvwx"  # in the font's order: ΑΓΔΕΛΜΞΠΣΥΨΩ αελνπυχψω
SYMBOLS = "?@*#&%%{{}}=+^~<<>>$"


def upright_letter(rng: Rng) -> Strokes:
    return _one_of(UPRIGHT_LETTERS, "futural", rng)


def bold_letter(rng: Rng) -> Strokes:
    return _one_of(UPRIGHT_LETTERS, "futuram", rng)


def script_letter(rng: Rng) -> Strokes:
    return _one_of(SCRIPT_LETTERS, "scripts", rng)


def italic_letter(rng: Rng) -> Strokes:
    return _one_of(ITALIC_LETTERS, "timesi", rng)


def greek_letter(rng: Rng) -> Strokes:
    return _one_of(GREEK_LETTERS, "greeks", rng)


def printed_symbol(rng: Rng) -> Strokes:
    return _one_of(SYMBOLS, ("futural", "rowmans", "futuram")[rng.integers(3)], rng)


def _one_of(characters: str, font: str, rng: Rng) -> Strokes:
    return _font(font)[characters[rng.integers(len(characters))]]


@cache
def _font(name: str) -> dict[str, Strokes]:
    """Return the strokes of all characters that are drawn here, without single points."""
    font = HersheyFonts()
    font.load_default_font(name)
    return {
        character: [np.array(stroke, np.float64) for stroke in font.strokes_for_text(character) if len(stroke) > 1]
        for character in {*UPRIGHT_LETTERS, *SYMBOLS}
    }


PRINTED: dict[Kind, float] = {
    upright_letter: 6,
    script_letter: 4,
    italic_letter: 2,
    bold_letter: 1,
    greek_letter: 1,
    printed_symbol: 5,
}
"""Each kind, and how often it is drawn relative to the others."""
