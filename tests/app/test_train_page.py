"""The Train page without a browser, with real runs on the bundled sample."""

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from mnist_core import RECIPES
from mnist_core.recipes import FIELDS
from mnist_core.runs import jobs, queue
from mnist_core.runs.events import Cancelled, Epoch, Failed, Resumed, RunEvent, append_event
from mnist_core.runs.folder import RunRequest, write_run
from mnist_core.runs.status import RunStatus, latest_run, queued_runs, read_run, running_run
from mnist_core.versions.active import active_name, promote

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _no_mnist_and_no_run_left_behind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("MNIST_DATA", str(tmp_path / "no mnist"))
    yield
    for run in (*queued_runs(), running_run()):
        if run is not None and run.pid != os.getpid():
            jobs.cancel(run, wait_seconds=5)


@pytest.fixture
def page() -> AppTest:
    return open_page()


def open_page(**link: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    for name, value in link.items():
        app.query_params[name] = value
    return app.run().switch_page("pages/1_Train.py").run()


def labels(page: AppTest) -> list[str]:
    """The page's own buttons, below the navigation."""
    return [button.label for button in page.button if button.label != "Guided demo"]


def press(page: AppTest, label: str) -> AppTest:
    return next(button for button in page.button if button.label == label).click().run()


def words(page: AppTest) -> str:
    elements = (*page.caption, *page.markdown, *page.metric, *page.header, *page.info, *page.error, *page.success)
    elements += (*page.warning,)
    return " ".join(f"{getattr(element, 'label', '')} {element.value}" for element in elements)


def wait(until: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not until():
        assert time.monotonic() < end
        time.sleep(0.1)


def finished_run(epochs: int = 2) -> str:
    """Train on the sample and wait for the end; the run's id."""
    run = jobs.start(RunRequest(RECIPES["quick"].override(epochs=epochs), "sample"))
    wait(lambda: running_run() is None)
    return run.id


def long_run() -> RunStatus:
    """A run on the sample that has finished some epochs, and lasts longer than any test."""
    run = jobs.start(RunRequest(RECIPES["quick"].override(epochs=10_000, schedule="constant"), "sample"))
    wait(lambda: len(read_run(run.folder).of(Epoch)) > 1)
    return read_run(run.folder)


def ended_run(weights: Path, name: str, event: RunEvent) -> Path:
    """The folder of a run that came to an end without a version."""
    folder = weights / "runs" / name
    folder.mkdir(parents=True)
    write_run(folder, RunRequest(RECIPES["quick"], "mnist"), os.getpid())
    append_event(folder, event)
    return folder


def test_it_says_what_training_will_do_before_it_starts(page: AppTest) -> None:
    assert not page.exception
    metrics = {metric.label: metric.value for metric in page.metric}
    assert metrics["Network"] == "784–100–100–10"
    assert metrics["Parameters"] == "89,610"
    assert metrics["Trains on"] == "3,500 images"
    assert metrics["Training time"].startswith("about ")
    assert labels(page) == ["Train"]


def test_distorted_digits_are_shown_before_training_on_them(page: AppTest) -> None:
    assert not page.get("image")
    page.segmented_control(key="recipe").set_value("robust").run()
    assert not page.exception
    assert len(page.get("image")) == 1
    assert "distorted copies" in words(page)


def test_without_mnist_it_says_that_it_will_be_downloaded(page: AppTest) -> None:
    page.segmented_control(key="data").set_value("mnist").run()
    assert "downloaded first" in words(page)


def test_all_settings_are_there_and_another_recipe_resets_them(page: AppTest) -> None:
    page.number_input(key="setting-layers").set_value(3)
    page.number_input(key="setting-epochs").set_value(7).run()
    page.number_input(key="setting-layers-2").set_value(20).run()
    assert {metric.label: metric.value for metric in page.metric}["Network"] == "784–100–100–20–10"
    assert page.number_input(key="setting-momentum").disabled
    assert page.number_input(key="setting-weight_decay").disabled
    page.selectbox(key="setting-optimizer").set_value("sgd").run()
    assert not page.number_input(key="setting-momentum").disabled
    page.segmented_control(key="recipe").set_value("best").run()
    assert not page.exception
    assert page.number_input(key="setting-epochs").value == RECIPES["best"].epochs
    assert page.number_input(key="setting-weight_decay").value == RECIPES["best"].weight_decay
    assert page.query_params["recipe"] == "best"
    assert set(page.query_params) == {"recipe", "data"}, "untouched fields are the recipe's own"


def test_every_field_of_a_recipe_can_be_set_by_a_widget_and_by_a_link() -> None:
    article = {field: getattr(RECIPES["article"], field) for field in FIELDS if field != "hidden"}
    page = open_page(
        recipe="article", data="sample", hidden="100,100", **{f: str(v) or "none" for f, v in article.items()}
    )
    assert not page.exception
    assert not page.warning
    widgets = {widget.key: widget for widget in (*page.number_input, *page.selectbox)}
    assert {field: widgets[f"setting-{field}"].value for field in article} == article
    for field in article:
        assert (widgets[f"setting-{field}"].label, widgets[f"setting-{field}"].help) == (
            FIELDS[field].label,
            FIELDS[field].help,
        )


def test_a_link_opens_the_page_with_the_same_settings() -> None:
    page = open_page(recipe="article", data="sample", hidden="50,20", epochs="1", optimizer="muon", momentum="0.9")
    assert not page.exception
    assert not page.warning
    assert page.number_input(key="setting-layers-1").value == 20
    page.number_input(key="setting-dropout").set_value(0.25).run()
    expected = RECIPES["article"].override(hidden=(50, 20), epochs=1, optimizer="muon", dropout=0.25)
    link = page.code[0].value
    assert "hidden=50,20" in link
    again = open_page(**dict(pair.split("=") for pair in link.split("?")[1].split("&")))
    assert again.code[0].value == link
    press(again, "Train")
    run = running_run()
    assert run is not None
    assert run.recipe == expected
    assert run.recipe.name == "article (changed)"


def test_a_link_can_take_the_teacher_away() -> None:
    page = open_page(recipe="robust", teacher="none")
    assert page.selectbox(key="setting-teacher").value == ""
    assert "teacher=none" in page.code[0].value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("recipe", "splendid"),
        ("data", "letters"),
        ("epochs", "many"),
        ("epochs", "100000000"),
        ("learning_rate", "nan"),
        ("hidden", "100,,100"),
        ("hidden", "4096"),
        ("optimizer", "magic"),
        ("teacher", "../../etc"),
        ("weight_decay", "0.1"),
        ("colour", "blue"),
    ],
)
def test_a_link_that_does_not_work_is_explained_and_the_usual_settings_shown(name: str, value: str) -> None:
    page = open_page(**{name: value})
    assert not page.exception
    assert page.warning[0].value.startswith("The link's settings do not work")
    assert name in page.warning[0].value
    assert page.segmented_control(key="recipe").value == "quick"
    assert not page.query_params
    page.segmented_control(key="recipe").set_value("article").run()
    assert not page.warning


def test_train_is_watched_to_its_end_and_used(page: AppTest) -> None:
    page.number_input(key="setting-epochs").set_value(100).run()  # still going on when the second visitor comes
    press(page, "Train")
    assert not page.exception
    run = running_run()
    assert run is not None
    assert labels(open_page()) == ["Cancel", "Train"], "a second visitor sees the run, and can queue another"
    wait(lambda: page.run() and running_run() is None)
    page.run()
    assert not page.exception
    assert "bundled sample, test part" in words(page)
    assert "95% interval" in words(page)
    assert "Active version: best" in words(page)
    assert "unfair advantage" in words(page)
    assert "makes more mistakes than the active one" in words(page)
    press(page, "Make active")
    assert active_name() == "best", "it is worse by more than chance, so the page asks first"
    assert "Make active anyway" in labels(page)


def test_others_wait_in_a_queue_that_can_be_ordered(page: AppTest) -> None:
    long_run()
    page.run()
    assert "of 500 correctly classified" in words(page), "the confusion matrix of the latest epoch is there"
    press(page, "Train")
    page.number_input(key="setting-epochs").set_value(9).run()
    press(page, "Train")
    assert [run.recipe.epochs for run in queued_runs()] == [5, 9]
    assert "Next in the queue" in words(page)
    assert "epochs 9" in words(page)
    press(page, "Move up")
    assert [run.recipe.epochs for run in queued_runs()] == [9, 5]
    press(page, "Remove")
    assert [run.recipe.epochs for run in queued_runs()] == [5]
    assert not page.exception


def test_cancel_comes_back_at_once_and_a_run_that_does_not_end_is_ended(
    page: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = long_run()
    assert run.pid is not None
    os.kill(run.pid, signal.SIGSTOP)
    page.run()
    press(page, "Cancel")
    assert "Stopping …" in labels(page)
    monkeypatch.setattr(queue, "CANCEL_SECONDS", 0)
    wait(lambda: page.run() and running_run() is None)
    page.run()
    assert "Cancelled" in words(page)
    assert "Train" in labels(page)


def test_a_press_that_arrives_late_does_not_cancel_the_next_run(page: AppTest) -> None:
    buttons = set()
    for _ in range(2):
        run = long_run()
        page.run()
        buttons.add(next(button.proto.id for button in page.button if button.label == "Cancel"))
        jobs.cancel(run, wait_seconds=10)
    assert len(buttons) == 2, "each run has a button of its own"


def test_an_interrupted_run_is_resumed_to_its_end(page: AppTest) -> None:
    recipe = RECIPES["quick"].override(epochs=40, batch_size=16)
    run = jobs.start(RunRequest(recipe, "sample"))
    wait(lambda: len(read_run(run.folder).of(Epoch)) > 1)
    assert run.pid is not None
    os.kill(run.pid, signal.SIGKILL)
    wait(lambda: read_run(run.folder).state == "interrupted")
    page.run()
    assert "ended without a message" in page.error[0].value
    epoch = read_run(run.folder).resumable_epoch
    press(page, f"Resume after epoch {epoch}")
    assert not page.exception
    assert "Cancel" in labels(page)
    wait(lambda: page.run() and running_run() is None)
    page.run()
    done = read_run(run.folder)
    assert done.state == "finished"
    assert [event.epoch for event in done.of(Resumed)] == [epoch]
    assert [event.epoch for event in done.of(Epoch)] == list(range(1, 41))
    assert "Make active" in labels(page)


def test_a_cancelled_run_is_started_again_and_earlier_ones_are_looked_at(weights: Path) -> None:
    ended_run(weights, "20260101-000000-quick", Failed(kind="RunError", message="No luck."))
    ended_run(weights, "20260102-000000-quick", Cancelled())
    page = open_page()
    assert "Last run: quick, MNIST" in words(page)
    assert "Cancelled" in words(page)
    assert [*page.dataframe[0].value["state"]] == ["cancelled", "failed"]
    choice = next(box for box in page.selectbox if box.label == "Show the outcome of")
    choice.set_value("20260101-000000-quick").run()
    assert "Earlier run: quick, MNIST" in words(page)
    assert page.error[0].value == "No luck."
    press(page, "Start again")
    assert not page.exception
    begun = running_run() or latest_run()
    assert begun is not None
    assert (begun.recipe, begun.data) == (RECIPES["quick"], "mnist")


def test_a_finished_run_is_there_for_a_new_visitor_who_uses_it(weights: Path) -> None:
    name = finished_run()
    shutil.copytree(weights / "runs" / name, weights / "as-good")
    promote("as-good")
    page = open_page()
    assert not page.exception
    assert "Last run: quick (changed)" in words(page)
    press(page, "Make active")
    assert active_name() == f"runs/{name}", "it is no worse, so it is used at once"
    page.run()
    assert "the Draw page uses it" in words(page)
    assert "Make active" not in labels(page)


def test_a_failed_run_is_explained_in_a_sentence_with_the_log_and_a_way_on(weights: Path) -> None:
    event = Failed(kind="DatasetError", message="A file is missing. Try again.")
    folder = ended_run(weights, "20260101-000000-quick", event)
    (folder / "log.txt").write_text("details for the curious")
    page = open_page()
    assert not page.exception
    assert page.error[0].value == "A file is missing. Try again."
    assert page.expander[-1].label == "Log"
    assert "details for the curious" in page.code[-1].value
    press(page, "Train on the bundled sample instead")
    run = running_run()
    assert run is not None
    assert run.data == "sample"


def test_a_version_damaged_after_its_run_is_explained_without_a_traceback(weights: Path) -> None:
    identifier = finished_run(epochs=1)
    (weights / "runs" / identifier / "model.json").write_text("{")
    page = open_page()
    assert not page.exception
    assert "is not the record of a version" in page.error[0].value
