"""`mnist-core models` and `runs`, as people and other programs use them."""

import json
from pathlib import Path

import pytest

from mnist_core import files
from mnist_core.runs.status import find_run
from mnist_core.versions import registry
from mnist_core.versions.active import active_name
from mnist_core.versions.exchange import from_zip
from mnist_core.versions.registry import Version
from tests.cli.test_app import TRAIN, run


@pytest.fixture(autouse=True)
def _no_mnist(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MNIST_DATA", str(tmp_path / "no mnist"))


@pytest.fixture
def mine(weights: Path) -> Version:
    """A copy of the shipped version `article`, as one of your own."""
    record = registry.read_record(files.SHIPPED / "article")
    model = registry.load_version(files.SHIPPED / "article").model
    return registry.save_version(weights / "runs" / "mine", model, record)


def test_versions_are_listed_and_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], mine: Version
) -> None:
    assert run(monkeypatch, "models", "list", "--json") == 0
    listed = {entry["name"]: entry for entry in json.loads(capsys.readouterr().out)}
    assert set(listed) == {mine.name, "article", "robust", "best"}
    assert [name for name, entry in listed.items() if entry["active"]] == ["best"]
    assert listed[mine.name]["test"]["accuracy"] == mine.record.evaluation.accuracy
    assert listed[mine.name]["bytes"] == (mine.folder / "model.safetensors").stat().st_size
    assert run(monkeypatch, "models", "list") == 0
    out = capsys.readouterr().out
    assert "* best" in out
    assert "97.69% (95% interval 97.38% to 97.97%) of 10,000 images correctly classified" in out
    assert run(monkeypatch, "models", "show", mine.name, "--json") == 0
    assert json.loads(capsys.readouterr().out) == json.loads((mine.folder / "model.json").read_text())
    assert run(monkeypatch, "models", "show", "article") == 0
    assert "weights of epoch 10" in capsys.readouterr().out


def test_a_worse_version_is_promoted_only_when_confirmed_and_rolled_back(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], worse: Version
) -> None:
    assert run(monkeypatch, "models", "promote", worse.name) == 1
    error = capsys.readouterr().err
    assert f"{worse.name} makes more mistakes than the active version best (" in error
    assert "of 1,000 against" in error
    assert "That is more than chance (McNemar's exact test, p < 0.001)" in error
    assert "--yes" in error
    assert active_name() == "best"
    assert run(monkeypatch, "models", "promote", worse.name, "--yes", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"active": worse.name}
    assert run(monkeypatch, "models", "delete", worse.name) == 1
    assert "is the active version" in capsys.readouterr().err
    assert run(monkeypatch, "models", "rollback") == 0
    assert "best is active now" in capsys.readouterr().out
    assert run(monkeypatch, "models", "history", "--json") == 0
    changes = json.loads(capsys.readouterr().out)
    assert [(change["name"], change["how"]) for change in changes] == [
        (worse.name, "promoted"),
        ("best", "rolled back"),
    ]


def test_two_versions_are_compared_by_name_or_title(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], mine: Version, worse: Version
) -> None:
    assert run(monkeypatch, "models", "label", worse.name, "--title", "the first one", "--note", "for the demo") == 0
    capsys.readouterr()
    assert run(monkeypatch, "models", "compare", "best", "the first one", "--json") == 0
    comparison = json.loads(capsys.readouterr().out)
    assert comparison["versions"] == ["best", worse.name]
    assert comparison["difference"] < 0
    assert comparison["more_than_chance"]
    assert run(monkeypatch, "models", "compare", "article", mine.name) == 0
    assert "may be chance" in capsys.readouterr().out


def test_versions_are_exported_imported_deleted_and_restored(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], mine: Version, tmp_path: Path
) -> None:
    for name in ("mine.zip", "mine.onnx"):
        assert run(monkeypatch, "models", "export", mine.name, "--to", str(tmp_path / name)) == 0
        assert (tmp_path / name).stat().st_size > 100_000
    assert run(monkeypatch, "models", "export", mine.name, "--to", str(tmp_path / "mine.h5")) == 2
    assert run(monkeypatch, "models", "delete", mine.name, "--json") == 0
    assert mine.name not in [version.name for version in registry.all_versions()]
    assert run(monkeypatch, "models", "restore", mine.name) == 0
    assert mine.name in [version.name for version in registry.all_versions()]
    capsys.readouterr()
    assert run(monkeypatch, "models", "import", str(tmp_path / "mine.zip"), "--json") == 0
    added = json.loads(capsys.readouterr().out)["name"]
    assert registry.version(added).record == mine.record
    assert from_zip((tmp_path / "mine.zip").read_bytes()).name != added
    assert run(monkeypatch, "models", "import", str(tmp_path / "none.zip")) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        *(("show", "nobody"), ("promote", "../weights"), ("delete", "best"), ("rollback",), ("restore", "nobody")),
        *(("compare", "best", "nobody"), ("label", "nobody", "--title", "x")),
    ],
)
def test_what_cannot_be_done_ends_with_1_and_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    assert run(monkeypatch, "models", *arguments) == 1
    error = capsys.readouterr().err
    assert error.startswith("Error: ")
    assert "Traceback" not in error


def test_train_follow_goes_on_in_the_background_and_is_watched(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, *TRAIN, "--follow", "--json") == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [event["event"] for event in events if event["event"] != "step"] == [
        *("loaded", "epoch", "epoch", "evaluating", "finished")
    ]
    identifier = events[-1]["version"].removeprefix("runs/")
    assert find_run(identifier).state == "finished"
    assert run(monkeypatch, "runs", "--json") == 0
    (listed,) = json.loads(capsys.readouterr().out)
    assert (listed["id"], listed["state"], listed["epochs_done"]) == (identifier, "finished", 2)
    best = max(event["validation_accuracy"] for event in events if event["event"] == "epoch")
    assert listed["best_validation_accuracy"] == best
    assert run(monkeypatch, "runs") == 0
    assert "finished" in capsys.readouterr().out
    assert run(monkeypatch, "runs", "resume", identifier) == 1
    assert "Start it again" in capsys.readouterr().err
    assert run(monkeypatch, "runs", "cancel", "nothing") == 1
