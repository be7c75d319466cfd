"""The Train page without a browser, with real runs on the bundled sample."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from mnist_core import RECIPES, jobs, registry
from mnist_core.runs import append_event, write_run

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _no_mnist_and_no_run_left_behind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("MNIST_DATA", str(tmp_path / "no mnist"))
    yield
    if (run := jobs.running_run()) is not None and run.pid != os.getpid():
        jobs.cancel(run)


@pytest.fixture
def page() -> AppTest:
    return open_page()


def open_page() -> AppTest:
    return AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run().switch_page("pages/1_Train.py").run()


def labels(page: AppTest) -> list[str]:
    return [button.label for button in page.button]


def press(page: AppTest, label: str) -> AppTest:
    return next(button for button in page.button if button.label == label).click().run()


def words(page: AppTest) -> str:
    elements = (*page.caption, *page.markdown, *page.metric, *page.subheader, *page.info, *page.error, *page.success)
    return " ".join(f"{getattr(element, 'label', '')} {element.value}" for element in elements)


def finished_run(epochs: int = 2) -> str:
    """Train on the sample and wait for the end; the run's id."""
    run = jobs.start(RECIPES["quick"].override(epochs=epochs), "sample")
    end = time.monotonic() + 60
    while jobs.running_run() is not None and time.monotonic() < end:
        time.sleep(0.1)
    return run.id


def test_it_says_what_training_will_do_before_it_starts(page: AppTest) -> None:
    assert not page.exception
    metrics = {metric.label: metric.value for metric in page.metric}
    assert metrics["Network"] == "784–100–100–10"
    assert metrics["Parameters"] == "89,610"
    assert metrics["Learns from"] == "3,500 images"
    assert metrics["Training time"].startswith("about ")
    assert labels(page) == ["Train"]


def test_distorted_digits_are_shown_before_training_on_them(page: AppTest) -> None:
    assert not page.get("image")
    page.segmented_control(key="recipe").set_value("robust").run()
    assert not page.exception
    assert len(page.get("image")) == 1
    assert "what the recipe makes of each" in words(page)


def test_without_mnist_it_says_that_it_will_be_downloaded(page: AppTest) -> None:
    page.segmented_control(key="data").set_value("mnist").run()
    assert "downloaded first" in words(page)


def test_train_is_watched_to_its_end_and_used(page: AppTest) -> None:
    press(page, "Train")
    assert not page.exception
    run = jobs.running_run()
    assert run is not None
    assert labels(open_page()) == ["Cancel"], "a second visitor sees the run instead of the button"
    end = time.monotonic() + 60
    while jobs.running_run() is not None and time.monotonic() < end:
        page.run()
        time.sleep(0.2)
    page.run()
    assert not page.exception
    assert "bundled sample, test part" in words(page)
    assert "95% interval" in words(page)
    assert "Active version: best" in words(page)
    assert "its figure here is too good" in words(page)
    press(page, "Use this model")
    assert registry.active_name() == f"runs/{run.id}"
    assert "answers on the Draw page" in words(page)
    assert "Use this model" not in labels(page)


def test_cancel_stops_the_run_and_says_so(page: AppTest) -> None:
    jobs.start(RECIPES["quick"].override(epochs=10_000), "sample")
    page.run()
    press(page, "Cancel")
    page.run()
    assert jobs.running_run() is None
    assert "Cancelled" in words(page)
    assert "Train" in labels(page)


def test_a_finished_run_is_there_for_a_new_visitor() -> None:
    finished_run()
    page = open_page()
    assert not page.exception
    assert "Last run: quick (changed)" in words(page)
    assert "Use this model" in labels(page)


def test_a_failed_run_is_explained_in_a_sentence_with_the_log_and_a_way_on(weights: Path) -> None:
    folder = weights / "runs" / "20260101-000000-quick"
    folder.mkdir(parents=True)
    write_run(folder, RECIPES["quick"], "mnist", os.getpid())
    append_event(folder, {"event": "failed", "kind": "DatasetError", "message": "A file is missing. Try again."})
    (folder / "log.txt").write_text("details for the curious")
    page = open_page()
    assert not page.exception
    assert page.error[0].value == "A file is missing. Try again."
    assert page.expander[0].label == "Log"
    assert "details for the curious" in page.code[0].value
    press(page, "Train on the bundled sample instead")
    run = jobs.running_run()
    assert run is not None
    assert run.data == "sample"


def test_a_version_damaged_after_its_run_is_explained_without_a_traceback(weights: Path) -> None:
    identifier = finished_run(epochs=1)
    (weights / "runs" / identifier / "model.json").write_text("{")
    page = open_page()
    assert not page.exception
    assert "is not a record of a version" in page.error[0].value
