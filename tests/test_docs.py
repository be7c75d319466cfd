"""README and docs say what is true: commands, options, links, modules, variables and figures are as written."""

import re
import shlex
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer.main
from PIL import Image

from mnist_core import Recipe
from mnist_core.cli import app
from mnist_core.evaluation.statistics import with_interval
from mnist_core.images.strokes import draw_strokes
from mnist_core.network.calibration import ACCEPTED, SHARES
from mnist_core.versions import registry

ROOT = Path(__file__).parents[1]
PAGES = {path: path.read_text() for path in (ROOT / "README.md", ROOT / "CHANGELOG.md", *ROOT.glob("docs/*.md"))}
README, CHANGELOG = PAGES[ROOT / "README.md"], PAGES[ROOT / "CHANGELOG.md"]
DOCS = "\n".join(text for path, text in PAGES.items() if path.name != "CHANGELOG.md")  # which may name what is gone
REFERENCE, ARCHITECTURE = PAGES[ROOT / "docs/command-line.md"], PAGES[ROOT / "docs/architecture.md"]
CODE = [*ROOT.glob("mnist_core/**/*.py"), *ROOT.glob("pages/**/*.py"), ROOT / "app.py"]

EXAMPLES = re.findall(r"(?:^ *|`)(?:\.venv/bin/)?mnist-core ([a-z][^`\n]*)", DOCS, re.MULTILINE)
EXAMPLES += re.findall(r"torchrun .*-m mnist_core (.+)$", DOCS, re.MULTILINE)
STILTED = re.compile(r"right[l]y|a[n]ew|o[f] old|gone o[n] with|to b[e] had|passed ove[r]", re.IGNORECASE)


def commands(known: Any, title: str) -> Iterator[tuple[str, Any]]:
    """Yield every command with its title, such as `mnist-core runs follow`."""
    below = getattr(known, "commands", {})
    if not below or getattr(known, "invoke_without_command", False):
        yield title, known
    for word, command in below.items():
        yield from commands(command, f"{title} {word}")


PROGRAM = typer.main.get_command(app.app)
COMMANDS = dict(commands(PROGRAM, "mnist-core"))


def section(page: str, title: str) -> str:
    """Return the text below a heading, up to the next one."""
    found = re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^#|\Z)", page, re.MULTILINE | re.DOTALL)
    assert found, f"there is no section {title!r}"
    return found[1]


def section_tree(page: str, title: str) -> str:
    """Return the text below a heading of the second level, with the sections in it."""
    return page.split(f"\n## {title}\n")[1].split("\n## ")[0]


def slugs(page: str) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_readme_is_short_and_has_commands() -> None:
    assert len(README.splitlines()) <= 120
    assert len(EXAMPLES) >= 20


@pytest.mark.parametrize("example", sorted(set(EXAMPLES)))
def test_every_command_in_the_docs_is_understood(example: str) -> None:
    arguments = shlex.split(example)
    known: Any = PROGRAM
    while arguments and arguments[0] in getattr(known, "commands", {}):
        known = known.commands[arguments.pop(0)]
    assert known in COMMANDS.values() or not arguments, f"there is no command {example!r}"
    known.make_context("mnist-core", arguments)  # raises where an option or its value does not work


@pytest.mark.parametrize("title", COMMANDS)
def test_every_command_is_documented_with_its_options(title: str) -> None:
    parameters = [parameter for parameter in COMMANDS[title].params if parameter.name != "help"]
    options = {option for parameter in parameters for option in (*parameter.opts, *parameter.secondary_opts)}
    documented = set(re.findall(r"`(--[\w-]+)", section(REFERENCE, title)))
    assert documented == {option for option in options if option.startswith("--")}


def test_every_recipe_field_is_documented() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", section(REFERENCE, "Fields of a recipe"), re.MULTILINE)
    assert sorted([*rows, "name"]) == sorted(field.name for field in fields(Recipe))


def test_every_environment_variable_is_documented() -> None:
    lines = [line for path in CODE for line in path.read_text().splitlines() if re.search(r"environ|getenv", line)]
    names = {name for line in lines for name in re.findall(r'"([A-Z][A-Z_]+)"', line)}
    assert names >= {"MNIST_DATA", "MNIST_WEIGHTS", "DATABASE_URL"}
    for name in names:
        assert f"`{name}`" in section(PAGES[ROOT / "docs/deployment.md"], "Environment variables")


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", PAGES[page]):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in slugs(PAGES[target]), link


def test_every_path_and_module_named_in_the_docs_exists() -> None:
    modules = {name.replace(".", "/") for name in re.findall(r"(?:-m |`)((?:tests|mnist_core)[\w.]*)", DOCS)}
    paths = set(re.findall(r"(?<![\w/])(?:tests|mnist_core|pages)/[\w/]*[\w/](?:\.py)?", DOCS))
    missing = [path for path in modules | paths if not ((ROOT / path).exists() or (ROOT / f"{path}.py").exists())]
    assert not missing


def test_every_module_is_listed_in_the_architecture() -> None:
    listed = re.findall(r"^\| `([\w/]+\.py)` \|", section_tree(ARCHITECTURE, "Modules"), re.MULTILINE)
    core = {path.relative_to(ROOT / "mnist_core").as_posix() for path in ROOT.glob("mnist_core/**/*.py")}
    shared = {path.relative_to(ROOT).as_posix() for path in ROOT.glob("pages/ui/**/*.py")}
    there = {path for path in core | shared if not path.endswith("__init__.py")}
    assert not there - set(listed), "these modules are not listed"
    assert not set(listed) - there, "these modules are gone"


def test_the_installation_lines_install_what_pyproject_offers() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert "pip install -q -e ." in README
    assert set(re.findall(r"-e '\.\[(\w+)\]'", DOCS)) == set(project["optional-dependencies"])
    assert f"\n## [{project['version']}]" in CHANGELOG


@pytest.mark.parametrize("page", ["README.md", "docs/measurements.md"])
@pytest.mark.parametrize("name", ["article", "robust", "best"])
def test_the_accuracy_table_states_the_shipped_versions_figures(page: str, name: str) -> None:
    record = registry.version(name).record
    test, drawings = record.evaluation, record.drawings
    rows = [line for line in PAGES[ROOT / page].splitlines() if line.startswith(f"| `{name}` | 784-")]
    assert [cell.strip() for cell in rows[0].split("|")[3:-1]] == [
        f"{record.recipe.parameter_count:,}",
        f"{test.accuracy:.2%} ({test.interval.low:.2%} to {test.interval.high:.2%})",
        *(f"{drawn.digits.accuracy:.2%}" for drawn in drawings),
        f"{test.calibration_error:.2%}, {max(drawn.digits.calibration_error for drawn in drawings):.2%}",
        f"{min(part.auroc for drawn in drawings for part in drawn.non_digits if part.kind == 'letters'):.3f}",
    ]


@pytest.mark.parametrize("name", ["article", "robust", "best"])
@pytest.mark.parametrize("kind", ["letters", "symbols", "sketches"])
def test_the_table_of_non_digits_states_the_worst_of_the_settings(name: str, kind: str) -> None:
    place = SHARES.index(ACCEPTED)
    parts = [part for drawn in registry.version(name).record.drawings for part in drawn.non_digits if part.kind == kind]
    declined, sure = min(part.refused[place] for part in parts), max(part.sure[place] for part in parts)
    area, (low, high) = min((part.auroc, part.auroc_interval) for part in parts)
    images = parts[0].images
    rows = [
        line for line in PAGES[ROOT / "docs/measurements.md"].splitlines() if line.startswith(f"| `{name}` | {kind}")
    ]
    assert [cell.strip() for cell in rows[0].split("|")[2:-1]] == [
        f"{kind} ({images:,})",
        with_interval(declined, images, short=True),
        with_interval(sure, images, short=True),
        f"{area:.3f} ({low:.3f} to {high:.3f})",
    ]


def test_the_readmes_python_classifies_a_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bar, stem = np.array([[70.0, 70], [200, 70]]), np.array([[200.0, 70], [130, 220]])
    Image.fromarray(draw_strokes([bar, stem], pen=20)).save(tmp_path / "seven.png")
    monkeypatch.chdir(tmp_path)
    printed: list[object] = []
    exec(README.split("```python\n")[1].split("```")[0], {"print": lambda *words: printed.extend(words)})
    assert printed[0] == 7


def test_no_stilted_words() -> None:
    texts = [*CODE, *PAGES, *ROOT.glob("tests/**/*.py"), *ROOT.glob("pages/**/*.[cj]s*"), ROOT / "pyproject.toml"]
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in texts
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if STILTED.search(line)
    ]
    assert not found
