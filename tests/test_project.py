"""The README's commands exist, the names others rely on are there, and the rooms hold what they should."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import typer.main

import mnist_core
from mnist_core.cli import app
from mnist_core.versions import registry

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
COMMANDS = re.findall(r"^(?:\.venv/bin/)?mnist-core (.+)$", README, re.MULTILINE)


def test_the_readme_has_commands() -> None:
    assert len(COMMANDS) >= 4


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_in_the_readme_is_understood(command: str) -> None:
    arguments = command.split(" #")[0].split()
    known = typer.main.get_command(app.app)
    while arguments and not arguments[0].startswith("--") and hasattr(known, "commands"):
        known = known.commands[arguments.pop(0)]
    options = {option for parameter in known.params for option in parameter.opts}
    assert {argument for argument in arguments if argument.startswith("--")} <= options


@pytest.mark.parametrize("module", re.findall(r"python -m ([\w.]+)", README))
def test_every_module_the_readme_runs_exists(module: str) -> None:
    path = ROOT / Path(*module.split("."))
    assert path.with_suffix(".py").exists() or (path / "__main__.py").exists()


@pytest.mark.parametrize("path", re.findall(r"\]\((?!http)([^)#]+)\)", README))
def test_every_file_the_readme_links_to_exists(path: str) -> None:
    assert (ROOT / path).exists()


def test_the_installation_lines_install_what_pyproject_offers() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert "pip install -q -e ." in README
    assert set(re.findall(r"-e '\.\[(\w+)\]'", README)) == set(project["optional-dependencies"])


@pytest.mark.parametrize("name", ["article", "robust", "best"])
def test_the_readme_states_the_shipped_versions_figures(name: str) -> None:
    record = registry.version(name).record
    row = next(line for line in README.splitlines() if line.startswith(f"| `{name}`"))
    assert f"{record.evaluation.accuracy:.2%}" in row
    assert len(record.drawings) == 4
    for drawn in record.drawings:
        assert f"{drawn.digits.accuracy:.2%}" in row, drawn.setting


@pytest.mark.parametrize(
    "name",
    ["DigitClassifier", "Prediction", "Recipe", "RECIPES", "train", "Evaluation", "evaluate", "normalize_drawing"],
)
def test_names_others_rely_on_are_there(name: str) -> None:
    assert name in mnist_core.__all__
    assert hasattr(mnist_core, name)


def test_drawing_needs_neither_torchvision_nor_scikit_learn_nor_streamlit() -> None:
    program = (
        "import sys, numpy, mnist_core; "
        "drawing = numpy.full((280, 280), 255, numpy.uint8); drawing[60:220, 130:150] = 0; "
        "assert mnist_core.DigitClassifier.load().predict(drawing).digit == 1; "
        "slow = {'torchvision', 'sklearn', 'streamlit', 'matplotlib'} & set(sys.modules); assert not slow, slow"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT, timeout=60)


def test_nothing_unpickles() -> None:
    for path in [*ROOT.glob("mnist_core/**/*.py"), *ROOT.glob("pages/**/*.py"), ROOT / "app.py"]:
        assert not re.search(r"import pickle|torch\.load\(|allow_pickle", path.read_text()), path
