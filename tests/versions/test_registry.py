import dataclasses
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest
import safetensors.torch
import torch

from mnist_core import DigitClassifier, Recipe, evaluate, files
from mnist_core.errors import WeightsError
from mnist_core.images.datasets import Dataset
from mnist_core.network.calibration import SHARES, Calibration
from mnist_core.network.model import MLP
from mnist_core.recipes import RECIPES
from mnist_core.versions import deletion, registry
from mnist_core.versions.active import active_name, active_version, promote
from mnist_core.versions.records import Curve, Record, library_versions, now
from mnist_core.versions.registry import RECORD_FILE, WEIGHTS_FILE, load_version, save_version


@pytest.fixture
def record(classifier: DigitClassifier, sample: Dataset) -> Record:
    return Record(
        recipe=RECIPES["quick"].override(epochs=8),
        command="mnist-core train --recipe quick --data sample --epochs 8",
        data="sample",
        images={"training": 3500, "validation": 500, "test": 1000},
        checksums=sample.checksums,
        epoch=8,
        validation_accuracy=0.9,
        curve=Curve(),
        calibration=Calibration(1.5, tuple(map(float, range(len(SHARES))))),
        evaluation=evaluate(classifier, sample.test),
        duration_seconds=1.0,
        device="cpu",
        created=now(),
        libraries=library_versions(),
    )


@pytest.fixture
def saved(weights: Path, small_model: MLP, record: Record) -> Path:
    return save_version(weights / "runs" / "mine", small_model, record).folder


def test_a_saved_version_is_rebuilt_from_its_files_alone(saved: Path, small_model: MLP, record: Record) -> None:
    loaded = load_version(saved)
    assert all(torch.equal(value, small_model.state_dict()[key]) for key, value in loaded.model.state_dict().items())
    assert loaded.record.evaluation == record.evaluation
    assert loaded.record.recipe == record.recipe
    assert loaded.record.calibration == record.calibration
    assert {path.name for path in saved.iterdir()} == {WEIGHTS_FILE, RECORD_FILE}


def test_the_record_holds_everything_that_matters(saved: Path) -> None:
    record = json.loads((saved / RECORD_FILE).read_text())
    assert record["layer_sizes"] == [784, 100, 100, 10]
    assert record["parameters"] == 89_610
    assert record["recipe"]["seed"] == 0
    assert record["libraries"]["torch"] == version("torch")
    assert set(record) >= {"data", "checksums", "evaluation", "duration_seconds", "created", "command"}
    assert record["evaluation"]["interval_95"][0] < record["evaluation"]["accuracy"]


def truncated(folder: Path) -> None:
    content = (folder / WEIGHTS_FILE).read_bytes()
    (folder / WEIGHTS_FILE).write_bytes(content[: len(content) // 2])


def one_bit_flipped(folder: Path) -> None:
    content = bytearray((folder / WEIGHTS_FILE).read_bytes())
    content[-1] ^= 1
    (folder / WEIGHTS_FILE).write_bytes(content)


def weights_missing(folder: Path) -> None:
    (folder / WEIGHTS_FILE).unlink()


def record_missing(folder: Path) -> None:
    (folder / RECORD_FILE).unlink()


def record_in_an_older_format(folder: Path) -> None:
    record = json.loads((folder / RECORD_FILE).read_text())
    (folder / RECORD_FILE).write_text(json.dumps({**record, "format": 3}))


def record_half_written(folder: Path) -> None:
    (folder / RECORD_FILE).write_text((folder / RECORD_FILE).read_text()[:300])


def record_foreign(folder: Path) -> None:
    (folder / RECORD_FILE).write_text('{"format": "something else"}')


def record_not_an_object(folder: Path) -> None:
    (folder / RECORD_FILE).write_text("[1, 2]")


def record_of_another_network(folder: Path) -> None:
    record = json.loads((folder / RECORD_FILE).read_text())
    record["recipe"]["hidden"] = [50]
    (folder / RECORD_FILE).write_text(json.dumps(record))


def weights_of_another_network(folder: Path) -> None:
    content = safetensors.torch.save(MLP((784, 50, 10)).state_dict())
    (folder / WEIGHTS_FILE).write_bytes(content)
    record = json.loads((folder / RECORD_FILE).read_text())
    record["weights_sha256"] = hashlib.sha256(content).hexdigest()
    (folder / RECORD_FILE).write_text(json.dumps(record))


def recipe_with_nonsense(folder: Path) -> None:
    record = json.loads((folder / RECORD_FILE).read_text())
    record["recipe"]["epochs"] = 0
    (folder / RECORD_FILE).write_text(json.dumps(record))


DAMAGE = [
    truncated,
    one_bit_flipped,
    weights_missing,
    record_missing,
    record_in_an_older_format,
    record_half_written,
    record_foreign,
    record_not_an_object,
    record_of_another_network,
    weights_of_another_network,
    recipe_with_nonsense,
]


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__)
def test_a_damaged_version_is_refused_and_named(saved: Path, damage: Callable[[Path], None]) -> None:
    damage(saved)
    with pytest.raises(WeightsError, match=r"mine.*Choose another version"):
        load_version(saved)


@pytest.mark.parametrize("damage", [truncated, record_missing], ids=lambda damage: damage.__name__)
def test_a_damaged_version_is_not_promoted(saved: Path, damage: Callable[[Path], None]) -> None:
    damage(saved)
    with pytest.raises(WeightsError):
        promote("runs/mine")
    assert active_name() == "best"


@pytest.mark.parametrize("name", ["article", "robust", "best"])
def test_a_shipped_versions_command_trains_by_the_recipe_in_its_record(name: str) -> None:
    record = registry.version(name).record
    assert record.recipe == RECIPES[name]
    assert record.command == f"mnist-core train --recipe {name} --data mnist"
    assert (files.SHIPPED / name / WEIGHTS_FILE).stat().st_size <= 8_000_000


def names() -> list[str]:
    return [version.name for version in registry.all_versions()]


def test_all_versions_are_your_own_the_latest_first_and_the_shipped_ones(saved: Path) -> None:
    for name in ("20260101-000000-quick", "20260102-000000-quick"):
        shutil.copytree(saved, saved.with_name(name))
    shutil.copytree(saved, saved.with_name("damaged"))
    (saved.with_name("damaged") / RECORD_FILE).write_text("{")
    (saved.with_name("unfinished")).mkdir()
    mine = ["runs/mine", "runs/20260102-000000-quick", "runs/20260101-000000-quick"]
    assert names() == [*mine, "article", "best", "robust"]
    assert [version.shipped for version in registry.all_versions()] == [False] * 3 + [True] * 3
    assert registry.version("runs/mine").bytes == (saved / WEIGHTS_FILE).stat().st_size


def test_a_deleted_version_is_gone_and_can_be_restored(saved: Path) -> None:
    content = (saved / WEIGHTS_FILE).read_bytes()
    deletion.delete("runs/mine")
    assert "runs/mine" not in names()
    assert deletion.deleted() == ["runs/mine"]
    with pytest.raises(WeightsError, match="no version called"):
        promote("runs/mine")
    assert deletion.restore("runs/mine").name == "runs/mine"
    assert "runs/mine" in names()
    assert deletion.deleted() == []
    load_version(saved)
    assert (saved / WEIGHTS_FILE).read_bytes() == content
    with pytest.raises(WeightsError, match="not among the versions deleted"):
        deletion.restore("runs/mine")


@pytest.mark.parametrize("name", ["runs/mine", "runs/../runs/mine", "runs/./mine"])
def test_the_active_version_is_not_deleted(saved: Path, name: str) -> None:
    promote("runs/mine")
    with pytest.raises(WeightsError, match="Make another version active first"):
        deletion.delete(name)
    assert saved.exists()
    promote("best")
    deletion.delete("runs/mine")
    assert not saved.exists()


@pytest.mark.parametrize("name", ["article", "best", "robust", "runs/../best"])
def test_a_shipped_version_is_not_deleted(name: str, saved: Path) -> None:
    promote("runs/mine")
    with pytest.raises(WeightsError, match=r"cannot be deleted|no version called"):
        deletion.delete(name)
    assert {"article", "best", "robust"} <= set(names())
    with pytest.raises(WeightsError, match="no version called"):
        deletion.delete("runs/nobody")
    assert saved.exists()


def test_deleted_versions_are_kept_for_a_week(saved: Path, weights: Path) -> None:
    for name in ("older", "newer", "last"):
        shutil.copytree(saved, saved.with_name(name))
    deletion.delete("runs/older")
    deletion.delete("runs/newer")
    for name, days in (("older", 8), ("newer", 6)):
        then = time.time() - days * 24 * 3600
        os.utime(weights / "deleted" / name, (then, then))
    deletion.delete("runs/last")
    assert deletion.deleted() == ["runs/last", "runs/newer"]
    assert not (weights / "deleted" / "older").exists()


def test_without_a_choice_the_shipped_version_is_active() -> None:
    assert active_version().name == "best"
    assert active_version().shipped


def test_a_promoted_version_is_active(saved: Path, small_model: MLP) -> None:
    assert not promote("runs/mine").shipped
    assert active_version().folder == saved
    loaded = DigitClassifier.load().model.state_dict()
    assert all(torch.equal(value, small_model.state_dict()[key]) for key, value in loaded.items())
    promote("article")
    assert active_name() == "article"


def test_a_version_can_be_loaded_by_its_folder(saved: Path) -> None:
    assert DigitClassifier.load(saved).model.sizes == (784, 100, 100, 10)
    assert DigitClassifier.load(str(saved)).model.sizes == (784, 100, 100, 10)


@pytest.mark.parametrize("name", ["runs/nobody", "../weights", "/etc", "", "runs/../../elsewhere"])
def test_no_name_leads_out_of_the_weights_folder(name: str) -> None:
    with pytest.raises(WeightsError):
        registry.version(name)


def test_saving_again_replaces_the_version_whole(saved: Path, record: Record) -> None:
    small = Recipe(hidden=(5,))
    save_version(saved, MLP(small.layer_sizes), dataclasses.replace(record, recipe=small))
    assert load_version(saved).model.sizes == (784, 5, 10)


def test_a_crash_between_the_two_files_leaves_no_version(
    weights: Path, small_model: MLP, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = registry.write_atomically

    def crash_at_the_record(path: Path, content: bytes | str) -> None:
        if path.name == RECORD_FILE:
            raise OSError(28, "No space left on device")
        real(path, content)

    monkeypatch.setattr(registry, "write_atomically", crash_at_the_record)
    with pytest.raises(WeightsError, match="No space left"):
        save_version(weights / "runs" / "full", small_model, record)
    with pytest.raises(WeightsError):
        registry.version("runs/full")
