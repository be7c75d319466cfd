"""Which version is active: promoting, rolling back, and their history."""

import itertools
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mnist_core import DigitClassifier, files
from mnist_core.errors import WeightsError
from mnist_core.versions import deletion
from mnist_core.versions.active import active_name, history, previous, promote, roll_back

ROOT = Path(__file__).parents[2]


@pytest.fixture
def abc(weights: Path) -> Path:
    """Three versions of your own: runs/a, runs/b, runs/c."""
    for name in "abc":
        shutil.copytree(files.SHIPPED / "article", weights / "runs" / name)
    return weights / "runs"


def told() -> list[tuple[str, str]]:
    return [(change.how, change.name) for change in history()]


@pytest.mark.usefixtures("abc")
def test_rolling_back_undoes_the_promotions_one_by_one() -> None:
    assert (history(), previous()) == ([], None)
    for name in "abc":
        promote(f"runs/{name}")
    for name in ("runs/b", "runs/a", "best"):
        assert previous() == name
        assert roll_back().name == name
        assert active_name() == name
    with pytest.raises(WeightsError, match="No version was active before"):
        roll_back()
    assert told() == [
        *(("promoted", f"runs/{name}") for name in "abc"),
        *(("rolled back", name) for name in ("runs/b", "runs/a", "best")),
    ]
    moments = [change.since for change in history()]
    assert all(moments)
    assert moments == sorted(moments)


@pytest.mark.usefixtures("abc")
def test_a_version_promoted_after_rolling_back_goes_on_top() -> None:
    promote("runs/a")
    promote("runs/b")
    roll_back()
    promote("runs/c")
    assert previous() == "runs/a", "b was left behind"
    promote("runs/a")
    assert previous() == "runs/c", "a can be active again later"
    assert [roll_back().name for _ in range(3)] == ["runs/c", "runs/a", "best"]


@pytest.mark.usefixtures("abc")
def test_promoting_the_active_version_changes_nothing() -> None:
    promote("runs/a")
    promote("runs/a")
    assert told() == [("promoted", "runs/a")]
    assert previous() == "best"


@pytest.mark.usefixtures("abc")
@pytest.mark.parametrize("line", ["runs/a", "[]", '{"name": "runs/a"}', '{"name": 1, "how": "promoted", "since": ""}'])
def test_lines_that_cannot_be_read_are_skipped(weights: Path, line: str) -> None:
    promote("runs/b")
    with (weights / "active").open("a") as file:
        file.write(f"{line}\n")
    assert active_name() == "runs/b"
    promote("runs/c")
    assert told() == [("promoted", "runs/b"), ("promoted", "runs/c")]


def deleted(folder: Path) -> None:
    deletion.delete(f"runs/{folder.name}")


def without_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


def cut_short(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])


@pytest.mark.parametrize("lose", [deleted, without_weights, cut_short], ids=lambda lose: lose.__name__)
def test_versions_that_can_no_longer_be_loaded_are_skipped(abc: Path, lose: Callable[[Path], None]) -> None:
    for name in "abc":
        promote(f"runs/{name}")
    lose(abc / "b")
    assert previous() == "runs/a"
    assert roll_back().name == "runs/a"
    assert previous() == "best"
    with pytest.raises(WeightsError):
        promote("runs/b")
    assert active_name() == "runs/a"


def test_an_active_version_that_was_damaged_can_be_rolled_back(abc: Path) -> None:
    promote("runs/a")
    promote("runs/b")
    cut_short(abc / "b")
    with pytest.raises(WeightsError):
        DigitClassifier.load()
    roll_back()
    assert DigitClassifier.load().model.sizes == (784, 100, 100, 10)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"\n\n"])
def test_without_a_readable_history_the_shipped_version_is_active(weights: Path, content: bytes) -> None:
    (weights / "active").write_bytes(content)
    assert active_name() == "best"
    assert previous() is None
    promote("article")
    assert told() == [("promoted", "article")]


@pytest.mark.usefixtures("abc")
def test_changes_made_by_several_processes_at_once_are_all_kept(weights: Path) -> None:
    promoting = (
        "import sys; from mnist_core.versions.active import promote\n"
        "sys.stdin.readline()\n"
        "for _ in range(20):\n    promote(sys.argv[1]); promote('best')\n"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", promoting, f"runs/{name}"], cwd=ROOT, stdin=subprocess.PIPE, text=True)
        for name in "ab"
    ]
    for process in processes:
        assert process.stdin
        process.stdin.write("now\n")
        process.stdin.flush()
    for process in processes:
        process.communicate(timeout=60)
        assert process.returncode == 0
    changes = told()
    # each promotes its own version 20 times, and nobody else does: none of these is lost
    assert [changes.count(("promoted", f"runs/{name}")) for name in "ab"] == [20, 20]
    assert all(one != other for one, other in itertools.pairwise(changes))
    assert changes[-1] == ("promoted", "best")
    lines = (weights / "active").read_text().splitlines()
    assert [json.loads(line)["name"] for line in lines] == [name for _, name in changes]
