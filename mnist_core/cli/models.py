"""`mnist-core models`: list versions, compare them, choose which one answers."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from mnist_core.cli.output import print_accuracy, print_tables
from mnist_core.errors import WeightsError
from mnist_core.evaluation.comparison import Comparison, compare
from mnist_core.files import write_atomically
from mnist_core.images.datasets import load_dataset, mnist_is_here
from mnist_core.network.classifier import DigitClassifier
from mnist_core.versions import active, deletion, registry
from mnist_core.versions.active import active_name, active_version
from mnist_core.versions.catalogue import entries, recipe_in_words
from mnist_core.versions.exchange import from_zip, to_onnx, to_zip
from mnist_core.versions.labels import label_version, named

models = typer.Typer(no_args_is_help=True, help="Versions: list, compare, promote, roll back.")
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
VersionArgument = Annotated[str, typer.Argument(metavar="VERSION", help="Its name or title.")]


@models.command(name="list")
def list_models(as_json: JsonOption = False) -> None:
    """List all versions; a star marks the one that answers."""
    listed = [entry.to_dict() for entry in entries()]
    if as_json:
        print(json.dumps(listed))
        return
    for entry, values in zip(entries(), listed, strict=True):
        title = "" if entry.title == entry.name else f" ({entry.title})"
        print(f"{'*' if entry.active else ' '} {entry.name}{title}: {recipe_in_words(entry.record.recipe)}")
        print(f"    {values['parameters']:,} parameters, trained {values['duration_seconds']:,.0f} s")
        print_accuracy(entry.record.evaluation, indent=4)
        if entry.drawings:
            print_accuracy(entry.drawings.digits, indent=4)


@models.command()
def show(version: VersionArgument, as_json: JsonOption = False) -> None:
    """Everything that is known of a version."""
    record = registry.version(named(version)).record
    if as_json:
        print(json.dumps(record.to_dict()))
        return
    print(f"{version}: {recipe_in_words(record.recipe)}; layers {'-'.join(map(str, record.recipe.layer_sizes))}")
    print(f"trained {record.created} in {record.duration_seconds:,.0f} s by: {record.command}")
    print(f"weights of epoch {record.epoch}, {record.validation_accuracy:.2%} of the validation images right")
    print_accuracy(record.evaluation)
    for drawn in record.drawings:
        print_accuracy(drawn.digits)
    print_tables(record.evaluation)


@models.command(name="compare")
def compare_command(one: VersionArgument, other: VersionArgument, as_json: JsonOption = False) -> None:
    """Ask two versions about the same test images, and say whether one is better by more than chance."""
    comparison = _compare(named(one), named(other))
    if as_json:
        print(json.dumps({"versions": [named(one), named(other)], **comparison.to_dict()}))
        return
    print(f"{other} against {one}: {comparison.verdict}")
    print(f"only {one} right: {len(comparison.only_one_right)}, only {other} right: {len(comparison.only_other_right)}")


@models.command()
def promote(
    version: VersionArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Also one that is worse by more than chance.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Let a version answer from now on; asks first where it is worse than the active one by more than chance."""
    name = named(version)
    if not yes:
        _ask_if_worse(name)
    active.promote(name)
    _say_who_answers(as_json)


@models.command()
def rollback(as_json: JsonOption = False) -> None:
    """Let the version answer that did before."""
    active.roll_back()
    _say_who_answers(as_json)


@models.command()
def history(as_json: JsonOption = False) -> None:
    """Who answered when."""
    if as_json:
        print(json.dumps([vars(change) for change in active.history()]))
        return
    for change in active.history():
        print(f"{change.since or 'some time ago'}  {change.how} to {change.name}")


@models.command()
def export(
    version: VersionArgument,
    to: Annotated[Path, typer.Option("--to", help="A file that ends in .zip (weights and record) or .onnx.")],
    as_json: JsonOption = False,
) -> None:
    """Write a version to a file: .zip for this program, .onnx for others."""
    forms = {".zip": to_zip, ".onnx": to_onnx}
    if to.suffix not in forms:
        raise typer.BadParameter(f"{to} ends in neither .zip nor .onnx")
    content = forms[to.suffix](registry.version(named(version)))
    try:
        write_atomically(to, content)
    except OSError as error:
        raise WeightsError(f"{to} cannot be written ({error}). Choose another file.") from error
    print(json.dumps({"file": str(to), "bytes": len(content)}) if as_json else f"{to}: {len(content):,} bytes")


@models.command(name="import")
def import_command(file: Path, as_json: JsonOption = False) -> None:
    """Add a version from a .zip file; it is checked first."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise WeightsError(f"{file} cannot be read ({error}). Give a file that `export` has made.") from error
    added = from_zip(content)
    print(json.dumps({"name": added.name}) if as_json else f"added as {added.name}")


@models.command()
def label(
    version: VersionArgument,
    title: Annotated[str | None, typer.Option(help="What to call it.")] = None,
    note: Annotated[str | None, typer.Option(help="What to remember about it.")] = None,
) -> None:
    """Give a version a title or a note."""
    label_version(named(version), title=title, note=note)


@models.command()
def delete(version: VersionArgument, as_json: JsonOption = False) -> None:
    """Delete a version; never the active one, nor one that came with the installation."""
    name = named(version)
    deletion.delete(name)
    undo = f"mnist-core models restore {name}"
    print(json.dumps({"deleted": name, "undo": undo}) if as_json else f"deleted; for a while `{undo}` brings it back")


@models.command()
def restore(version: Annotated[str, typer.Argument(metavar="VERSION")], as_json: JsonOption = False) -> None:
    """Bring a deleted version back."""
    name = deletion.restore(version).name
    print(json.dumps({"restored": name}) if as_json else f"{name} is back")


def _ask_if_worse(name: str) -> None:
    """A person at a terminal is asked; a program has to say --yes.

    Raises:
        WeightsError: it is worse by more than chance, and nobody wants it nevertheless.
    """
    current = active_version()
    comparison = _compare(current.name, name)
    if comparison.difference >= 0 or not comparison.more_than_chance:
        return
    sentence = f"{name} against {current.name}: {comparison.verdict}"
    if not sys.stdin.isatty():
        raise WeightsError(f"{sentence} Add --yes to let it answer nevertheless.")
    if not typer.confirm(f"{sentence} Let it answer nevertheless?"):
        raise WeightsError(f"{current.name} still answers.")


def _compare(one: str, other: str) -> Comparison:
    """On MNIST's test images, or without MNIST on the bundled sample's."""
    images = load_dataset("mnist" if mnist_is_here() else "sample").test
    return compare(DigitClassifier.load(registry.find(one)), DigitClassifier.load(registry.find(other)), images)


def _say_who_answers(as_json: bool) -> None:
    name = active_name()
    print(json.dumps({"active": name}) if as_json else f"{name} answers now")
