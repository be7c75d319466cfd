"""Drawings are confirmed, corrected, kept with consent, relabelled and deleted, without a browser."""

import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from mnist_core.drawings.store import DrawingStore
from mnist_core.images.datasets import NOT_A_DIGIT, Dataset
from mnist_core.versions import registry
from mnist_core.versions.active import active_name, promote
from tests.app.test_draw_page import APP, canvas_message, draw, drawing, html, press
from tests.app.test_train_page import wait, words
from tests.runs.test_finetune import keep


@pytest.fixture(autouse=True)
def _no_mnist(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MNIST_DATA", str(tmp_path / "no mnist"))
    monkeypatch.delenv("DATABASE_URL", raising=False)


@pytest.fixture
def page(sample: Dataset) -> AppTest:
    """Open the Draw page with a digit on it."""
    return draw(AppTest.from_file(APP, default_timeout=60).run(), drawing(sample.test.images[3]))


def buttons(page: AppTest) -> list[str]:
    return [button.label for button in page.button]


def say(page: AppTest, label: int) -> AppTest:
    """Say what the drawing is."""
    return page.pills(key="labels").set_value(label).run()


def handwriting(page: AppTest) -> AppTest:
    return page.switch_page("pages/4_My_handwriting.py").run()


def test_one_press_keeps_a_drawing_once_consent_was_given(page: AppTest) -> None:
    say(page, 7)
    assert "May your drawings be kept?" in words(page)
    assert DrawingStore().count() == 0
    page.text_input(key="writer").set_value(" Ann ")
    press(page, "Keep them")
    assert not page.exception
    assert "Noted: 7" in words(page)
    (kept,) = DrawingStore().find()
    assert (kept.writer, kept.label, kept.version) == ("Ann", 7, "best")
    assert kept.png.startswith(b"\x89PNG")
    assert kept.image.shape == (28, 28)
    say(page, NOT_A_DIGIT)
    assert [drawing.label for drawing in DrawingStore().find()] == [NOT_A_DIGIT], "corrected, not kept twice"


def test_without_consent_nothing_is_kept_and_it_is_not_asked_again(page: AppTest) -> None:
    say(page, 7)
    press(page, "No, thanks")
    assert page.pills[0].disabled
    assert "May your drawings be kept?" not in words(page)
    assert "From now on nothing is kept" in words(page)
    assert DrawingStore().count() == 0
    page.toggle(key="keep-my-drawings").set_value(True).run()
    say(page, 7)
    assert DrawingStore().count() == 1


def test_consent_can_be_withdrawn(page: AppTest) -> None:
    say(page, 7)
    press(page, "Keep them")
    page.toggle(key="keep-my-drawings").set_value(False).run()
    assert page.pills[0].disabled
    assert "stays under My handwriting until you delete it" in words(page)
    assert [drawing.label for drawing in DrawingStore().find()] == [7]


@pytest.fixture
def failing(page: AppTest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AppTest:
    """Open the page with a drawing that could not be saved."""
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'nowhere' / 'deep' / 'drawings.sqlite3'}")
    (tmp_path / "nowhere").write_text("a file, not a folder")
    say(page, 7)
    press(page, "Keep them")
    assert not page.exception
    return page


def test_a_drawing_that_cannot_be_saved_stays_until_it_can(failing: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "1 drawing stays in this page until saved" in words(failing)
    assert "Noted here, not saved yet: 7" in words(failing)
    monkeypatch.delenv("DATABASE_URL")
    press(failing, "Save now")
    assert "until saved" not in words(failing)
    assert "**Noted: 7.**" in words(failing)
    assert [drawing.label for drawing in DrawingStore().find()] == [7]


def test_unsaved_drawings_are_dropped_when_consent_is_withdrawn(
    failing: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing.toggle(key="keep-my-drawings").set_value(False).run()
    assert "until saved" not in words(failing)
    monkeypatch.delenv("DATABASE_URL")
    failing.toggle(key="keep-my-drawings").set_value(True).run()
    assert "Save now" not in buttons(failing)
    assert "What did you draw?" in words(failing)
    assert DrawingStore().count() == 0


def test_a_failing_store_is_reported_once(failing: AppTest) -> None:
    failing.toggle(key="keep-my-drawings").set_value(False).run()
    assert len(handwriting(failing).error) == 1


def test_a_name_is_shown_as_written_and_cut_to_what_can_be_kept(page: AppTest) -> None:
    say(page, 7)
    page.text_input(key="writer").set_value("**A**\t$x$ \x07:red[h] http://x www.b.de a@b" + "n" * 60).run()
    rest = "n" * 21
    # what cannot be seen in an address keeps it from becoming a link
    shown = "\\*\\*A\\*\\* \\$x\\$ \\:red\\[h\\] http\\:\u2060\\/\\/x www\u2060\\.b\\.de a\\@\u2060b" + rest
    assert f"They would be kept as {shown}." in words(page)
    press(page, "Keep them")
    assert page.toggle(key="keep-my-drawings").label == f"Keep my drawings as {shown}"
    assert [drawing.writer for drawing in DrawingStore().find()] == ["**A** $x$ :red[h] http://x www.b.de a@b" + rest]
    assert f"Delete all drawings by {shown}" in buttons(handwriting(page))


def test_a_kept_drawing_stays_its_writers(page: AppTest) -> None:
    say(page, 7)
    page.text_input(key="writer").set_value("Ann")
    press(page, "Keep them")
    handwriting(page).text_input(key="writer").set_value("Zed").run()
    page.switch_page("app.py").run()
    assert "Noted: 7, kept as Ann." in words(page)
    say(page, 3)
    assert [(kept.writer, kept.label) for kept in DrawingStore().find()] == [("Ann", 3)]
    handwriting(page).selectbox(key="shown-Zed").set_value("Ann").run()
    press(page, "Delete all drawings by Ann")
    assert "**Ann**: 1 drawing will be deleted" in words(page)


def test_an_example_is_nobodys_handwriting(page: AppTest) -> None:
    press(page, "Try an example")
    assert "Not a digit" not in buttons(page)


def test_a_sitting_asks_for_digits_keeps_them_and_shows_how_many_are_correct(sample: Dataset) -> None:
    page = handwriting(AppTest.from_file(APP, default_timeout=60).run())
    press(page, "Write 20 digits")
    press(page, "No, thanks")
    assert "May your drawings be kept?" not in words(page)
    begin(page)
    for number in range(3):
        asked = write(page, sample, number)
        assert f"Your {asked} was classified as " in html(page)
    assert page.button[[button.label for button in page.button].index("Undo")].disabled, "undo would bring it back"
    press(page, "Skip")
    press(page, "Stop")
    page.run()
    assert "Done: 3 digits kept" in words(page)
    assert DrawingStore().count() == 3
    assert "of 3 correct" in words(page)
    assert "% " in words(page)
    shown = str([element.proto for element in page.get("bidi_component")])
    assert all(kept.id in shown for kept in DrawingStore().find()), "a click sends the id"


def begin(page: AppTest) -> None:
    """Begin a sitting and give consent."""
    press(page, "Write 20 digits")
    assert "May your drawings be kept?" in words(page)
    press(page, "Keep them")
    assert "Next" in buttons(page)


def write(page: AppTest, sample: Dataset, number: int) -> int:
    """Write the digit that a sitting asks for, and return it."""
    asked = int(html(page).split("Write a <b>")[1][0])
    digit = sample.test.images[sample.test.labels == asked][number]
    page.session_state["writing-canvas"] = canvas_message(drawing(digit))
    press(page.run(), "Next")
    assert not page.exception
    return asked


def test_a_sitting_ends_when_consent_is_withdrawn_elsewhere(sample: Dataset) -> None:
    page = handwriting(AppTest.from_file(APP, default_timeout=60).run())
    begin(page)
    write(page, sample, 0)
    page.session_state["visit"].things["keeper"].answer(False)  # as another tab's answer does
    page.run()
    assert "Next" not in buttons(page)
    assert "Writing has ended, as nothing is kept any more. Kept before: 1 digit." in words(page)
    assert DrawingStore().count() == 1


def test_teaching_shows_before_and_after_and_can_be_discarded(sample: Dataset) -> None:
    page = handwriting(AppTest.from_file(APP, default_timeout=60).run())
    assert "Teach" not in buttons(page), "there is nothing to teach with"
    keep(sample, "Ann", 1)
    page.run()
    assert next(button for button in page.button if button.label == "Teach").disabled
    assert "Draw 6 more" in words(page)
    keep(sample, "Ann", 2)
    promote("article")
    press(page.run(), "Teach")
    wait(lambda: not page.run().exception and "Discard" in buttons(page))
    assert [metric.label for metric in page.metric] == ["On drawings it has not seen", "On MNIST's test images"]
    assert "Before: " in words(page)
    assert "After: " in words(page)
    assert re.search(r"classified correctly|No change|No better", page.subheader[0].value)
    assert "taught by everybody" in words(page)
    assert len(registry.all_versions()) == 4
    press(page, "Make active")
    assert active_name().startswith("runs/")
    press(page, "Roll back to article")
    assert active_name() == "article"
    page.multiselect[0].set_value(["Ann"]).run()
    assert not page.metric, "everybody's drawings were taught, not only these"
    page.multiselect[0].set_value([]).run()
    press(page, "Discard")
    assert len(registry.all_versions()) == 3
    assert not page.metric
