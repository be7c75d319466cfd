"""Titles and notes of versions."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mnist_core import files
from mnist_core.errors import WeightsError
from mnist_core.versions import deletion
from mnist_core.versions.catalogue import MAX_NOTE, MAX_TITLE, Label, label_version, labels, named

ROOT = Path(__file__).parents[2]


def test_a_title_and_a_note_are_given_changed_and_removed() -> None:
    assert labels() == {}
    label_version("article", title="  As in the article ", note="For Monday.")
    assert labels() == {"article": Label("As in the article", "For Monday.")}
    label_version("article", note="For Tuesday.")
    assert labels() == {"article": Label("As in the article", "For Tuesday.")}
    label_version("article", title="")
    assert labels() == {"article": Label("", "For Tuesday.")}
    label_version("article", note="")
    assert labels() == {}


def test_a_version_is_found_by_its_title_or_its_name() -> None:
    label_version("article", title="Monday's")
    label_version("robust", note="A note alone is no title.")
    assert named("Monday's") == "article"
    assert named("article") == "article"
    for unknown in ("Tuesday's", ""):
        with pytest.raises(WeightsError):
            named(unknown)


def test_two_versions_cannot_have_the_same_title() -> None:
    label_version("article", title="Mine")
    label_version("article", title="Mine", note="again")
    with pytest.raises(WeightsError, match="Another version is called 'Mine'"):
        label_version("best", title=" Mine")
    assert set(labels()) == {"article"}


@pytest.mark.parametrize("change", [{"title": "x" * (MAX_TITLE + 1)}, {"note": "x" * (MAX_NOTE + 1)}])
def test_a_title_or_note_that_is_too_long_is_refused(change: dict[str, str]) -> None:
    with pytest.raises(WeightsError, match="Shorten it"):
        label_version("article", **change)
    assert labels() == {}
    label_version("article", **{field: text[1:] for field, text in change.items()})
    assert set(labels()) == {"article"}


def test_only_a_version_has_a_label() -> None:
    with pytest.raises(WeightsError, match="no version called"):
        label_version("runs/nobody", title="Nobody")


def test_a_restored_version_still_has_its_label(weights: Path) -> None:
    shutil.copytree(files.SHIPPED / "article", weights / "runs" / "mine")
    label_version("runs/mine", title="Mine")
    deletion.delete("runs/mine")
    deletion.restore("runs/mine")
    assert named("Mine") == "runs/mine"


@pytest.mark.parametrize("content", ["{", "[]", '{"article": 3}', '{"article": {"colour": "red"}}', ""])
def test_damaged_labels_are_ignored(weights: Path, content: str) -> None:
    (weights / "labels.json").write_text(content)
    assert labels() == {}
    label_version("article", title="Mine")
    assert labels() == {"article": Label("Mine")}


def test_labels_given_by_several_processes_at_once_are_all_kept(weights: Path) -> None:
    labelling = (
        "import sys, time; from mnist_core.versions.catalogue import label_version, labels\n"
        "name = sys.argv[1]\n"
        "sys.stdin.readline()\n"
        "for number in range(50):\n"
        "    label_version(name, note=f'note {number}')\n"
        "    time.sleep(0.003)\n"
        "    assert labels()[name].note == f'note {number}', 'overwritten with the label from before'\n"
    )
    names = ("article", "best")
    processes = [
        subprocess.Popen([sys.executable, "-c", labelling, name], cwd=ROOT, stdin=subprocess.PIPE) for name in names
    ]
    for process in processes:
        assert process.stdin
        process.stdin.write(b"now\n")
        process.stdin.flush()
    for process in processes:
        process.communicate(timeout=60)
    assert [process.returncode for process in processes] == [0, 0]
    assert labels() == {name: Label(note="note 49") for name in names}
    assert set(json.loads((weights / "labels.json").read_text())) == set(names)
