"""All settings of a training as widgets; one table says what each field of a recipe is to people."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from mnist_core import RECIPES, Recipe
from mnist_core.fields import CHOICES, NUMBERS, WHOLE_NUMBERS
from mnist_core.files import SHIPPED

RECIPE, LAYERS = "recipe", "setting-layers"
MOST_LAYERS, MOST_UNITS = 5, 2048
"""Of a network that a visitor may train."""
MORE_UNITS = 100
"""Of a layer that is added."""
WIDTH = 152
"""Of a widget: two fit side by side on a phone, four on a large screen."""

NAMES_OF_CHOICES: Mapping[str, str] = {
    "": "none",
    "bce": "binary cross-entropy",
    "ce": "cross-entropy",
    "adam": "Adam",
    "adamw": "AdamW",
    "sgd": "SGD with momentum",
    "muon": "Muon",
    "best": "best epoch",
    "last": "last epoch",
}


@dataclass(frozen=True)
class Setting:
    """A field of a recipe, for people."""

    field: str
    label: str
    help: str
    step: float = 0
    """What the buttons + and - change it by; 0 for a choice."""
    most: float | None = None
    """Where a visitor is to be kept from more than a recipe may hold."""
    needs: str = ""
    """A field without which this one has no effect …"""
    needed: tuple[Any, ...] = ()
    """… unless it is one of these; where there are none, unless it is more than zero."""

    @property
    def key(self) -> str:
        """The widget's."""
        return f"setting-{self.field}"

    @property
    def bounds(self) -> tuple[float, float]:
        """The least and the most that the widget takes."""
        least, most = {**WHOLE_NUMBERS, **NUMBERS}[self.field]
        return least, most if self.most is None else self.most

    @property
    def choices(self) -> tuple[str, ...]:
        """What there is to choose from."""
        return _teachers() if self.field == "teacher" else CHOICES[self.field]

    @property
    def applies(self) -> bool:
        """Whether it has an effect, as the other widgets stand."""
        if not self.needs:
            return True
        other = st.session_state[f"setting-{self.needs}"]
        return other in self.needed if self.needed else other > 0


GROUPS: Mapping[str, tuple[Setting, ...]] = {
    "Learning": (
        Setting("loss", "Loss", "What is made small: ten yes-or-no questions (binary), or one choice among ten."),
        Setting("optimizer", "Optimizer", "How the weights are moved by what each batch tells."),
        Setting(
            "learning_rate",
            "Learning rate",
            "How far each step moves the weights; at its peak, if scheduled.",
            0.001,
            1,
        ),
        Setting("schedule", "Schedule", "Whether the learning rate stays, or warms up and then falls to zero."),
        Setting(
            "momentum",
            "Momentum",
            "The share of its last move that SGD makes again.",
            0.05,
            needs="optimizer",
            needed=("sgd",),
        ),
        Setting("batch_size", "Batch size", "Images from which each step learns.", 32, 4096),
        Setting("epochs", "Epochs", "How often every training image is seen.", 1, 1000),
        Setting(
            "patience",
            "Stop early after",
            "Epochs without a better reading of the validation images; 0: never stop early.",
            1,
            1000,
        ),
        Setting(
            "keep",
            "Keep",
            "Which epoch becomes the version: the one that reads the validation images best, or the last.",
        ),
        Setting("teacher", "Teacher", "A version whose answers are learned instead of the labels."),
        Setting("precision", "Precision", "bfloat16 calculates with fewer digits: faster where the processor can."),
        Setting("seed", "Seed", "Starts every random choice; the same seed gives the same result.", 1),
    ),
    "Regularization": (
        Setting(
            "weight_decay",
            "Weight decay",
            "How strongly weights are drawn to zero; Adam takes none.",
            0.01,
            1,
            needs="optimizer",
            needed=("adamw", "sgd", "muon"),
        ),
        Setting("dropout", "Dropout", "Share of the hidden units left out at random in each step.", 0.05),
        Setting(
            "label_smoothing", "Label smoothing", "Share of each label that is spread over all ten digits.", 0.01, 0.5
        ),
        Setting(
            "averaging",
            "Averaging",
            "The version is a running mean of the weights that keeps this share at each step; 0: none.",
            0.001,
        ),
    ),
    "Distorted images": (
        Setting("shift", "Shift", "Whole batches are moved by up to this many pixels.", 1),
        Setting("rotation", "Rotation", "Each image is turned by up to this many degrees.", 1, 90),
        Setting("shear", "Slant", "Each image is slanted by up to this many pixels a pixel of height.", 0.02, 1),
        Setting("stretch", "Stretch", "Width and height change by up to this much against each other.", 0.02, 1),
        Setting("elastic", "Bend", "Each image is bent by up to about this many pixels.", 0.05, 5),
        Setting("scale", "Size", "How much the size varies, as a share (standard deviation).", 0.01, 0.5),
        Setting("translation", "Move", "How far images are moved, in pixels (standard deviation).", 0.1, 5),
        Setting("thickness", "Thickness", "Share of the images whose strokes become thicker or thinner.", 0.05),
        Setting("redrawn", "Redrawn", "Share of the digits drawn anew with an even pen, as on the canvas.", 0.05),
        Setting(
            "variants",
            "Variants",
            "Share of the redrawn 0, 1 and 7 that are slashed, given a foot or crossed.",
            0.05,
            needs="redrawn",
        ),
        Setting("non_digits", "No digits", "Share of the images replaced by shapes that are no digit.", 0.05),
        Setting("untouched", "Untouched", "Share of the digits left as they are.", 0.05),
    ),
}
"""Every field of a recipe but the layers, which have widgets of their own."""


def reset_settings() -> None:
    """Set all fields as the chosen recipe has them."""
    fill(RECIPES[st.session_state[RECIPE]])


def all_settings() -> Recipe:
    """A widget for every field; gives the recipe that they make.

    Raises:
        RecipeError: the fields do not go together.
    """
    st.markdown("**Network**")
    with st.container(horizontal=True):
        hidden = _layers()
    values: dict[str, Any] = {"hidden": hidden}
    for group, settings in GROUPS.items():
        st.markdown(f"**{group}**")
        with st.container(horizontal=True):
            values |= {setting.field: _widget(setting) for setting in settings}
    return _changed(RECIPES[st.session_state[RECIPE]], values)


def _changed(recipe: Recipe, values: Mapping[str, Any]) -> Recipe:
    return recipe.override(**{field: value for field, value in values.items() if value != getattr(recipe, field)})


def fill(recipe: Recipe) -> None:
    """Set all fields as a recipe has them."""
    for group in GROUPS.values():
        for setting in group:
            value = getattr(recipe, setting.field)
            st.session_state[setting.key] = float(value) if setting.field in NUMBERS else value
    st.session_state[LAYERS] = len(recipe.hidden)
    for layer in range(MOST_LAYERS):
        units = recipe.hidden[layer] if layer < len(recipe.hidden) else MORE_UNITS
        st.session_state[f"{LAYERS}-{layer}"] = units


def _layers() -> tuple[int, ...]:
    kept: dict[str, Any] = {"persist_state": "session", "width": WIDTH}
    explanation = "How many layers lie between the pixels and the answer."
    count = st.number_input("Hidden layers", 1, MOST_LAYERS, key=LAYERS, help=explanation, **kept)
    return tuple(
        st.number_input(f"Units in layer {layer + 1}", 1, MOST_UNITS, key=f"{LAYERS}-{layer}", **kept)
        for layer in range(count)
    )


def _widget(setting: Setting) -> Any:
    """Draw it; gives the value."""
    if not setting.applies:  # what has no effect is not to make a recipe look changed, or to be refused
        st.session_state[setting.key] = getattr(Recipe(), setting.field)
    common: dict[str, Any] = {"key": setting.key, "help": setting.help, "width": WIDTH, "persist_state": "session"}
    common["disabled"] = not setting.applies
    if not setting.step:
        return st.selectbox(
            setting.label, setting.choices, format_func=lambda choice: NAMES_OF_CHOICES.get(choice, choice), **common
        )
    least, most = setting.bounds
    if setting.field in WHOLE_NUMBERS:
        return st.number_input(setting.label, int(least), int(most), step=int(setting.step), **common)
    value = st.number_input(setting.label, float(least), float(most), step=float(setting.step), format="%g", **common)
    return float(f"{value:.6g}")  # the buttons add up to 0.30000000000000004


def _teachers() -> tuple[str, ...]:
    return ("", *sorted(path.parent.name for path in SHIPPED.glob("*/model.json")))
