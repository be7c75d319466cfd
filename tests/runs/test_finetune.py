"""A run that fine-tunes, from stored drawings to a version evaluated on others, on the bundled sample."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
from numpy.typing import NDArray

from mnist_core import RECIPES
from mnist_core.drawings.store import DrawingStore, StoredDrawing
from mnist_core.errors import CheckpointError, TeachingError
from mnist_core.evaluation.statistics import mcnemar
from mnist_core.explanation.pictures import to_png
from mnist_core.images.datasets import Dataset
from mnist_core.runs import jobs
from mnist_core.runs.events import Finished, RunEvent
from mnist_core.runs.execution import perform
from mnist_core.runs.finetune import prepare
from mnist_core.runs.folder import DRAWINGS_FILE, FineTuneRequest, RunRequest, load_drawings
from mnist_core.runs.queue import turn
from mnist_core.runs.status import all_runs, find_run
from mnist_core.versions import registry
from mnist_core.versions.records import Record


@pytest.fixture(autouse=True)
def _no_mnist(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MNIST_DATA", str(tmp_path / "no mnist"))


def as_kept(frame: NDArray[np.uint8], label: int, writer: str) -> StoredDrawing:
    """A frame (28, 28), as if somebody had drawn it and said what it is."""
    return StoredDrawing(
        id=str(uuid4()),
        time=datetime.now(UTC),
        writer=writer,
        label=label,
        png=to_png(frame),
        strokes="[]",
        frame=frame.tobytes(),
        digit=0,
        confidence=0.5,
        accepted=True,
        version="article",
    )


def keep(sample: Dataset, writer: str, each: int) -> None:
    """Digits of a writer who writes MNIST's digits lying on their side: `each` of every digit."""
    with DrawingStore() as store:
        for digit in range(10):
            for frame in sample.validation.images[sample.validation.labels == digit][:each]:
                store.add(as_kept(np.ascontiguousarray(np.rot90(frame)), digit, writer))


def test_a_writer_is_taught_and_the_record_says_what_that_did(sample: Dataset) -> None:
    keep(sample, "Ann", 6)
    keep(sample, "Ben", 1)
    command = [sys.executable, "-m", "mnist_core", "teach", "--base", "article", "--writer", "Ann", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ}, timeout=120, check=True)
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [event["event"] for event in events if event["event"] != "teaching"] == [
        "loaded",
        "taught",
        "evaluating",
        "finished",
    ]
    version = registry.version(events[-1]["version"])
    teaching = version.record.teaching
    assert teaching is not None
    assert (teaching.base, teaching.writers, teaching.taught_with) == ("article", ("Ann",), 30)
    assert teaching.before.images == teaching.after.images == 30
    assert teaching.after.correct > teaching.before.correct
    assert len(teaching.newly_right) - len(teaching.newly_wrong) == teaching.after.correct - teaching.before.correct
    right, wrong, test = len(teaching.newly_right), len(teaching.newly_wrong), version.record.evaluation
    assert events[-1]["teaching"] == {
        "drawings": {"images": 30, "right_before": teaching.before.correct, "right_after": teaching.after.correct},
        "test": {"images": 1000, "right_before": teaching.test_before.correct, "right_after": test.correct},
        **{"newly_right": right, "newly_wrong": wrong, "p_value": mcnemar(wrong, right)},
    }
    with DrawingStore() as store:
        assert all(store.get(identifier) for identifier in teaching.newly_right)
    assert version.record.recipe.name == "article (taught)"
    assert version.record.recipe.named_after.name == "article"
    assert version.record.command == "mnist-core teach --base article --writer Ann"
    assert Record.from_json(version.record.to_json()) == version.record
    run = find_run(version.name)
    assert run.fine_tune == FineTuneRequest("article", ("Ann",))
    assert run.state == "finished"
    again = FineTuneRequest(version.name, ("Ann",))
    assert prepare(again).recipe.name == "article (taught)"
    with DrawingStore() as store:
        judged = [drawing.id for drawing in store.find(["Ann"]) if drawing.id not in teaching.learned]
        assert len(judged) == 30
        store.delete(judged[:20])
    with pytest.raises(TeachingError, match="10 drawings of digits that it has not learned from yet"):
        prepare(again)


def test_too_few_drawings_are_reported_before_anything_begins(sample: Dataset) -> None:
    keep(sample, "Ann", 1)
    with pytest.raises(TeachingError, match="Draw 6 more"):
        prepare(FineTuneRequest("best", ("Ann",)))
    assert all_runs() == []


def test_a_training_learns_from_drawings_too_as_they_were_when_it_was_asked_for(sample: Dataset) -> None:
    keep(sample, "Ann", 4)
    with DrawingStore() as store:
        drawings = store.images()
    run = jobs.claim(RunRequest(RECIPES["quick"].override(epochs=2), "sample", drawings=drawings))
    keep(sample, "Ben", 1)
    reported: list[RunEvent] = []
    with turn(run):
        version = perform(run, reported.append)
    assert reported[-1] == Finished(version=version.name)
    assert version.record.images == {"training": 3540, "validation": 500, "test": 1000, "drawings": 40}
    assert version.record.learned_from_drawings
    assert version.record.command.endswith("--with-drawings")
    with pytest.raises(TeachingError, match="There are 0 drawings of digits that it has not learned from yet"):
        prepare(FineTuneRequest(version.name))
    found = load_drawings(run.folder)
    assert found is not None
    assert np.array_equal(found.images, drawings.images)
    (run.folder / DRAWINGS_FILE).write_bytes(b"damaged")
    with pytest.raises(CheckpointError, match="Start the run again"):
        load_drawings(run.folder)
