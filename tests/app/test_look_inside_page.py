"""The Look inside page without a browser; tests/browser looks at how its network is drawn."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from streamlit.testing.v1 import AppTest

from mnist_core import DigitClassifier, files
from mnist_core.explanation.robustness import Movement, move, reach
from mnist_core.explanation.units import look_inside
from mnist_core.images.datasets import Dataset
from mnist_core.network.model import MLP
from mnist_core.versions import registry

APP = str(Path(__file__).parents[2] / "app.py")


@pytest.fixture(autouse=True)
def without_mnist(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Search the bundled sample for training digits, which is quicker."""
    monkeypatch.setenv("MNIST_DATA", str(tmp_path))


@pytest.fixture
def empty() -> AppTest:
    """Open the page without a drawing."""
    return AppTest.from_file(APP, default_timeout=60).switch_page("pages/3_Look_inside.py").run()


@pytest.fixture
def page(empty: AppTest, sample: Dataset) -> AppTest:
    """Open the page with a drawing on the board."""
    empty.session_state["visit"].things["board-canvas"].put(sample.test.images[3], "an example")
    return empty.run()


@pytest.fixture
def frame(page: AppTest) -> NDArray[np.uint8]:
    drawn: NDArray[np.uint8] = page.session_state["visit"].things["board-canvas"].frame()
    return drawn


def html(page: AppTest) -> str:
    return "".join(element.proto.body for element in page.get("html"))


def words(page: AppTest) -> str:
    return "\n".join(element.value for element in (*page.markdown, *page.caption))


def network(page: AppTest) -> dict[str, Any]:
    """Return what was sent to the component that draws the network."""
    sent = [json.loads(component.proto.json) for component in page.get("bidi_component")]
    return next(data for data in sent if "layers" in data)


def test_without_a_drawing_it_invites_to_one_and_an_example_is_one_click_away(empty: AppTest) -> None:
    assert not empty.exception
    assert "Start with one:" in words(empty)
    assert not empty.slider
    next(button for button in empty.button if button.label == "Try an example").click().run()
    assert not empty.exception
    assert "Answer:" in html(empty)
    assert len(empty.slider) == 4


def test_the_moved_digit_is_classified_and_the_page_says_when_the_answer_changes(
    page: AppTest, frame: NDArray[np.uint8]
) -> None:
    reader = DigitClassifier.load()
    digit = reader.predict_frame(frame).digit
    assert f"Answer: {digit}" in html(page)
    found = reach(reader, frame, "rotation")
    assert f"The answer stays {digit} from {-found.low:g}° left to {found.high:g}° right." in words(page)
    page.slider(key="move-rotation").set_value(90.0).run()
    page.slider(key="move-down").set_value(-10.0).run()
    assert not page.exception
    turned = reader.predict_frame(move(frame, Movement(rotation=90, down=-10)))
    assert [output["share"] for output in network(page)["outputs"]] == pytest.approx(turned.probabilities)
    next(button for button in page.button if button.label == "Reset").click().run()
    assert f"Answer: {digit}" in html(page)


def test_the_most_active_units_are_sent_and_the_first_of_the_last_layer_is_picked(
    page: AppTest, frame: NDArray[np.uint8]
) -> None:
    layers = look_inside(DigitClassifier.load().model, frame)
    sent = network(page)
    for layer, drawn in zip(layers, sent["layers"], strict=True):
        assert [unit["unit"] for unit in drawn["units"]] == layer.strongest_first[:24].tolist()
        assert drawn["detail"] == f"{layer.active:,} of {len(layer.activations):,} active"
    unit = int(layers[-1].strongest_first[0])
    assert sent["picked"] == [1, unit]
    assert f"Unit {unit + 1} of the second hidden layer" in words(page)
    assert html(page).count("<figure>") == 10
    assert "5,000 images were searched (bundled sample)" in words(page)


def test_a_unit_that_is_picked_is_shown_even_if_it_is_inactive(page: AppTest, frame: NDArray[np.uint8]) -> None:
    layer = look_inside(DigitClassifier.load().model, frame)[0]
    inactive = int(np.flatnonzero(layer.activations == 0)[0])
    page.session_state["picked_unit"] = (0, inactive)
    page.run()
    assert not page.exception
    assert f"Unit {inactive + 1} of the first hidden layer" in words(page)
    assert "inactive for this digit" in words(page)
    assert inactive in [unit["unit"] for unit in network(page)["layers"][0]["units"]]


@pytest.mark.parametrize("hidden", [(6,), (5, 40, 7)], ids=["one hidden layer", "three"])
def test_a_version_of_any_depth_is_shown_and_a_unit_picked_in_another_is_forgotten(
    weights: Path, page: AppTest, hidden: tuple[int, ...]
) -> None:
    record = registry.read_record(files.SHIPPED / "article")
    recipe = dataclasses.replace(record.recipe, hidden=hidden)
    torch.manual_seed(0)
    registry.save_version(
        weights / "runs" / "mine", MLP(recipe.layer_sizes), dataclasses.replace(record, recipe=recipe)
    )
    (weights / "active").write_text('{"name": "runs/mine", "how": "promoted", "since": ""}\n')
    page.session_state["picked_unit"] = (1, 900)
    page.run()
    assert not page.exception
    assert not page.warning
    assert [len(layer["units"]) for layer in network(page)["layers"]] == [min(units, 24) for units in hidden]


def test_a_damaged_version_is_reported_and_the_shipped_one_is_shown(weights: Path, page: AppTest) -> None:
    (weights / "active").write_text('{"name": "runs/missing", "how": "promoted", "since": ""}\n')
    page.run()
    assert not page.exception
    assert "shipped one answers" in page.warning[0].value
    assert len(network(page)["layers"]) == 2
