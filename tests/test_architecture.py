"""The house keeps its shape: layers, sizes, lean imports, and the names that others rely on."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import mnist_core

ROOT = Path(__file__).parents[1]
CORE = ROOT / "mnist_core"
MODULES = sorted(CORE.rglob("*.py"))
ALL_CODE = [*MODULES, *sorted(ROOT.glob("pages/**/*.py")), ROOT / "app.py"]

LAYERS = (
    {"errors", "files"},
    {"images"},
    {"network", "recipes", "drawings"},
    {"training", "evaluation", "explanation"},
    {"versions"},
    {"runs"},
    {"cli"},
    {"__init__", "__main__"},
)
LEVELS = {wing: level for level, layer in enumerate(LAYERS) for wing in layer}
EXCEPTION = {"network/classifier.py": "versions"}  # without a path, `load` asks which version is active
MOST_NAMES, MOST_LINES, MOST_LINES_OF_A_FUNCTION = 14, 250, 45


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imported_wings(path: Path) -> Iterator[str]:
    """Yield the wing of each import from this package, also of imports inside functions."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert not node.level, "relative imports hide where they point"
            found = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            found = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        for module in found:
            parts = [*module.split("."), "__init__"]
            if parts[0] in ("mnist_core", "pages", "tests"):
                yield parts[1] if parts[0] == "mnist_core" and parts[1] in LEVELS else "__init__"


def test_imports_point_down() -> None:
    """To the module's own wing, or to a layer below; also imports inside functions."""
    for path in MODULES:
        module = path.relative_to(CORE)
        wing = module.parts[0].removesuffix(".py")
        assert wing in LEVELS, f"{module}: put it into a wing, or its wing into a layer"
        peers = LAYERS[0] if wing in LAYERS[0] else {wing, EXCEPTION.get(module.as_posix())}
        wrong = {other for other in imported_wings(path) if LEVELS[other] >= LEVELS[wing] and other not in peers}
        assert not wrong, f"{module} imports {wrong}"


def test_the_package_fits_on_a_screen() -> None:
    shown = [path.name for path in CORE.iterdir() if path.name != "__pycache__"]
    assert len(shown) <= MOST_NAMES, sorted(shown)


def test_wings_import_nothing_eagerly() -> None:
    for path in CORE.glob("*/**/__init__.py"):
        assert "import" not in path.read_text(), name(path)


def test_modules_and_functions_are_short() -> None:
    long = [name(path) for path in ALL_CODE if len(path.read_text().splitlines()) > MOST_LINES]
    for path in ALL_CODE:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno >= MOST_LINES_OF_A_FUNCTION:
                long.append(f"{name(path)}: {node.name}")
    assert not long


def test_no_styles_or_scripts_in_python() -> None:
    for path in ALL_CODE:
        assert not re.search(r"<style|<script|addEventListener|document\.query", path.read_text()), name(path)


def test_nothing_unpickles() -> None:
    for path in ALL_CODE:
        assert not re.search(r"import pickle|torch\.load\(|allow_pickle", path.read_text()), name(path)


@pytest.mark.parametrize(
    "public",
    ["DigitClassifier", "Prediction", "Recipe", "RECIPES", "train", "Evaluation", "evaluate", "normalize_drawing"],
)
def test_names_others_rely_on_are_there(public: str) -> None:
    assert public in mnist_core.__all__
    assert hasattr(mnist_core, public)


def test_drawing_needs_no_heavy_libraries() -> None:
    program = (
        "import sys, numpy, mnist_core; "
        "drawing = numpy.full((280, 280), 255, numpy.uint8); drawing[60:220, 130:150] = 0; "
        "assert mnist_core.DigitClassifier.load().predict(drawing).digit == 1; "
        "slow = {'torchvision', 'sklearn', 'streamlit', 'pandas', 'matplotlib'} & set(sys.modules); "
        "assert not slow, slow"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT, timeout=60)
