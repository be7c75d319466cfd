"""The network drawn as layers: units as small pictures of what they look for, and between them lines for what they pass
on. Drawn by network.js, which keeps the focus and does not flicker while the digit moves."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from mnist_core import Prediction
from mnist_core.explanation.exemplars import Exemplars
from mnist_core.explanation.pictures import weight_pictures
from mnist_core.explanation.units import HiddenLayer, by_patch, strongest_connections, with_contrast
from mnist_core.network.classifier import percent
from pages.ui.widgets.answer import data_uri
from pages.ui.widgets.gallery import digit_gallery

MOST_SHOWN = 24
"""Units of a layer."""
EACH = 6
"""Lines at most into and out of each unit."""
SHADES = 12
"""Of either colour in small pictures, which makes them half as large to send."""
NETWORK, PICKED = "network", "picked_unit"
ORDINALS = ("First", "Second", "Third", "Fourth", "Fifth", "Sixth")

draw_network = st.components.v2.component(
    "mnist_network",
    css=Path(__file__).with_suffix(".css").read_text(encoding="utf-8"),
    js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8"),
)

STYLE = """<style>
.looks-for { width: 14rem; height: 14rem; image-rendering: pixelated; border-radius: .5rem; display: block; }
.unit-says { display: grid; grid-template-columns: 1rem 1fr 3.5rem; gap: .15rem .6rem; align-items: center;
  font-variant-numeric: tabular-nums; }
.unit-says .track { display: grid; grid-template-columns: 1fr 1fr; height: .85rem;
  background: linear-gradient(currentColor, currentColor) center / 1px 100% no-repeat,
    color-mix(in srgb, currentColor 9%, transparent); border-radius: .25rem; }
.unit-says .bar { height: 100%; grid-column: 2; background: #3b82f6; border-radius: 0 .25rem .25rem 0; }
.unit-says .bar.against { grid-column: 1; justify-self: end; border-radius: .25rem 0 0 .25rem;
  background: repeating-linear-gradient(135deg, #f97316 0 5px, #fdba74 5px 8px); }
.unit-says .share { text-align: right; }
.st-key-exciting .gallery { gap: .6rem; }
.st-key-exciting .gallery img { width: 62px; height: 62px; }
</style>"""


def name_of(layer: int, layers: int) -> str:
    """What people call a hidden layer."""
    return "Hidden layer" if layers == 1 else f"{ORDINALS[layer]} hidden layer"


def picked_unit(layers: Sequence[HiddenLayer]) -> tuple[int, int]:
    """The layer and unit that the visitor picked; until then, the most active unit of the last layer."""
    layer, unit = st.session_state.get(PICKED, (-1, -1))
    if 0 <= layer < len(layers) and 0 <= unit < len(layers[layer].activations):
        return layer, unit
    return len(layers) - 1, int(layers[-1].strongest_first[0])


def show_network(frame: NDArray[np.uint8], layers: Sequence[HiddenLayer], prediction: Prediction) -> None:
    """The frame, its way through the layers, and the answer; a click on a unit picks it."""
    picked = picked_unit(layers)
    shown = [_shown(layer, picked[1] if place == picked[0] else None) for place, layer in enumerate(layers)]
    carried = [by_patch(layers[0].incoming), *(layer.incoming for layer in layers[1:]), layers[-1].speaks_for.T]
    ends = [np.arange(carried[0].shape[1]), *shown, np.arange(len(prediction.probabilities))]
    gaps = [
        [
            (line.source, line.target, round(line.strength, 3))
            for line in strongest_connections(flow, source, target, EACH)
        ]
        for flow, source, target in zip(carried, ends[:-1], ends[1:], strict=True)
    ]
    draw_network(
        key=NETWORK,
        data={
            "frame": data_uri(frame),
            "layers": [
                _layer(layer, units, place, len(layers))
                for place, (layer, units) in enumerate(zip(layers, shown, strict=True))
            ],
            "gaps": gaps,
            "outputs": [{"share": share, "percent": percent(share)} for share in prediction.probabilities],
            "answer": prediction.digit,
            "accepted": prediction.accepted,
            "picked": picked,
        },
        on_picked_change=_pick,
    )


def _pick() -> None:
    """Keep what was picked; browsers send what they like, so `picked_unit` checks it."""
    sent = st.session_state[NETWORK].picked
    if sent:
        st.session_state[PICKED] = (int(sent["layer"]), int(sent["unit"]))


def _shown(layer: HiddenLayer, picked: int | None) -> NDArray[np.intp]:
    """The most active units, and the picked one wherever it stands."""
    units = layer.strongest_first[:MOST_SHOWN].copy()
    if picked is not None and picked not in units:
        units[-1] = picked
    return units


def _layer(layer: HiddenLayer, units: NDArray[np.intp], place: int, layers: int) -> dict[str, Any]:
    """What the component is to know of a layer."""
    pictures = weight_pictures(np.round(with_contrast(layer.looks_for[units]) * SHADES) / SHADES)
    most = max(float(layer.activations.max()), 1e-12)
    return {
        "name": name_of(place, layers),
        "detail": f"{layer.active:,} of {len(layer.activations):,} active",
        "units": [
            {
                "unit": int(unit),
                "picture": data_uri(picture),
                "share": round(float(layer.activations[unit]) / most, 3),
                "label": _label(layer, place, int(unit)),
                "tells": _tells(layer, place, int(unit)),
            }
            for unit, picture in zip(units, pictures, strict=True)
        ],
    }


def _label(layer: HiddenLayer, place: int, unit: int) -> str:
    return f"Unit {unit + 1} of layer {place + 1}, activation {layer.activations[unit]:.1f}"


def _tells(layer: HiddenLayer, place: int, unit: int) -> str:
    """The tooltip."""
    says = layer.speaks_for[unit]
    if not says.any():
        return f"{_label(layer, place, unit)}\nSays nothing about this digit."
    return f"{_label(layer, place, unit)}\nSpeaks most for {says.argmax()}, and against {says.argmin()}."


def show_unit(layers: Sequence[HiddenLayer]) -> None:
    """The picked unit: what it looks for, how active it is, and what it says for each digit."""
    place, unit = picked_unit(layers)
    layer = layers[place]
    rank = int(np.flatnonzero(layer.strongest_first == unit)[0]) + 1
    active = layer.activations[unit] > 0
    standing = (
        f"the most active of {len(layer.activations):,}"
        if rank == 1
        else (f"number {rank:,} of {len(layer.activations):,} by activation")
    )
    with st.container(horizontal=True, gap="medium"):
        with st.container(width=260):
            picture = weight_pictures(with_contrast(layer.looks_for[unit][None]))[0]
            st.html(f'<img class="looks-for" src="{data_uri(picture)}" alt="The ink that the unit looks for">')
            st.caption(
                "What it looks for. Blue: ink there excites it. Orange: ink there inhibits it. Black: it does not care."
            )
        with st.container(key="unit-says"):
            st.markdown(
                f"**Unit {unit + 1} of the {name_of(place, len(layers)).lower()}**, activation "
                f"**{layer.activations[unit]:.1f}**: {standing if active else 'silent for this digit'}."
            )
            if place:
                st.markdown(_through(layers[place - 1].active))
            st.html(_says(layer.speaks_for[unit]))
            st.caption(
                "What it adds to each digit's score now, beside the average of all ten. Blue, to the right: for the "
                "digit. Orange and striped, to the left: against it."
            )


def _through(active: int) -> str:
    """How a unit of a later layer comes to see the digit."""
    if not active:
        return "No unit before it is active now: it sees nothing of the digit."
    return (
        f"It sees the digit only through the {active:,} units before it that are active now, and its picture goes "
        "through them as well, so it is another one for another digit."
    )


def _says(says: NDArray[np.float32]) -> str:
    most = max(float(np.abs(says).max()), 1e-12)
    rows = "".join(
        f'<div role="listitem" style="display: contents"><span>{digit}</span><div class="track">'
        f'<div class="bar{" against" if value < 0 else ""}" style="width: {abs(value) / most:.1%}"></div></div>'
        f'<span class="share">{f"{value:+.2f}".replace("-", "−") if abs(value) >= 0.005 else "0"}</span></div>'
        for digit, value in enumerate(map(float, says))
    )
    return f'{STYLE}<div class="unit-says" role="list" aria-label="What the unit says for each digit">{rows}</div>'


def show_exciting(found: Exemplars, layers: Sequence[HiddenLayer]) -> None:
    """The training digits that excite the picked unit most."""
    place, unit = picked_unit(layers)
    exciting = found.exciting[place][unit]
    exciting = exciting[exciting >= 0]
    through = f"{len(found.images):,} images were looked through ({found.images.name})"
    if not len(exciting):
        st.markdown("**No training digit excites it at all.**")
        st.caption(f"{through}: the unit has nothing to do.")
        return
    labels = found.images.labels[exciting]
    st.markdown(f"**The {len(exciting)} training digits that excite it most**")
    with st.container(key="exciting"):
        digit_gallery(found.images.images[exciting], [str(label) for label in labels])
    st.caption(f"The strongest first, with their labels. {through}.")
