"""Records: written, read back, and refused when damaged."""

import dataclasses
import json
from typing import Any

import pytest

from mnist_core import files
from mnist_core.network.calibration import SHARES, Calibration
from mnist_core.versions.records import MAX_EPOCHS_IN_CURVE, Curve, Record, Teaching

SHIPPED = (files.SHIPPED / "article" / "model.json").read_text()


def test_a_shipped_record_is_written_as_it_was_read() -> None:
    for name in ("article", "robust", "best"):
        content = (files.SHIPPED / name / "model.json").read_text()
        record = Record.from_json(content)
        assert json.loads(record.to_json()) == json.loads(content)
        assert Record.from_json(record.to_json()) == record


def test_a_fine_tuned_versions_record_survives_json() -> None:
    record = Record.from_json(SHIPPED)
    evaluation = record.evaluation
    ids = ("a" * 32, "b" * 32)
    teaching = Teaching("article", ("Ann", ""), 30, 2, evaluation, evaluation, evaluation, ids, (), ids)
    taught = dataclasses.replace(record, teaching=teaching)
    written = json.loads(taught.to_json())["teaching"]
    assert (written["taught_with"], written["passed_over"], written["newly_right"]) == (30, 2, list(ids))
    assert written["before"]["accuracy"] == evaluation.accuracy
    assert Record.from_json(taught.to_json()) == taught
    assert taught.learned_from_drawings
    assert not record.learned_from_drawings


def test_a_version_without_calibration_accepts_everything_and_survives_json() -> None:
    record = dataclasses.replace(Record.from_json(SHIPPED), calibration=Calibration())
    assert Record.from_json(record.to_json()) == record


def test_a_record_of_format_4_is_read_without_its_figures_on_non_digits() -> None:
    """Releases up to 0.2.0 wrote them for one kind, whose name they did not record."""
    values = json.loads(SHIPPED)
    record = Record.from_json(SHIPPED)
    for drawn in values["drawings"]:
        del drawn["non_digits"]
        drawn |= {"refused": [9] * len(SHARES), "others": 10, "auroc": 0.9, "auroc_interval_95": [0.8, 0.95]}
    read = Record.from_json(json.dumps(values | {"format": 4}))
    digits_only = tuple(dataclasses.replace(drawn, non_digits=()) for drawn in record.drawings)
    assert read == dataclasses.replace(record, drawings=digits_only)
    assert json.loads(read.to_json())["format"] == 5
    assert Record.from_json(read.to_json()) == read
    assert Record.from_json(json.dumps(with_(format=4, drawings=[]))).drawings == ()


def with_(**fields: Any) -> dict[str, Any]:
    return {**json.loads(SHIPPED), **fields}


def without(field: str) -> dict[str, Any]:
    return {name: value for name, value in json.loads(SHIPPED).items() if name != field}


def with_non_digits(place: int = 0, **fields: Any) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(SHIPPED)
    values["drawings"][0]["non_digits"][place] |= fields
    return values


CALIBRATION = json.loads(SHIPPED)["calibration"]
NONSENSE = {
    "an older format": (with_(format=3), "its format is 3, this program reads 4 and 5"),
    "no format": (without("format"), "its format is None"),
    "no epoch": (without("epoch"), "epoch: Field required"),
    "a list": ([1, 2], "its format is None"),
    "other images": (with_(data="cats"), "data: "),
    "a moment that is none": (with_(created="yesterday"), "created: "),
    "an endless duration": (with_(duration_seconds=float("inf")), "duration_seconds: "),
    "a recipe that is none": (with_(recipe=[]), "recipe: "),
    "a recipe with nonsense": (with_(recipe={"epochs": 0}), "recipe: .*epochs"),
    "other shares": (with_(calibration={**CALIBRATION, "accepted_shares": [0.5]}), "other shares"),
    "too few thresholds": (with_(calibration={**CALIBRATION, "thresholds": [0.5]}), "damaged thresholds"),
    "a threshold that is no number": (
        with_(calibration={**CALIBRATION, "thresholds": [float("nan")] * len(SHARES)}),
        "damaged thresholds",
    ),
    "a negative temperature": (with_(calibration={**CALIBRATION, "temperature": -1}), "temperature"),
    "a curve of uneven lists": (with_(curve={"epoch": [1, 2], "train_loss": [0.5]}), "differ in length"),
    "an accuracy that is no number": (with_(validation_accuracy=float("nan")), "validation_accuracy: "),
    "an evaluation that is none": (with_(evaluation=None), "evaluation: "),
    "an absurd count": (with_(epoch=10**30), "epoch: "),
    "more declined than there are": (with_non_digits(images=1), "drawings.0.non_digits.0: .* contradict each other"),
    "more than any threshold": (with_non_digits(refused=[0] * 20), "drawings.0.non_digits.0.refused: "),
    "a kind twice": (with_non_digits(1, kind="letters"), "drawings.0: .* twice"),
    "a kind without a name": (with_non_digits(kind=""), "drawings.0.non_digits.0.kind: "),
}


@pytest.mark.parametrize(("values", "words"), NONSENSE.values(), ids=NONSENSE)
def test_a_damaged_record_is_refused_in_a_few_words(values: object, words: str) -> None:
    with pytest.raises(ValueError, match=words) as refused:
        Record.from_json(json.dumps(values))
    assert len(str(refused.value)) < 300
    assert "\n" not in str(refused.value)


def test_a_long_curve_is_thinned_and_keeps_its_last_epoch() -> None:
    epochs = [
        {"epoch": epoch, "train_loss": 1 / epoch, "validation_loss": 2 / epoch, "validation_accuracy": 0.9}
        for epoch in range(1, 1001)
    ]
    curve = Curve.of(epochs)
    assert len(curve.epoch) <= MAX_EPOCHS_IN_CURVE
    assert curve.epoch[-1] == 1000
    assert curve.train_accuracy == ()
    assert curve.train_loss[-1] == 0.001
