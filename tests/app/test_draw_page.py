"""The Draw page without a browser: AppTest runs it, the canvas's messages are put into the session by hand."""

import base64
import io
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from streamlit.testing.v1 import AppTest

from mnist_core import DigitClassifier, normalize_drawing
from mnist_core.images import framing, ink
from mnist_core.images.datasets import Dataset
from mnist_core.images.framing import Drawing
from mnist_core.images.strokes import draw_strokes

APP = str(Path(__file__).parents[2] / "app.py")


@pytest.fixture
def page() -> AppTest:
    return AppTest.from_file(APP, default_timeout=60).run()


def html(page: AppTest) -> str:
    """What the answer panel says."""
    return "".join(element.proto.body for element in page.get("html"))


def drawing(digit: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A digit of MNIST as the canvas would send it: dark ink on white paper, RGBA."""
    return np.asarray(Image.fromarray(255 - digit).resize((280, 280)).convert("RGBA"))


def draw(page: AppTest, picture: NDArray[np.uint8], strokes: int = 1) -> AppTest:
    """What the browser sends after a stroke."""
    page.session_state["canvas"] = canvas_message(picture, strokes)
    return page.run()


def canvas_message(picture: NDArray[np.uint8], strokes: int = 1) -> dict[str, dict[str, Any]]:
    """What a canvas says of a picture."""
    png = io.BytesIO()
    Image.fromarray(picture).save(png, "PNG")
    return {
        "drawing": {
            "raw": {"objects": [{"type": "Path"}] * strokes},
            "data": "data:image/png;base64," + base64.b64encode(png.getvalue()).decode(),
        }
    }


def pixels(png: str) -> NDArray[np.uint8]:
    """The picture in a PNG that is written in base 64."""
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(png))))


def press(page: AppTest, label: str) -> AppTest:
    return next(button for button in page.button if button.label == label).click().run()


def test_before_the_first_stroke_it_says_what_to_do_and_classifies_nothing(page: AppTest) -> None:
    assert not page.exception
    assert "Draw a digit" in html(page)
    assert "Answer:" not in html(page)


def test_a_drawing_is_answered_with_the_classifiers_answer(page: AppTest, sample: Dataset) -> None:
    picture = drawing(sample.test.images[3])
    expected = DigitClassifier.load().predict(picture)
    draw(page, picture)
    assert not page.exception
    assert f'aria-label="Answer: {expected.digit}"' in html(page)
    assert html(page).count('role="listitem"') == 10


def test_the_frame_shown_is_the_frame_the_network_saw(page: AppTest, sample: Dataset) -> None:
    picture = drawing(sample.test.images[5])
    shown = html(draw(page, picture)).split("data:image/png;base64,")[1].split('"')[0]
    assert (pixels(shown) == normalize_drawing(picture)).all()


def test_it_says_what_speaks_for_the_answer_and_for_the_runner_up(page: AppTest, sample: Dataset) -> None:
    picture = drawing(sample.test.images[3])
    prediction = DigitClassifier.load().predict(picture)
    shown = html(draw(page, picture))
    assert f"Why {prediction.digit}?" in shown
    assert f"More {prediction.digit} than {prediction.runner_up} because of the blue ink" in shown
    reasons = shown.split('class="reasons"')[1]
    drawn, *reasons = (part.split('"')[0] for part in reasons.split("data:image/png;base64,")[1:])
    assert np.array_equal(pixels(drawn.removesuffix(")")), picture), "the visitor's own drawing, to be coloured"
    pictures = [pixels(reason) for reason in reasons]
    assert len(pictures) == 3
    assert not np.array_equal(pictures[0], pictures[1])
    press(page, "Clear")
    assert "Why " not in html(page)


def test_a_stroke_is_framed_once(page: AppTest, sample: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """With all that the page can show open, a label pressed, and the same drawing looked into."""
    done: list[str] = []

    def counting(module: ModuleType, name: str) -> None:
        original = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *given, **named: (done.append(name), original(*given, **named))[1])

    for module, name in ((framing, "find_ink"), (framing, "_frame"), (framing, "find_problems"), (ink, "_pixels")):
        counting(module, name)
    page.session_state["nearest"] = True
    page.session_state["rival"] = "article"
    draw(page, drawing(sample.test.images[3]))
    assert "% alike" in html(page)
    page.pills(key="labels").set_value(7).run()
    press(page, "Keep them")
    page.switch_page("pages/3_Look_inside.py").run()
    assert not page.exception
    assert sorted(done) == ["_frame", "_pixels", "find_ink", "find_problems"]
    page.switch_page("app.py").run()
    draw(page, drawing(sample.test.images[5]))
    assert done.count("_frame") == 2, "another drawing is framed, once"


def test_the_nearest_training_digits_are_there_when_asked_for(page: AppTest, sample: Dataset) -> None:
    draw(page, drawing(sample.test.images[3]))
    assert "alike" not in html(page)
    page.session_state["nearest"] = True
    page.run()
    assert not page.exception
    assert html(page).count("% alike</figcaption>") == 5


def test_clear_forgets_the_drawing(page: AppTest, sample: Dataset) -> None:
    draw(page, drawing(sample.test.images[3]))
    press(page, "Clear")
    assert "Answer:" not in html(page)


def test_undo_brings_back_what_was_cleared(page: AppTest, sample: Dataset) -> None:
    draw(page, drawing(sample.test.images[3]))
    before = html(page)
    press(page, "Clear")
    press(page, "Undo")
    assert html(page) == before


def test_what_the_canvas_sent_before_it_was_told_to_show_something_else_changes_nothing(page: AppTest) -> None:
    board = page.session_state["visit"].things["board-canvas"]
    blank = canvas_message(np.full((280, 280, 4), 255, np.uint8), strokes=0)
    blank["drawing"]["raw"]["background"] = board.paper
    press(page, "Try an example")
    before = html(page)
    page.session_state["canvas"] = blank
    page.run()
    assert "Answer:" in before
    assert html(page) == before
    blank["drawing"]["raw"]["background"] = board.paper
    page.run()
    assert "Answer:" not in html(page)


def test_a_reloaded_demo_goes_on_where_it_was() -> None:
    page = AppTest.from_file(APP, default_timeout=60)
    page.query_params["demo"] = "3"
    page.run()
    assert "Stop 3 of 5" in page.markdown[0].value
    press(page, "Leave the demo")
    assert "demo" not in page.query_params
    assert not any("Stop" in element.value for element in page.markdown)


def test_undo_of_the_only_stroke_leaves_clean_paper(page: AppTest, sample: Dataset) -> None:
    draw(page, drawing(sample.test.images[3]))
    press(page, "Undo")
    assert "Answer:" not in html(page)


def test_blank_paper_sent_by_the_canvas_is_not_classified(page: AppTest) -> None:
    draw(page, np.full((280, 280, 4), 255, np.uint8), strokes=0)
    assert not page.exception
    assert "Answer:" not in html(page)


def test_an_invisible_stroke_is_not_classified(page: AppTest) -> None:
    draw(page, np.full((280, 280, 4), 255, np.uint8), strokes=1)
    assert not page.exception
    assert "Answer:" not in html(page)


def test_an_example_is_shown_with_its_label(page: AppTest) -> None:
    press(page, "Try an example")
    assert "Answer:" in html(page)
    assert any("labelled" in caption.value for caption in page.caption)


def test_drawing_and_answer_survive_a_visit_to_the_train_page(page: AppTest, sample: Dataset) -> None:
    draw(page, drawing(sample.test.images[3]))
    before = html(page)
    page.switch_page("pages/1_Train.py").run()
    assert not page.exception
    page.switch_page("app.py").run()
    assert "Answer:" in before
    assert html(page) == before


SCRIBBLE = [[(40, 60), (240, 90), (60, 240), (220, 40), (50, 150), (240, 220), (140, 30), (90, 250), (200, 120)]]
TALL_LINES = [[(60, 40), (60, 240)], [(120, 40), (120, 240)], [(180, 40), (180, 240)], [(60, 140), (180, 140)]]


def pen(strokes: list[list[tuple[float, float]]]) -> NDArray[np.uint8]:
    """What the canvas sends after these strokes."""
    grey = draw_strokes([np.array(stroke, float) for stroke in strokes], 20)
    return np.dstack([grey, grey, grey, np.full_like(grey, 255)])


def test_what_is_no_digit_is_declined_with_the_likeliest_digit(page: AppTest) -> None:
    for strokes in (SCRIBBLE, TALL_LINES):
        picture = pen(strokes)
        expected = DigitClassifier.load().predict(picture)
        draw(page, picture)
        assert not expected.accepted
        assert "does not look like a digit" in html(page)
        assert f"If it is one: {expected.digit}" in html(page)


def test_a_declined_drawing_is_told_what_it_has_that_no_digit_has(page: AppTest) -> None:
    declined = "his does not look like a digit: it has three closed loops"
    draw(page, pen(SCRIBBLE))
    assert f'aria-label="Answer: t{declined}"' in html(page)
    assert f"T{declined}. If it is one: " in html(page)
    draw(page, pen(TALL_LINES))
    assert "This does not look like a digit. If it is one: " in html(page), "nothing that a digit cannot have"


def test_two_versions_that_decline_give_the_same_reason(page: AppTest) -> None:
    page.session_state["rival"] = "robust"
    draw(page, pen(SCRIBBLE))
    assert html(page).count("This does not look like a digit: it has three closed loops.") == 2


def test_an_accepted_drawing_is_told_no_reason(page: AppTest) -> None:
    """A window, with four panes, which is more than an eight has."""
    outline: list[tuple[float, float]] = [(60, 60), (220, 60), (220, 220), (60, 220), (60, 140), (60, 60)]
    picture = pen([outline, [(140, 60), (140, 220)], [(60, 140), (220, 140)]])
    page.session_state["strictness"] = 1.0
    draw(page, picture)
    assert DigitClassifier.load().predict(picture, accept=1.0).accepted
    assert Drawing.of(picture).reasons == ("four closed loops",)
    assert "closed loops" not in html(page)


def test_an_unsure_answer_shows_the_two_likeliest(page: AppTest, sample: Dataset) -> None:
    reader = DigitClassifier.load()
    pictures = map(drawing, sample.train.images)
    picture = next(p for p in pictures if (answer := reader.predict(p)).accepted and not answer.sure)
    prediction = reader.predict(picture)
    draw(page, picture)
    assert "Not sure" in html(page)
    assert f"Answer: not sure, {prediction.digit} or {prediction.runner_up}" in html(page)


def test_the_dial_moves_the_threshold_and_says_what_that_does(page: AppTest, sample: Dataset) -> None:
    reader = DigitClassifier.load()
    strict, lenient = reader.calibration.threshold(0.8), reader.calibration.threshold(0.99)
    pictures = map(drawing, sample.train.images)
    picture = next(p for p in pictures if strict < reader.predict(p).ood_score < lenient)
    draw(page, picture)
    assert "does not look like a digit" not in html(page)
    before = page.markdown[-1].value
    page.select_slider(key="strictness").set_value(0.8).run()
    assert not page.exception
    assert "does not look like a digit" in html(page)
    after = page.markdown[-1].value
    assert before != after
    for words in (before, after):
        assert "would be answered" in words
        assert "would be correct" in words
        assert "95% interval" in words
        for kind in ("letters", "symbols", "sketches"):
            assert f"% of the {kind} would be declined" in words


def test_what_may_be_wrong_is_told(page: AppTest) -> None:
    draw(page, pen([[(140, 100), (140, 275)]]))
    assert "touches the edge" in html(page)
    draw(page, pen([[(60, 40), (60, 240)], [(200, 40), (200, 240)]]))
    assert "two separate digits" in html(page)
    draw(page, pen([[(140, 40), (140, 240)]]))
    assert 'class="problems"' not in html(page)


def test_the_version_is_named_with_its_accuracy_and_interval(page: AppTest) -> None:
    words = " ".join(caption.value for caption in page.caption)
    assert "**best**" in words
    assert "10,000 images" in words
    assert "95% interval" in words


@pytest.mark.parametrize("damage", ["missing", "foreign"])
def test_a_damaged_active_version_is_said_and_the_shipped_one_answers(
    weights: Path, sample: Dataset, damage: str
) -> None:
    (weights / "active").write_text('{"name": "runs/mine", "how": "promoted", "since": ""}\n')
    if damage == "foreign":
        (weights / "runs" / "mine").mkdir(parents=True)
        (weights / "runs" / "mine" / "model.json").write_text("not a record")
    page = AppTest.from_file(APP, default_timeout=60).run()
    assert not page.exception
    assert "shipped one answers" in page.warning[0].value
    draw(page, drawing(sample.test.images[3]))
    assert "Answer:" in html(page)
