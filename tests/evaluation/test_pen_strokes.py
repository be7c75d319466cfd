"""Reading, drawing and evaluating pen strokes."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from pydantic import TypeAdapter
from sklearn.metrics import roc_auc_score

from mnist_core import DigitClassifier
from mnist_core.errors import DatasetError
from mnist_core.evaluation.pen_strokes import (
    DrawingsEvaluation,
    digit_labels,
    draw_frames,
    evaluate_drawings,
    judge_drawings,
)
from mnist_core.files import data_dir
from mnist_core.images.datasets import LabelledImages
from mnist_core.images.framing import normalize_drawing
from mnist_core.images.strokes import SETTINGS, Character, Setting, read_characters, render
from mnist_core.versions import registry

PEN = data_dir() / "pen"
SEVEN = {"label": "7", "writer": "me", "strokes": [[[0, 0], [600, 20], [300, 500], [200, 1000]]]}
ONE = {"label": "1", "writer": "me", "strokes": [[[0, 0], [10, 1000]]]}
ZERO = {
    "label": "0",
    "strokes": [[[300 + 300 * np.cos(t), 500 + 500 * np.sin(t)] for t in np.linspace(0, 2 * np.pi, 40)]],
}
CROSS = {"label": "x", "strokes": [[[0, 0], [700, 1000]], [[700, 0], [0, 1000]]]}


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


def test_digits_and_other_shapes_are_evaluated_at_every_setting(
    digits: list[Character], classifier: DigitClassifier, tmp_path: Path
) -> None:
    others = read_characters(write(tmp_path / "letters.jsonl.gz", CROSS, CROSS))
    evaluations = list(evaluate_drawings(classifier, digits, others, name="mine"))
    assert [evaluation.setting for evaluation in evaluations] == [setting.name for setting in SETTINGS]
    for evaluation, setting in zip(evaluations, SETTINGS, strict=True):
        frames = [np.stack([normalize_drawing(render(c.strokes, setting)) for c in part]) for part in (digits, others)]
        answers = classifier.predict_frames(frames[0]).argmax(axis=1)
        assert evaluation.digits.correct == (answers == [7, 1, 0]).sum()
        assert evaluation.digits.on == f"mine, {setting.name}"
        scores = [classifier.ood_scores(part) for part in frames]
        assert evaluation.auroc == pytest.approx(roc_auc_score([0, 0, 0, 1, 1], np.concatenate(scores)))
        assert evaluation.others == 2
        values = json.loads(json.dumps(evaluation.to_dict()))
        assert TypeAdapter(DrawingsEvaluation).validate_python(values) == evaluation


def test_letters_are_not_taken_for_digits(tmp_path: Path, classifier: DigitClassifier) -> None:
    with pytest.raises(DatasetError, match="'x'"):
        list(evaluate_drawings(classifier, read_characters(write(tmp_path / "x.jsonl.gz", SEVEN, CROSS))))


@pytest.mark.skipif(not PEN.exists(), reason="no pen drawings: set MNIST_DATA to a folder that has pen/")
def test_shipped_versions_classify_real_handwriting_and_decline_letters() -> None:
    """Every 30th of thousands of real characters, at half the settings; the benchmark takes all of them."""
    digits, letters = (read_characters(PEN / f"{kind}.jsonl.gz")[::30] for kind in ("digits", "letters"))
    for setting in SETTINGS[::2]:
        drawn = LabelledImages(setting.name, draw_frames(digits, setting), digit_labels(digits))
        others = draw_frames(letters, setting)
        for name, least in (("robust", 0.945), ("best", 0.95)):
            evaluation = judge_drawings(DigitClassifier.load(registry.find(name)), setting, drawn, others)
            assert evaluation.digits.accuracy >= least, (name, setting)
            assert evaluation.auroc is not None
            assert evaluation.auroc >= 0.95, (name, setting)
