"""Events on disk: what is written is read again, and what is not an event is skipped."""

import json
import math
from pathlib import Path

import pytest

from mnist_core import RECIPES
from mnist_core.runs import events
from mnist_core.runs.events import (
    BeforeAndAfter,
    RunEvent,
    TeachingResult,
    append_event,
    best_epoch,
    describe,
    drop_events_after,
    last_event,
    read_events,
    to_json,
)

STEP = {"epoch": 1, "images_seen": 10, "images_total": 20, "images_per_second": 5.0, "seconds_left": 2.0}
FIGURES = {"train_loss": 0.5, "train_accuracy": 0.9, "validation_loss": 0.4, "seconds": 1.5}


def epoch(number: int, accuracy: float) -> events.Epoch:
    confusion = ((4, 1), (0, 5))
    return events.Epoch(epoch=number, validation_accuracy=accuracy, validation_confusion=confusion, **FIGURES)


EVERY_KIND: tuple[RunEvent, ...] = (
    events.Download(file="train-images", bytes=10_000_000, bytes_total=10_000_000),
    events.Loaded(images={"training": 3500, "validation": 500, "test": 1000}),
    events.Resumed(epoch=1),
    events.Step(loss=0.25, **STEP),
    epoch(1, 0.9),
    events.TeachingStep(step=3, steps=40, loss=0.1, seconds=0.5),
    events.TeachingEnded(drawings=30, skipped=2),
    events.Evaluating(on="MNIST test set"),
    events.Finished(version="runs/a"),
    events.Finished(
        version="runs/b",
        teaching=TeachingResult(BeforeAndAfter(30, 20, 25), BeforeAndAfter(1000, 980, 979), 6, 1, p_value=0.125),
    ),
    events.Failed(kind="DatasetError", message="A file is missing. Try again."),
    events.Cancelled(),
)


def test_every_kind_is_read_as_it_was_written(tmp_path: Path) -> None:
    assert {type(event) for event in EVERY_KIND} == set(events.RunEvent.__args__)
    for count, event in enumerate(EVERY_KIND, start=1):
        append_event(tmp_path, event)
        assert read_events(tmp_path) == EVERY_KIND[:count], "read again after each change"
        assert last_event(tmp_path) == event
    assert [event.time for event in read_events(tmp_path)] == [event.time for event in EVERY_KIND]


def test_the_keys_on_disk_are_those_of_earlier_runs(tmp_path: Path) -> None:
    lines = (
        '{"time": 1.5, "event": "step", "epoch": 1, "images_seen": 10, "images_total": 20, "loss": 0.25, '
        '"images_per_second": 5.0, "seconds_left": 2.0}',
        '{"time": 2.5, "event": "taught", "drawings": 30, "passed_over": 2}',
        '{"time": 3.5, "event": "finished", "version": "runs/b", "teaching": {"drawings": {"images": 30, '
        '"right_before": 20, "right_after": 25}, "test": {"images": 1000, "right_before": 980, "right_after": 979}, '
        '"newly_right": 6, "newly_wrong": 1, "p_value": 0.125}}',
    )
    (tmp_path / "events.jsonl").write_text("\n".join(lines) + "\n")
    read = read_events(tmp_path)
    assert read == (EVERY_KIND[3], EVERY_KIND[6], EVERY_KIND[9])
    assert [to_json(event) for event in read] == list(lines)


def test_a_loss_that_is_not_a_number_stays_one(tmp_path: Path) -> None:
    append_event(tmp_path, events.Step(loss=math.nan, **STEP))
    (read,) = read_events(tmp_path)
    assert isinstance(read, events.Step)
    assert math.isnan(read.loss)


def test_half_a_line_and_foreign_lines_are_skipped(tmp_path: Path) -> None:
    append_event(tmp_path, epoch(1, 0.9))
    with (tmp_path / "events.jsonl").open("ab") as file:
        file.write(b'[]\nnonsense\n{"time": 1, "event": "dance"}\n{"time": 1, "event": "step", "loss": "low"}\n\xff\n')
        file.write(b'{"time": 1, "event": "st')
    assert read_events(tmp_path) == (epoch(1, 0.9),)
    assert last_event(tmp_path) == epoch(1, 0.9)


def test_nothing_has_happened_where_there_is_no_file(tmp_path: Path) -> None:
    assert (read_events(tmp_path), last_event(tmp_path), best_epoch(tmp_path)) == ((), None, None)


def test_a_resumed_run_drops_what_it_repeats(tmp_path: Path) -> None:
    loaded, evaluating = EVERY_KIND[1], EVERY_KIND[7]
    for event in (loaded, epoch(1, 0.9), epoch(2, 0.95), epoch(3, 0.9), evaluating, events.Cancelled()):
        append_event(tmp_path, event)
    assert best_epoch(tmp_path) == epoch(2, 0.95)
    drop_events_after(tmp_path, 1)
    assert read_events(tmp_path) == (loaded, epoch(1, 0.9))
    assert best_epoch(tmp_path) == epoch(1, 0.9)


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (EVERY_KIND[0], "downloaded train-images (10.0 MB)"),
        (EVERY_KIND[1], "3,500 training, 500 validation, 1,000 test images"),
        (EVERY_KIND[2], "resumed after epoch 1"),
        (EVERY_KIND[3], ""),
        (
            EVERY_KIND[4],
            "epoch 1/5: loss 0.5000, validation loss 0.4000, validation accuracy 90.00%, 1.5 s",
        ),
        (EVERY_KIND[6], "taught with 30 drawings, 2 skipped"),
        (EVERY_KIND[7], "evaluating on MNIST test set"),
        (EVERY_KIND[8], "finished"),
        (EVERY_KIND[10], "failed: A file is missing. Try again."),
    ],
)
def test_a_log_has_a_line_for_what_is_worth_one(event: RunEvent, line: str) -> None:
    assert describe(event, RECIPES["quick"]) == line


def test_json_is_one_line_with_the_kind_and_the_time() -> None:
    values = json.loads(to_json(events.Cancelled()))
    assert set(values) == {"time", "event"}
    assert values["event"] == "cancelled"
