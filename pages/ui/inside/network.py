"""The network drawn as layers: units as small pictures of what they look for, connected by lines for what they pass on.

`network.js` draws it, so that the keyboard focus stays and nothing flickers while the digit moves.
"""

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

MOST_UNITS = 24  # shown of each layer
LINES_PER_UNIT = 6  # at most, both into it and out of it
SHADES = 12  # of each colour in small pictures, which halves their size
NETWORK, PICKED = "network", "picked_unit"
ORDINALS = ("First", "Second", "Third", "Fourth", "Fifth", "Sixth")

draw_network = st.components.v2.component(
    "mnist_network",
    css=Path(__file__).with_suffix(".css").read_text(encoding="utf-8"),
    js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8"),
)


def name_of(layer: int, layers: int) -> str:
    """Return what a hidden layer is called."""
    return "Hidden layer" if layers == 1 else f"{ORDINALS[layer]} hidden layer"


def picked_unit(layers: Sequence[HiddenLayer]) -> tuple[int, int]:
    """Return the layer and unit that the visitor picked, or the most active unit of the last layer."""
    layer, unit = st.session_state.get(PICKED, (-1, -1))
    if 0 <= layer < len(layers) and 0 <= unit < len(layers[layer].activations):
        return layer, unit
    return len(layers) - 1, int(layers[-1].strongest_first[0])


def show_network(frame: NDArray[np.uint8], layers: Sequence[HiddenLayer], prediction: Prediction) -> None:
    """Draw the frame, its way through the layers, and the answer; a click on a unit picks it."""
    picked = picked_unit(layers)
    shown = [_shown(layer, picked[1] if place == picked[0] else None) for place, layer in enumerate(layers)]
    carried = [by_patch(layers[0].incoming), *(layer.incoming for layer in layers[1:]), layers[-1].speaks_for.T]
    ends = [np.arange(carried[0].shape[1]), *shown, np.arange(len(prediction.probabilities))]
    gaps = [
        [
            (line.source, line.target, round(line.strength, 3))
            for line in strongest_connections(flow, source, target, LINES_PER_UNIT)
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
    """Remember what was picked. The browser may send anything, so `picked_unit` checks it."""
    sent = st.session_state[NETWORK].picked
    if sent:
        st.session_state[PICKED] = (int(sent["layer"]), int(sent["unit"]))


def _shown(layer: HiddenLayer, picked: int | None) -> NDArray[np.intp]:
    """Return the most active units, and the picked one even if it is not among them."""
    units = layer.strongest_first[:MOST_UNITS].copy()
    if picked is not None and picked not in units:
        units[-1] = picked
    return units


def _layer(layer: HiddenLayer, units: NDArray[np.intp], place: int, layers: int) -> dict[str, Any]:
    """Return what network.js needs to draw a layer."""
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
    """Return the tooltip."""
    says = layer.speaks_for[unit]
    if not says.any():
        return f"{_label(layer, place, unit)}\nHas no effect on this answer."
    return f"{_label(layer, place, unit)}\nSpeaks most for {says.argmax()}, most against {says.argmin()}."


def show_unit(layers: Sequence[HiddenLayer]) -> None:
    """Show the picked unit: what it looks for, how active it is, and what it adds to each digit's score."""
    place, unit = picked_unit(layers)
    layer = layers[place]
    rank = int(np.flatnonzero(layer.strongest_first == unit)[0]) + 1
    active = layer.activations[unit] > 0
    standing = (
        f"the most active of {len(layer.activations):,}"
        if rank == 1
        else (f"rank {rank:,} of {len(layer.activations):,} by activation")
    )
    with st.container(horizontal=True, gap="medium"):
        with st.container(width=260):
            picture = weight_pictures(with_contrast(layer.looks_for[unit][None]))[0]
            st.html(f'<img class="looks-for" src="{data_uri(picture)}" alt="The ink that the unit looks for">')
            st.caption(
                "What it looks for. Ink on blue excites it, ink on orange inhibits it, ink on black has no effect."
            )
        with st.container(key="unit-says"):
            st.markdown(
                f"**Unit {unit + 1} of the {name_of(place, len(layers)).lower()}**, activation "
                f"**{layer.activations[unit]:.1f}**: {standing if active else 'inactive for this digit'}."
            )
            if place:
                st.markdown(_through(layers[place - 1].active))
            st.html(_says(layer.speaks_for[unit]))
            st.caption(
                "What it adds to each digit's score, compared with the average of all ten. Blue, to the right: for the "
                "digit. Orange stripes, to the left: against it."
            )


def _through(active: int) -> str:
    """Return how a unit of a later layer sees the digit."""
    if not active:
        return "No unit in the layer before is active, so it sees nothing of the digit."
    return (
        f"It sees the digit only through the {active:,} active units of the layer before. Its picture depends on them, "
        "and so looks different for another digit."
    )


def _says(says: NDArray[np.float32]) -> str:
    most = max(float(np.abs(says).max()), 1e-12)
    rows = "".join(
        f'<div role="listitem" style="display: contents"><span>{digit}</span><div class="track">'
        f'<div class="bar{" against" if value < 0 else ""}" style="width: {abs(value) / most:.1%}"></div></div>'
        f'<span class="share">{f"{value:+.2f}".replace("-", "−") if abs(value) >= 0.005 else "0"}</span></div>'
        for digit, value in enumerate(map(float, says))
    )
    return f'<div class="unit-says" role="list" aria-label="What the unit adds to the score of each digit">{rows}</div>'


def show_exciting(found: Exemplars, layers: Sequence[HiddenLayer]) -> None:
    """Show the training digits that excite the picked unit most."""
    place, unit = picked_unit(layers)
    exciting = found.exciting[place][unit]
    exciting = exciting[exciting >= 0]
    searched = f"{len(found.images):,} images were searched ({found.images.name})"
    if not len(exciting):
        st.markdown("**No training digit excites it.**")
        st.caption(f"{searched}.")
        return
    labels = found.images.labels[exciting]
    st.markdown(f"**The {len(exciting)} training digits that excite it most**")
    with st.container(key="exciting"):
        digit_gallery(found.images.images[exciting], [str(label) for label in labels])
    st.caption(f"Strongest first, with their labels. {searched}.")
