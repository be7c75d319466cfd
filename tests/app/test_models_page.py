"""The Models page without a browser."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from mnist_core import DigitClassifier, evaluate, files
from mnist_core.drawings.store import DrawingStore
from mnist_core.evaluation.comparison import compare
from mnist_core.evaluation.pen_strokes import drawings_file
from mnist_core.evaluation.statistics import wilson_interval
from mnist_core.images.datasets import Dataset, load_dataset
from mnist_core.network.calibration import ACCEPTED, SHARES
from mnist_core.versions import registry
from mnist_core.versions.active import active_name, promote
from mnist_core.versions.catalogue import labels
from mnist_core.versions.registry import Version
from pages.ui.explore import image_sets
from tests.app.test_train_page import ROOT, press, words
from tests.app.test_train_page import labels as buttons
from tests.evaluation.test_pen_strokes import ONE, SEVEN, ZERO, write
from tests.runs.test_finetune import keep


@pytest.fixture(autouse=True)
def mine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, weights: Path) -> str:
    """Add a version to the shipped ones: a copy of `article`, which is worse than `best`. MNIST is not there."""
    monkeypatch.setenv("MNIST_DATA", str(tmp_path / "no mnist"))
    shutil.copytree(files.SHIPPED / "article", weights / "runs" / "mine")
    image_sets._cached_answers.clear()
    return "runs/mine"


def open_page(**query: str) -> AppTest:
    page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    page.query_params.update(query)
    return page.switch_page("pages/2_Models.py").run()


def verdict(active: str, candidate: str, *title: str) -> str:
    """Return what the core says after the candidate's name, compared on the images that are here without MNIST."""
    one, other = (DigitClassifier.load(registry.find(name)) for name in (active, candidate))
    return compare(one, other, load_dataset("sample").test).verdict(*title).removeprefix("This version")


def test_all_versions_are_in_one_table_with_figures_and_intervals() -> None:
    page = open_page()
    assert not page.exception
    table = page.dataframe[0].value
    assert len(table) == 4
    best = table[table["version"] == "best"].iloc[0]
    assert best["active"] == "● active"
    record = registry.read_record(files.SHIPPED / "best")
    assert best["test"] == pytest.approx(100 * record.evaluation.accuracy)
    assert best["test interval"] == wilson_interval(record.evaluation.correct, 10_000).percent(2)
    assert best["test on"] == "10,000, MNIST test set"
    assert best["drawings"] == pytest.approx(100 * record.drawings[0].digits.accuracy)
    assert best["parameters"] == 1_863_690
    assert best["epoch"] == "240 of 240"
    assert page.selectbox(key="version").value == "best"


def test_two_versions_are_compared_and_the_link_leads_there(worse: Version) -> None:
    page = open_page()
    page.selectbox(key="version").set_value(worse.name).run()
    page.selectbox(key="against").set_value("best").run()
    assert not page.exception
    assert verdict("best", worse.name, "best") in words(page)
    assert "McNemar" in words(page)
    assert "its figure is too high" in words(page)
    recipes = page.table[1].value
    assert recipes.loc["epochs"].tolist() == ["10", "240"]
    assert "seed" not in recipes.index
    assert dict(page.query_params) == {"version": worse.name, "against": "best"}
    again = open_page(version=worse.name, against="best")
    assert "McNemar" in words(again)


def test_a_link_to_a_version_that_is_gone_shows_the_active_one() -> None:
    page = open_page(version="runs/gone", against="nothing")
    assert not page.exception
    assert "does not exist here" in words(page)
    assert page.selectbox(key="version").value == "best"


def test_going_back_in_the_browser_goes_back_to_the_version_before(mine: str) -> None:
    page = open_page()
    page.selectbox(key="version").set_value(mine).run()
    page.selectbox(key="version").set_value("robust").run()
    assert dict(page.query_params) == {"version": "robust"}
    page.query_params["version"] = mine  # what Back does
    page.run()
    assert page.selectbox(key="version").value == mine
    page.query_params.clear()
    page.run()
    assert page.selectbox(key="version").value == "best"


def test_a_worse_version_becomes_active_only_after_a_question(worse: Version) -> None:
    page = open_page(version=worse.name)
    press(page, "Make active")
    assert not page.exception
    assert active_name() == "best"
    assert verdict("best", worse.name) in words(page)
    assert "Make active anyway" in buttons(page)


def test_a_version_that_is_no_worse_becomes_active_at_once_and_is_rolled_back_with_one_click(mine: str) -> None:
    promote("article")
    page = open_page(version=mine)
    press(page, "Make active")
    assert active_name() == mine
    page = open_page()
    press(page, "Roll back to article")
    assert active_name() == "article"
    press(page, "Roll back to best")
    assert active_name() == "best"
    assert "rolled back to" in words(page)


def test_a_version_is_named_and_noted(mine: str) -> None:
    page = open_page(version=mine)
    page.text_input[0].set_value("demo")
    page.text_area[0].set_value("shown on Monday")
    press(page, "Save")
    assert not page.exception
    assert (labels()[mine].title, labels()[mine].note) == ("demo", "shown on Monday")
    assert "demo" in page.dataframe[0].value["version"].tolist()


def test_a_deleted_version_comes_back_with_undo(mine: str) -> None:
    page = open_page(version=mine)
    press(page, "Delete")
    assert not page.exception
    assert mine not in [version.name for version in registry.all_versions()]
    assert page.selectbox(key="version").value == "best"
    press(page, "Undo")
    assert mine in [version.name for version in registry.all_versions()]


def test_neither_the_active_nor_a_shipped_version_can_be_deleted(mine: str) -> None:
    assert "Delete" not in buttons(open_page(version="article"))
    promote(mine)
    page = open_page(version=mine)
    assert next(button for button in page.button if button.label == "Delete").disabled


def test_a_damaged_version_is_left_out_and_the_page_stays(weights: Path) -> None:
    (weights / "runs" / "mine" / "model.json").write_text("{")
    page = open_page()
    assert not page.exception
    assert len(page.dataframe[0].value) == 3


def test_an_uploaded_version_is_checked_and_added(mine: str, weights: Path) -> None:
    from mnist_core.versions.exchange import to_zip

    content = to_zip(registry.version(mine))
    page = open_page()
    page.get("file_uploader")[0].set_value(("theirs.zip", content, "application/zip")).run()
    assert not page.exception
    assert len(list(weights.glob("runs/*/model.json"))) == 2
    page.get("file_uploader")[0].set_value(("rubbish.zip", b"rubbish", "application/zip")).run()
    assert not page.exception
    assert "The file is not a version" in words(page)
    assert len(list(weights.glob("runs/*/model.json"))) == 2


def test_without_mnist_its_figures_are_there_and_the_sample_can_be_explored(mine: str) -> None:
    page = open_page(version=mine)
    assert "97.69% correct**: 231 mistakes in 10,000 images (MNIST test set" in words(page)
    assert "cannot be shown" in words(page)
    page.segmented_control[0].set_value("sample").run()
    press(page, "Evaluate on these images")
    assert not page.exception
    assert "in 1,000 images (bundled sample, test part" in words(page)
    evaluation = evaluate(DigitClassifier.load(registry.version(mine).folder), load_dataset("sample").test)
    assert f"All mistakes: {1000 - evaluation.correct} images" in words(page)


def test_a_cell_shows_its_images_and_confidence_filters_them(mine: str) -> None:
    page = open_page(version=mine)
    page.segmented_control[0].set_value("sample").run()
    press(page, "Evaluate on these images")
    page.session_state[f"picked-matrix-{mine}-sample"] = "7-7"
    page.run()
    assert not page.exception
    sure = page.slider[0]
    sevens = int(words(page).split(" in this range")[0].split()[-1])
    sure.set_range(0, 90).run()
    few = int(words(page).split(" in this range")[0].split()[-1])
    assert 0 < few < sevens <= 1000
    assert "7 classified as 7" in words(page)


def test_drawings_are_evaluated_with_a_button_and_recorded(mine: str) -> None:
    drawings = drawings_file()
    drawings.parent.mkdir(parents=True)
    write(drawings, *[SEVEN, ONE, ZERO] * 3)
    registry.save_record(registry.find(mine), replace(registry.version(mine).record, drawings=()))
    page = open_page(version=mine)
    page.segmented_control[0].set_value("drawings").run()
    assert "has not been evaluated on them yet" in words(page)
    press(page, "Evaluate on these images")
    assert not page.exception
    assert "in 9 images (drawings, 60% of the canvas, pen 20" in words(page)
    assert registry.version(mine).record.drawings[0].digits.images == 9
    assert registry.load_version(registry.find(mine)).record == registry.version(mine).record


def test_what_is_declined_is_shown_for_each_kind_of_non_digits(mine: str) -> None:
    page = open_page(version=mine)
    assert "Does it decline what is no digit?" not in words(page)
    page.segmented_control[0].set_value("drawings").run()
    assert not page.exception
    assert "Does it decline what is no digit?" in words(page)
    measured = registry.version(mine).record.drawings[0].non_digits
    for threshold in (ACCEPTED, 0.8):
        page.session_state["strictness"] = threshold
        table = page.run().table[0].value
        assert list(table.index) == ["9,514 letters", "2,532 symbols", "3,275 sketches"]
        place = SHARES.index(threshold)
        for row, part in zip(table.itertuples(index=False), measured, strict=True):
            assert row[0].startswith(f"{part.refused[place] / part.images:.1%} (")
            assert row[1].startswith(f"{part.sure[place] / part.images:.1%} (")
            assert row[2].startswith(f"{part.auroc:.3f} (")


def test_a_version_whose_record_knows_no_non_digits_is_shown_without_them(mine: str) -> None:
    record = registry.version(mine).record
    drawings = tuple(replace(drawn, non_digits=()) for drawn in record.drawings)
    registry.save_record(registry.find(mine), replace(record, drawings=drawings))
    page = open_page(version=mine)
    page.segmented_control[0].set_value("drawings").run()
    assert not page.exception
    assert "Does it decline what is no digit?" not in words(page)
    page = open_page(version=mine, against="best")
    assert not page.exception
    assert "not measured" in page.table[0].value.loc["Declined: letters"].tolist()


def test_every_version_is_evaluated_on_corrected_drawings(sample: Dataset) -> None:
    assert "kept" not in open_page().dataframe[0].value
    keep(sample, "Ann", 2)
    table = open_page().dataframe[0].value
    assert set(table["kept on"]) == {"20, corrected drawings"}
    with DrawingStore() as store:
        expected = evaluate(DigitClassifier.load(files.SHIPPED / "robust"), store.images())
    assert table[table["version"] == "robust"].iloc[0]["kept"] == pytest.approx(100 * expected.accuracy)


def test_corrected_drawings_are_classified_and_again_when_one_is_relabelled(sample: Dataset, mine: str) -> None:
    keep(sample, "Ann", 2)
    page = open_page(version=mine)
    page.segmented_control[0].set_value("kept").run()
    assert not page.exception
    classifier = DigitClassifier.load(registry.find(mine))
    with DrawingStore() as store:
        before = evaluate(classifier, store.images())
        assert f"{before.accuracy:.2%} correct**" in words(page)
        assert "in 20 images (corrected drawings" in words(page)
        assert f"All mistakes: {20 - before.correct} images" in words(page)
        answers = classifier.predict_frames(store.images().images).argmax(axis=1)
        drawings = store.find(newest_first=False)
        wrong = next(place for place, drawing in enumerate(drawings) if answers[place] != drawing.label)
        store.relabel(drawings[wrong].id, int(answers[wrong]))
    page.run()
    assert f"All mistakes: {19 - before.correct} images" in words(page)
