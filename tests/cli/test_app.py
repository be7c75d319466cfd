"""The command line, as a person and as another program would use it."""

import gzip
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mnist_core import files
from mnist_core.cli import app
from mnist_core.images.datasets import Dataset
from mnist_core.images.strokes import SETTINGS, Setting, render
from mnist_core.network.calibration import SHARES
from mnist_core.versions import registry


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """The exit code of a command."""
    monkeypatch.setattr(sys, "argv", ["mnist-core", *arguments])
    with pytest.raises(SystemExit) as ending:
        app.main()
    code = ending.value.code
    return code if isinstance(code, int) else 0


TRAIN = ("train", "--recipe", "quick", "--data", "sample", "--epochs", "2")


def test_train_prints_plain_lines_and_saves_a_version(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(monkeypatch, *TRAIN, "--output", str(tmp_path / "mine")) == 0
    out = capsys.readouterr().out
    assert "epoch 2/2" in out
    assert "of 1,000 images correctly classified" in out
    assert "(95% interval" in out
    assert "\x1b" not in out
    assert run(monkeypatch, "evaluate", "--weights", str(tmp_path / "mine"), "--data", "sample", "--json") == 0
    evaluation = json.loads(capsys.readouterr().out)
    record = json.loads((tmp_path / "mine" / "model.json").read_text())
    assert evaluation == record["evaluation"]
    assert record["recipe"]["name"] == "quick (changed)"


def test_train_can_speak_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, *TRAIN, "--hidden", "30", "--json") == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [event["event"] for event in events if event["event"] != "step"] == [
        *("loaded", "epoch", "epoch", "evaluating", "finished")
    ]


def test_training_with_drawings_needs_some(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], weights: Path
) -> None:
    assert run(monkeypatch, *TRAIN, "--with-drawings") == 1
    assert "leave --with-drawings out" in capsys.readouterr().err
    assert not list(weights.glob("runs/*"))


def test_any_field_of_a_recipe_can_be_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fields = ("rotation=10", "hidden=[20, 10]", "optimizer=adamw", "weight_decay=0.01")
    options = [part for field in fields for part in ("--set", field)]
    assert run(monkeypatch, *TRAIN, *options, "--output", str(tmp_path / "mine")) == 0
    recipe = json.loads((tmp_path / "mine" / "model.json").read_text())["recipe"]
    assert (recipe["rotation"], recipe["hidden"], recipe["optimizer"]) == (10, [20, 10], "adamw")
    command = shlex.split(json.loads((tmp_path / "mine" / "model.json").read_text())["command"])
    assert run(monkeypatch, *command[1:], "--output", str(tmp_path / "again")) == 0
    assert json.loads((tmp_path / "again" / "model.json").read_text())["recipe"] == recipe
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("mine", "again")]
    assert weights[0] == weights[1], "the command in a record repeats the training"


def test_an_occupied_folder_is_not_written_over(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "model.json").write_text("precious")
    assert run(monkeypatch, *TRAIN, "--output", str(folder)) == 1
    assert "already holds" in capsys.readouterr().err
    assert (folder / "model.json").read_text() == "precious"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("train", "--epochs", "0"), "epochs"),
        (("train", "--lr", "-1"), "learning_rate"),
        (("train", "--hidden", "100,0"), "hidden"),
        (("train", "--hidden", "many"), "hidden"),
        (("train", "--loss", "hinge"), "loss"),
        (("train", "--recipe", "slow"), "article, quick"),
        (("train", "--set", "rotation"), "FIELD=VALUE"),
        (("train", "--set", "wings=2"), "rotation"),
        (("train", "--set", "rotation=fast"), "rotation"),
        (("evaluate", "--refuse", "x.jsonl.gz"), "--drawings"),
        (("train", "--data", "cifar"), "mnist, sample"),
        (("train", "--epochs", "x"), "integer"),
        (("train", "--no-such-option"), "no-such-option"),
        (("evaluate", "--data", "cifar"), "mnist, sample"),
        (("predict",), "FILE"),
        (("dance",), "dance"),
    ],
)
def test_what_is_not_understood_ends_with_2_before_anything_starts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert run(monkeypatch, *arguments) == 2
    assert words in capsys.readouterr().err


def test_predict_reads_pictures(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, sample: Dataset
) -> None:
    files = []
    for index in range(3):
        files.append(str(tmp_path / f"{index}.png"))
        Image.fromarray(255 - sample.test.images[index]).resize((90, 90)).save(files[-1])
    assert run(monkeypatch, "predict", *files, "--json") == 0
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [answer["file"] for answer in answers] == files
    assert [answer["digit"] for answer in answers] == sample.test.labels[:3].tolist()
    for answer in answers:
        assert sum(answer["probabilities"]) == pytest.approx(1, abs=1e-5)
        assert answer["confidence"] == max(answer["probabilities"])
        assert answer["accepted"] is True
        assert answer["reasons"] == []
    assert run(monkeypatch, "predict", files[0]) == 0
    assert f"{files[0]}: {sample.test.labels[0]} (" in capsys.readouterr().out


def test_predict_goes_on_after_a_file_it_cannot_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, sample: Dataset
) -> None:
    rubbish, blank, good = tmp_path / "rubbish.png", tmp_path / "blank.png", tmp_path / "good.png"
    rubbish.write_text("no picture")
    Image.fromarray(np.full((50, 50), 255, np.uint8)).save(blank)
    Image.fromarray(sample.test.images[0]).save(good)
    missing = tmp_path / "missing.png"
    assert run(monkeypatch, "predict", *map(str, (rubbish, blank, missing, good)), "--json") == 1
    captured = capsys.readouterr()
    assert ["error" in json.loads(line) for line in captured.out.splitlines()] == [True, True, True, False]
    assert "no ink" in captured.err
    assert "Traceback" not in captured.err


STROKES = {
    "7": [[[0, 0], [600, 20], [300, 500], [200, 1000]]],
    "1": [[[0, 0], [10, 1000]]],
    "x": [[[0, 0], [700, 1000]], [[700, 0], [0, 1000]]],
}


def characters(path: Path, labels: str) -> Path:
    with gzip.open(path, "wt") as file:
        file.writelines(json.dumps({"label": label, "strokes": STROKES[label]}) + "\n" for label in labels)
    return path


def test_evaluate_judges_on_drawings_and_keeps_the_figures(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    digits = characters(tmp_path / "d.jsonl.gz", "717")
    letters, bars = characters(tmp_path / "letters.jsonl.gz", "xx"), characters(tmp_path / "bars.jsonl.gz", "xxx")
    version = tmp_path / "mine"
    shutil.copytree(files.SHIPPED / "article", version)
    command = ("evaluate", "--weights", str(version), "--drawings", str(digits))
    command += ("--refuse", str(letters), "--refuse", str(bars))
    assert run(monkeypatch, *command, "--json") == 0
    evaluations = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [evaluation["setting"] for evaluation in evaluations] == [setting.name for setting in SETTINGS]
    for evaluation in evaluations:
        assert evaluation["digits"]["images"] == 3
        assert [(part["kind"], part["images"]) for part in evaluation["non_digits"]] == [("letters", 2), ("bars", 3)]
        assert all(len(part["refused"]) == len(part["sure"]) == len(SHARES) for part in evaluation["non_digits"])
    assert registry.read_record(version).drawings == registry.read_record(files.SHIPPED / "article").drawings
    monkeypatch.setenv("COLUMNS", "200")
    assert run(monkeypatch, *command, "--save") == 0
    out = capsys.readouterr().out
    assert "AUROC" in out
    assert "95% interval" in out
    assert out.count("2 letters") == out.count("3 bars") == len(SETTINGS)
    assert [kept.to_dict() for kept in registry.load_version(version).record.drawings] == evaluations
    monkeypatch.setenv("MNIST_WEIGHTS", str(tmp_path))
    assert run(monkeypatch, "models", "show", "mine") == 0
    assert "3 bars" in capsys.readouterr().out


@pytest.mark.parametrize("names", [("x.jsonl.gz", "there/x.jsonl.gz"), ("x", "x"), ("x.jsonl.gz", "x.jsonl")], ids=str)
def test_two_files_of_non_digits_with_one_name_are_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], names: tuple[str, str]
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    one, other = names
    assert run(monkeypatch, "evaluate", "--drawings", "d.jsonl.gz", "--refuse", one, "--refuse", other) == 2
    assert f"'{one}' and '{other}' would both be called 'x'" in capsys.readouterr().err


def test_drawings_that_cannot_be_read_end_with_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(monkeypatch, "evaluate", "--drawings", str(tmp_path / "none.jsonl.gz")) == 1
    assert "cannot be read" in capsys.readouterr().err


def test_predict_says_when_it_is_not_sure_and_what_may_be_wrong(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    cross = render([np.array(stroke, float) for stroke in STROKES["x"]], Setting(0.9, 40))
    Image.fromarray(cross).save(tmp_path / "cross.png")
    assert run(monkeypatch, "predict", str(tmp_path / "cross.png")) == 0
    out = capsys.readouterr().out
    assert "does not look like a digit" in out
    assert "touches the edge" in out
    assert run(monkeypatch, "predict", str(tmp_path / "cross.png"), "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["accepted"] is False
    assert answer["reasons"] == []
    assert len(answer["problems"]) == 1


def test_predict_tells_what_a_declined_picture_has_that_no_digit_has(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    bars = [np.array([[x, 0], [x, 50], [x, 100.0]]) for x in (0, 33, 67, 100)]
    Image.fromarray(render(bars, Setting(0.6, 10))).save(tmp_path / "bars.png")
    assert run(monkeypatch, "predict", str(tmp_path / "bars.png")) == 0
    out = capsys.readouterr().out
    assert ": this does not look like a digit: it has four separate pieces; if it is one, then " in out
    assert run(monkeypatch, "predict", str(tmp_path / "bars.png"), "--json") == 0
    assert json.loads(capsys.readouterr().out)["reasons"] == ["four separate pieces"]


def test_missing_version_ends_with_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(monkeypatch, "predict", "x.png", "--weights", str(tmp_path)) == 1
    assert "holds no version" in capsys.readouterr().err


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is sent as a POSIX signal")
def test_ctrl_c_leaves_nothing_half_written(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mnist_core", "train", "--data", "sample", "--epochs", "10000"]
    with subprocess.Popen(
        [*command, "--output", str(tmp_path / "mine")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # ignored where tests run in the background
    ) as process:
        assert process.stdout is not None
        while "epoch 1/" not in process.stdout.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        try:
            _, errors = process.communicate(timeout=30)
        finally:
            process.kill()
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert not list((tmp_path / "mine").glob("model*"))
    last = (tmp_path / "mine" / "events.jsonl").read_text().splitlines()[-1]
    assert json.loads(last)["event"] == "cancelled"
