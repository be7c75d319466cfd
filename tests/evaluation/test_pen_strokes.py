"""Reading, drawing and evaluating pen strokes."""

import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import TypeAdapter
from sklearn.metrics import roc_auc_score

from mnist_core import DigitClassifier
from mnist_core.errors import DatasetError
from mnist_core.evaluation.pen_strokes import (
    DrawingsEvaluation,
    NonDigitsEvaluation,
    digit_labels,
    draw_frames,
    evaluate_drawings,
    judge_drawings,
)
from mnist_core.evaluation.statistics import Interval
from mnist_core.files import data_dir
from mnist_core.images.datasets import Dataset, LabelledImages
from mnist_core.images.framing import normalize_drawing
from mnist_core.images.strokes import SETTINGS, Character, Setting, read_characters, render
from mnist_core.network.calibration import ACCEPTED, SHARES, SURE_CONFIDENCE
from mnist_core.versions import registry

PEN = data_dir() / "pen"
SEVEN = {"label": "7", "writer": "me", "strokes": [[[0, 0], [600, 20], [300, 500], [200, 1000]]]}
ONE = {"label": "1", "writer": "me", "strokes": [[[0, 0], [10, 1000]]]}
ZERO = {
    "label": "0",
    "strokes": [[[300 + 300 * np.cos(t), 500 + 500 * np.sin(t)] for t in np.linspace(0, 2 * np.pi, 40)]],
}
CROSS = {"label": "x", "strokes": [[[0, 0], [700, 1000]], [[700, 0], [0, 1000]]]}


BAR = {"label": "-", "strokes": [[[0, 0], [1000, 10]]]}


def framed(characters: list[Character], setting: Setting) -> NDArray[np.uint8]:
    return np.stack([normalize_drawing(render(character.strokes, setting)) for character in characters])


def write(path: Path, *entries: object) -> Path:
    with gzip.open(path, "wt") as file:
        file.writelines(json.dumps(entry) + "\n" for entry in entries)
    return path


@pytest.fixture
def digits(tmp_path: Path) -> list[Character]:
    return read_characters(write(tmp_path / "digits.jsonl.gz", SEVEN, ONE, ZERO))


def test_characters_are_read_as_they_were_written(digits: list[Character]) -> None:
    assert [digit.label for digit in digits] == ["7", "1", "0"]
    assert digits[0].strokes[0].tolist() == SEVEN["strokes"][0]  # type: ignore[index]


@pytest.mark.parametrize(
    "entries",
    [[{"label": "7"}], [SEVEN, {"label": "7", "strokes": []}], [SEVEN, [1, 2]], [{**SEVEN, "strokes": [[[1]]]}]],
)
def test_damaged_lines_are_named(tmp_path: Path, entries: list[object]) -> None:
    with pytest.raises(DatasetError, match=rf"line {len(entries)}, cannot be read"):
        read_characters(write(tmp_path / "bad.jsonl.gz", *entries))


def test_other_files_are_refused(tmp_path: Path) -> None:
    plain = tmp_path / "plain.jsonl.gz"
    plain.write_text(json.dumps(SEVEN))
    for path in (plain, tmp_path / "missing.jsonl.gz", write(tmp_path / "empty.jsonl.gz")):
        with pytest.raises(DatasetError, match="Give a"):
            read_characters(path)


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_a_character_fills_its_share_of_the_canvas(digits: list[Character], setting: Setting) -> None:
    canvas = render(digits[1].strokes, setting)
    assert canvas.shape == (280, 280)
    rows, columns = np.nonzero(canvas < 128)
    assert np.ptp(rows) + 1 == pytest.approx(setting.size * 280 + setting.pen, abs=2)
    assert np.ptp(columns) + 1 == pytest.approx(setting.pen + setting.size * 2.8, abs=2)
    if setting.in_corner:
        assert (rows.min(), columns.min()) < (6, 6)
    else:
        assert (rows.max() + rows.min()) / 2 == pytest.approx(139.5, abs=1)


def test_a_dot_is_as_round_and_as_wide_as_the_pen() -> None:
    canvas = render((np.array([[5.0, 5.0]]),), Setting(0.6, 20))
    assert (255 - canvas.astype(float)).sum() / 255 == pytest.approx(np.pi * 10**2, rel=0.03)


def test_a_stroke_has_the_area_of_a_bar_with_round_ends() -> None:
    canvas = render((np.array([[0.0, 0.0], [1000.0, 0.0]]),), Setting(0.6, 20))
    assert (255 - canvas.astype(float)).sum() / 255 == pytest.approx(168 * 20 + np.pi * 10**2, rel=0.02)


def test_digits_and_non_digits_are_evaluated_at_every_setting(
    digits: list[Character], classifier: DigitClassifier, tmp_path: Path
) -> None:
    kinds = {"letters": [CROSS, CROSS], "bars": [BAR, CROSS, BAR]}
    non_digits = {kind: read_characters(write(tmp_path / kind, *entries)) for kind, entries in kinds.items()}
    evaluations = list(evaluate_drawings(classifier, digits, non_digits, name="mine"))
    assert [evaluation.setting for evaluation in evaluations] == [setting.name for setting in SETTINGS]
    for evaluation, setting in zip(evaluations, SETTINGS, strict=True):
        frames = framed(digits, setting)
        answers = classifier.predict_frames(frames).argmax(axis=1)
        assert evaluation.digits.correct == (answers == [7, 1, 0]).sum()
        assert evaluation.digits.on == f"mine, {setting.name}"
        assert [(part.kind, part.images) for part in evaluation.non_digits] == [("letters", 2), ("bars", 3)]
        for part, characters in zip(evaluation.non_digits, non_digits.values(), strict=True):
            shapes = framed(characters, setting)
            scores = np.concatenate([classifier.ood_scores(frames), classifier.ood_scores(shapes)])
            assert part.auroc == pytest.approx(roc_auc_score(np.repeat([0, 1], [3, part.images]), scores))
            answers_to_shapes = [classifier.predict_frame(shape) for shape in shapes]
            place = SHARES.index(ACCEPTED)
            assert part.refused[place] == sum(not answer.accepted for answer in answers_to_shapes)
            assert part.sure[place] == sum(answer.sure for answer in answers_to_shapes)
        values = json.loads(json.dumps(evaluation.to_dict()))
        assert TypeAdapter(DrawingsEvaluation).validate_python(values) == evaluation


def test_what_is_declined_and_what_is_called_a_sure_digit_is_counted_at_each_threshold(sample: Dataset) -> None:
    reader = DigitClassifier.load(registry.find("best"))
    digits, shapes = sample.test.part("digits", np.arange(50)), np.rot90(sample.test.images[:300], axes=(1, 2))
    (part,) = judge_drawings(reader, SETTINGS[0], digits, {"rotated": shapes}).non_digits
    scores, confidences = reader.ood_scores(shapes), reader.predict_frames(shapes).max(axis=1)
    for share, refused, sure in zip(SHARES, part.refused, part.sure, strict=True):
        accepted = scores <= reader.calibration.threshold(share)
        assert refused == (~accepted).sum()
        assert sure == (accepted & (confidences >= SURE_CONFIDENCE)).sum()
    assert part.refused[0] > part.refused[-1], "the strictest threshold declines more than the most lenient"
    assert 0 < part.sure[0] < part.sure[-1]


COUNTS = tuple(1 for _ in SHARES)
GOOD = NonDigitsEvaluation("letters", 2, COUNTS, COUNTS, 0.5, Interval(0.4, 0.6))


@pytest.mark.parametrize(
    "changes",
    [
        {"images": 1},
        {"images": 0, "refused": (0,) * len(SHARES), "sure": (0,) * len(SHARES)},
        {"refused": (*COUNTS[1:], 3)},
        {"sure": (2, *COUNTS[1:])},
        {"refused": COUNTS[1:]},
        {"sure": ()},
    ],
    ids=str,
)
def test_counts_of_non_digits_that_contradict_each_other_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="contradict"):
        replace(GOOD, **changes)


def test_no_kind_of_non_digits_is_evaluated_twice(digits: list[Character], classifier: DigitClassifier) -> None:
    (evaluation, *_) = evaluate_drawings(classifier, digits)
    assert evaluation.non_digits == ()
    assert replace(evaluation, non_digits=(GOOD, replace(GOOD, kind="symbols"))).non_digits[0] == GOOD
    with pytest.raises(ValueError, match="twice"):
        replace(evaluation, non_digits=(GOOD, GOOD))


def test_letters_are_not_taken_for_digits(tmp_path: Path, classifier: DigitClassifier) -> None:
    with pytest.raises(DatasetError, match="'x'"):
        list(evaluate_drawings(classifier, read_characters(write(tmp_path / "x.jsonl.gz", SEVEN, CROSS))))


@pytest.mark.skipif(not PEN.exists(), reason="no pen drawings: set MNIST_DATA to a folder that has pen/")
def test_shipped_versions_classify_real_handwriting_and_decline_letters() -> None:
    """Every 30th of thousands of real characters, at half the settings; the benchmark takes all of them."""
    digits, letters = (read_characters(PEN / f"{kind}.jsonl.gz")[::30] for kind in ("digits", "letters"))
    for setting in SETTINGS[::2]:
        drawn = LabelledImages(setting.name, draw_frames(digits, setting), digit_labels(digits))
        shapes = {"letters": draw_frames(letters, setting)}
        for name, least in (("robust", 0.945), ("best", 0.95)):
            evaluation = judge_drawings(DigitClassifier.load(registry.find(name)), setting, drawn, shapes)
            assert evaluation.digits.accuracy >= least, (name, setting)
            assert evaluation.non_digits[0].auroc >= 0.95, (name, setting)
