"""`mnist-core models`: list and compare versions, and choose the active one."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from mnist_core.cli.output import print_accuracy, print_non_digits, print_tables
from mnist_core.errors import WeightsError
from mnist_core.evaluation.comparison import Comparison, compare
from mnist_core.files import write_atomically
from mnist_core.images.datasets import load_dataset, mnist_is_here
from mnist_core.network.classifier import DigitClassifier
from mnist_core.versions import active, deletion, registry
from mnist_core.versions.active import active_name, active_version
from mnist_core.versions.catalogue import entries, label_version, named, recipe_in_words
from mnist_core.versions.exchange import from_zip, to_onnx, to_zip

models = typer.Typer(no_args_is_help=True, help="Versions: list, compare, make active, roll back.")
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
VersionArgument = Annotated[str, typer.Argument(metavar="VERSION", help="Its name or title.")]


@models.command(name="list")
def list_models(as_json: JsonOption = False) -> None:
    """List all versions; a star marks the active one."""
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
    """Show everything that is known about a version."""
    record = registry.version(named(version)).record
    if as_json:
        print(json.dumps(json.loads(record.to_json())))
        return
    print(f"{version}: {recipe_in_words(record.recipe)}; layers {'-'.join(map(str, record.recipe.layer_sizes))}")
    print(f"trained {record.created} in {record.duration_seconds:,.0f} s by: {record.command}")
    print(f"weights of epoch {record.epoch}, validation accuracy {record.validation_accuracy:.2%}")
    print_accuracy(record.evaluation)
    for drawn in record.drawings:
        print_accuracy(drawn.digits)
    print_non_digits(record.drawings)
    print_tables(record.evaluation)


@models.command(name="compare")
def compare_command(one: VersionArgument, other: VersionArgument, as_json: JsonOption = False) -> None:
    """Compare two versions on the same test images, and say whether the difference is more than chance."""
    comparison = _compare(named(one), named(other))
    if as_json:
        print(json.dumps({"versions": [named(one), named(other)], **comparison.to_dict()}))
        return
    print(comparison.verdict(one, other))
    only_one, only_other = len(comparison.only_one_right), len(comparison.only_other_right)
    print(f"correctly classified only by {one}: {only_one}, only by {other}: {only_other} ({comparison.on})")


@models.command()
def promote(
    version: VersionArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask, even if it is worse by more than chance.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Make a version active; asks first if it is worse than the active one by more than chance."""
    name = named(version)
    if not yes:
        _confirm_if_worse(name)
    active.promote(name)
    _print_active(as_json)


@models.command()
def rollback(as_json: JsonOption = False) -> None:
    """Make the version active again that was before."""
    active.roll_back()
    _print_active(as_json)


@models.command()
def history(as_json: JsonOption = False) -> None:
    """List which version was active when."""
    if as_json:
        print(json.dumps([vars(change) for change in active.history()]))
        return
    for change in active.history():
        print(f"{change.since}  {change.how} to {change.name}")


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
        raise WeightsError(f"{file} cannot be read ({error}). Give a file from `models export`.") from error
    added = from_zip(content)
    print(json.dumps({"name": added.name}) if as_json else f"added as {added.name}")


@models.command()
def label(
    version: VersionArgument,
    title: Annotated[str | None, typer.Option(help="What to call it.")] = None,
    note: Annotated[str | None, typer.Option(help="What to note about it.")] = None,
) -> None:
    """Give a version a title or a note."""
    label_version(named(version), title=title, note=note)


@models.command()
def delete(version: VersionArgument, as_json: JsonOption = False) -> None:
    """Delete a version, except the active one and those that came with the installation."""
    name = named(version)
    deletion.delete(name)
    undo = f"mnist-core models restore {name}"
    words = f"deleted; for {deletion.UNDO_DAYS} days, `{undo}` restores it"
    print(json.dumps({"deleted": name, "undo": undo}) if as_json else words)


@models.command()
def restore(version: Annotated[str, typer.Argument(metavar="VERSION")], as_json: JsonOption = False) -> None:
    """Restore a deleted version."""
    name = deletion.restore(version).name
    print(json.dumps({"restored": name}) if as_json else f"{name} is restored")


def _confirm_if_worse(name: str) -> None:
    """Ask a person at a terminal whether to go on with a worse version; a program has to give --yes.

    Raises:
        WeightsError: it is worse by more than chance, and nobody confirmed it.
    """
    current = active_version()
    comparison = _compare(current.name, name)
    if not comparison.worse:
        return
    sentence = comparison.verdict(f"the active version {current.name}", name)
    if not sys.stdin.isatty():
        raise WeightsError(f"{sentence} Add --yes to make it active anyway.")
    if not typer.confirm(f"{sentence} Make it active anyway?"):
        raise WeightsError(f"{current.name} stays active.")


def _compare(one: str, other: str) -> Comparison:
    """Compare two versions on MNIST's test images, or without MNIST on those of the bundled sample."""
    images = load_dataset("mnist" if mnist_is_here() else "sample").test
    return compare(DigitClassifier.load(registry.find(one)), DigitClassifier.load(registry.find(other)), images)


def _print_active(as_json: bool) -> None:
    name = active_name()
    print(json.dumps({"active": name}) if as_json else f"{name} is active now")
